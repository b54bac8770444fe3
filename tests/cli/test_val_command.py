"""`tacit val`: the right photographs, the right figures, and what was left out."""

import json

import pytest
from commands import run
from PIL import Image


def test_val_shows_figures_and_writes_them(dataset, weights, tmp_path, capsys):
    out = tmp_path / "out"
    assert run("val", "--data", dataset, "--weights", weights, "--output", out) == 0
    printed = capsys.readouterr().out
    for words in ("AP50", "AR", "square", "disc", "forward", "4 photographs"):
        assert words in printed
    scores = json.loads((out / "scores.json").read_text())
    assert 0 <= scores["ap"] <= scores["ap50"] <= 1
    for chart in ("precision-recall.png", "confusion.png"):
        with Image.open(out / chart) as picture:
            assert min(picture.size) > 200


def test_val_predictions_give_the_same_figures_in_pycocotools(dataset, weights, tmp_path, capsys):
    pytest.importorskip("pycocotools")
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    assert run("val", "--data", dataset, "--split", "train", "--weights", weights, "--output", tmp_path) == 0
    labels = COCO(dataset / "annotations/instances_train.json")
    oracle = COCOeval(labels, labels.loadRes(str(tmp_path / "predictions.json")), "bbox")
    oracle.evaluate()
    oracle.accumulate()
    oracle.summarize()
    capsys.readouterr()
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["ap"] == pytest.approx(oracle.stats[0], abs=1e-9)
    assert scores["ap50"] == pytest.approx(oracle.stats[1], abs=1e-9)


def test_val_leaves_an_unreadable_photograph_out_and_says_so(dataset, weights, tmp_path, capsys):
    (dataset / "images/val/9.png").write_bytes(b"")
    assert run("val", "--data", dataset, "--weights", weights, "--output", tmp_path / "out") == 1
    assert "9.png" in capsys.readouterr().err


def test_val_of_a_split_that_is_not_there(dataset, weights, capsys):
    assert run("val", "--data", dataset, "--split", "test", "--weights", weights) == 2
    assert "no split 'test'" in capsys.readouterr().err


def test_val_of_a_task_that_the_weights_lack_names_those_there_are(dataset, weights, capsys):
    assert run("val", "--data", dataset, "--weights", weights, "--tasks", "pose") == 2
    assert "these weights know no task 'pose'. Allowed: detect" in capsys.readouterr().err


def test_val_of_data_that_labels_nothing_of_it_says_so(dataset, weights, tmp_path, capsys):
    file = dataset / "annotations" / "instances_val.json"
    images = json.loads(file.read_text())["images"]
    said = [{"id": 1, "image_id": images[0]["id"], "caption": "A square."}]
    file.with_name("captions_val.json").write_text(json.dumps({"images": images, "annotations": said}))
    for instances in dataset.glob("annotations/instances_*.json"):
        instances.unlink()
    assert run("val", "--data", dataset, "--weights", weights, "--output", tmp_path / "out") == 2
    assert "labels nothing of what the network answers: detect" in capsys.readouterr().err


def test_val_in_rectangular_batches_with_three_views_says_so(dataset, weights, tmp_path, capsys):
    extra = ("--batches", "rectangular", "--stride", 64, "--tta", "--batch", 3)
    assert val(dataset, weights, tmp_path, *extra) == 0
    printed = capsys.readouterr().out
    assert "evaluated at 128 px in rectangular batches of 16 photographs, sides in multiples of 64, 3 views" in printed
    told = json.loads((tmp_path / "out/scores.json").read_text())["evaluation"]
    assert (told["batches"], told["grid"]) == ("rectangular", {"group": 16, "stride": 64})
    assert [(view["scale"], view["mirrored"]) for view in told["views"]] == [(1, False), (0.83, True), (0.67, False)]
    assert (told["confidence"], told["iou"], told["max_detections"]) == (0.001, 0.65, 300)


def test_val_says_its_usual_way_too(dataset, weights, tmp_path, capsys):
    assert val(dataset, weights, tmp_path) == 0
    assert "evaluated at 128 px\n" in capsys.readouterr().out
    told = json.loads((tmp_path / "out/scores.json").read_text())["evaluation"]
    assert (told["batches"], told["grid"], len(told["views"])) == ("same-shape", None, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--stride", 64), "add --batches rectangular"),
        (("--batches", "rectangular", "--stride", 48), "multiples of 32"),
        (("--batches", "square"), "same-shape"),
    ],
)
def test_val_refuses_batches_that_cannot_be(dataset, weights, tmp_path, capsys, options, message):
    assert val(dataset, weights, tmp_path, *options) == 2
    assert message in capsys.readouterr().err


def val(data, weights, tmp_path, *options):
    return run("val", "--data", data, "--weights", weights, "--output", tmp_path / "out", *options)


def test_val_of_a_lone_val_split_scores_all_of_it(dataset, weights, tmp_path, capsys):
    (dataset / "annotations/instances_train.json").unlink()
    for data in (dataset, dataset / "annotations/instances_val.json"):
        assert val(data, weights, tmp_path) == 0
        assert f"{data} (all of val), 4 photographs" in capsys.readouterr().out


def test_val_of_data_without_splits_scores_the_hold_out_and_says_so(dataset, weights, tmp_path, capsys):
    file = (dataset / "annotations/instances_train.json").rename(dataset / "images/train/labels.json")
    assert val(file, weights, tmp_path) == 0
    printed = capsys.readouterr().out
    assert f"{file} (held-out fifth), 1 photograph\n" in printed
    assert "--split all for everything" in printed
    assert val(file, weights, tmp_path, "--split", "all") == 0
    printed = capsys.readouterr().out
    assert f"{file} (all), 8 photographs" in printed
    assert "held-out" not in printed


def test_val_tells_a_fault_once_and_a_note_is_no_loss(dataset, weights, tmp_path, capsys):
    file = dataset / "annotations/instances_val.json"
    labels = json.loads(file.read_text())
    labels["annotations"][0]["bbox"] = [100, 8, 60, 40]
    file.write_text(json.dumps(labels))
    assert val(dataset, weights, tmp_path) == 0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("note: ")
    assert "clipped" in lines[0]
    labels["annotations"][0]["bbox"] = [900, 8, 60, 40]
    file.write_text(json.dumps(labels))
    assert val(dataset, weights, tmp_path) == 1
    assert capsys.readouterr().err.startswith("left out: ")
