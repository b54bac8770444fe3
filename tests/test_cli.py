"""The command line: what it prints where, what it writes, and its exit codes."""

import json
import os
import subprocess
import sys
from time import perf_counter

import pytest
import torch
from PIL import Image

import tacit
from tacit.cli import COMMANDS, main
from tacit.weights.files import save
from tacit.weights.record import Record
from tacit.zoo import create

NAMES = ("square", "disc")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "debug.safetensors"
    save(create("debug", len(NAMES)).eval(), Record(model="debug", classes=NAMES, input_size=128), path)
    return str(path)


@pytest.fixture
def dataset(tmp_path, draw):
    """Twelve drawn photographs with COCO labels, in two splits."""
    root = tmp_path / "drawn"
    for split, count, first in (("train", 8, 0), ("val", 4, 8)):
        (root / "images" / split).mkdir(parents=True)
        images, annotations = [], []
        for number in range(first, first + count):
            image, boxes, classes = draw(number)
            Image.fromarray(image).save(root / "images" / split / f"{number}.png")
            images.append({"id": number, "file_name": f"{number}.png", "width": 128, "height": 96})
            for (x0, y0, x1, y1), index in zip(boxes.tolist(), classes.tolist(), strict=True):
                box = [x0, y0, x1 - x0, y1 - y0]
                extra = {"id": len(annotations) + 1, "area": box[2] * box[3], "iscrowd": 0}
                annotations.append({"image_id": number, "category_id": index + 1, "bbox": box, **extra})
        categories = [{"id": index + 1, "name": name} for index, name in enumerate(NAMES)]
        labels = {"images": images, "annotations": annotations, "categories": categories}
        (root / "annotations").mkdir(exist_ok=True)
        (root / "annotations" / f"instances_{split}.json").write_text(json.dumps(labels))
    return root


def run(*arguments):
    """`main` with these arguments; a usage error of the option parser counts as its exit code."""
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as stop:
        return stop.code


def child(*arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


# The front door


def test_help_names_every_command(capsys):
    assert run("--help") == run("-h") == run() == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in COMMANDS)


def test_version(capsys):
    assert run("--version") == 0
    assert capsys.readouterr().out == f"tacit {tacit.__version__}\n"


def test_help_is_quick_and_imports_nothing_heavy():
    code = (
        "import sys; from tacit.cli import main; main(['--help'])\n"
        "print(sorted({'torch', 'numpy', 'tyro', 'rich', 'cv2', 'PIL'} & set(sys.modules)))"
    )
    assert child("-c", code).stdout.splitlines()[-1] == "[]"
    times = []
    for _ in range(3):  # the machine may be busy; the best of three counts
        start = perf_counter()
        assert child("-m", "tacit", "--help").returncode == 0
        times.append(perf_counter() - start)
    assert min(times) < 0.3


def test_help_of_training_does_without_torch():
    code = (
        "import sys\nfrom tacit.cli import main\n"
        "try: main(['train', '--help'])\nexcept SystemExit: pass\nprint('torch' in sys.modules)"
    )
    assert child("-c", code).stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, capsys):
    assert run(command, "--help") == 0
    assert f"usage: tacit {command}" in capsys.readouterr().out


def test_an_unknown_command_is_answered_with_the_nearest(capsys):
    assert run("predcit", "x.jpg") == 2
    assert "perhaps you mean 'tacit predict'" in capsys.readouterr().err
    assert run("frobnicate") == 2
    assert "see 'tacit --help'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (("predict", "x.jpg", "--confidnce", "0.3"), "--confidence"),
        (("train", "--epoch", "3"), "--epochs"),
        (("val", "--dat", "x"), "--data"),
        (("data", "x", "--spilt", "val"), "--split"),
    ],
)
def test_a_mistyped_option_is_answered_with_the_nearest(arguments, near, capsys):
    assert run(*arguments) == 2
    assert near in capsys.readouterr().err


def test_interruption_is_130(monkeypatch, capsys, photos, weights):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("tacit.cli.predict.predict_files", interrupt)
    assert run("predict", photos, "--weights", weights, "--no-pictures") == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_reader_that_has_had_enough_ends_it_quietly(photos, weights):
    command = f"{sys.executable} -m tacit predict {photos} --weights {weights} --no-pictures | true"
    done = subprocess.run(["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_full_disk_is_an_error_in_one_line(monkeypatch, capsys, photos, weights, tmp_path):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tacit.predict.writers.JsonLines.write", full)
    assert run("predict", photos, "--weights", weights, "--no-pictures", "--json", "--output", tmp_path) == 2
    assert capsys.readouterr().err == "error: [Errno 28] No space left on device\n"


# tacit predict


def test_predict_writes_what_was_asked_for(photos, weights, tmp_path, capsys):
    out = tmp_path / "out"
    code = run(
        "predict", photos, "--weights", weights, "--output", out, "--confidence", 1e-3, "--json", "--coco", "--batch", 2
    )
    assert code == 0
    printed = capsys.readouterr().out
    pictures = sorted(path.name for path in out.glob("*.png"))
    assert pictures == ["0.png", "1.png", "2.png", "3.png", "4.png"]
    lines = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    assert [line["path"] for line in lines] == [str(photos / name) for name in pictures]
    coco = json.loads((out / "results.coco.json").read_text())
    assert len(coco["images"]) == 5
    assert len(coco["annotations"]) == sum(len(line["boxes"]) for line in lines) > 0
    assert all(str(photos / name) in printed for name in pictures)
    assert f"written to {out}/" in printed


def test_predict_without_pictures_leaves_no_folder(photos, weights, tmp_path):
    assert run("predict", photos, "--weights", weights, "--output", tmp_path / "out", "--no-pictures") == 0
    assert not (tmp_path / "out").exists()


def test_predict_keeps_only_the_named_classes(photos, weights, tmp_path):
    options = ("--weights", weights, "--output", tmp_path, "--confidence", 1e-3, "--no-pictures", "--json")
    assert run("predict", photos, *options, "--classes", "disc") == 0
    boxes = [box for line in (tmp_path / "results.jsonl").read_text().splitlines() for box in json.loads(line)["boxes"]]
    assert {box["name"] for box in boxes} == {"disc"}


def test_predict_names_the_unreadable_file_and_does_the_others(photos, weights, tmp_path, capsys):
    (photos / "1.png").write_text("no picture")
    (photos / "notes.txt").touch()
    assert run("predict", photos, "--weights", weights, "--output", tmp_path / "out") == 1
    printed = capsys.readouterr()
    assert f"skipped {photos / '1.png'}: " in printed.err
    assert "1 of 5 files skipped" in printed.err
    assert "1 other file in the folders left alone" in printed.out
    assert len(list((tmp_path / "out").iterdir())) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no photograph was named"),
        (("gone.jpg",), "no file or folder gone.jpg"),
        (("{photos}", "--confidence", "2"), "confidence"),
        (("{photos}", "--confidence", "nan"), "confidence"),
        (("{photos}", "--iou", "-1"), "iou"),
        (("{photos}", "--size", "100"), "100 pixels"),
        (("{photos}", "--batch", "0"), "--batch is 0"),
        (("{photos}", "--classes", "dics"), "perhaps you mean 'disc'"),
        (("{photos}", "--output", "{photos}/0.png/inside"), "choose another --output"),
        (("{photos}", "--weights", "gone.safetensors"), "gone.safetensors"),
        (("{photos}", "--weights", "{photos}/0.png"), "0.png"),
        (("{photos}", "--confidence", "high"), "--confidence"),
    ],
)
def test_predict_says_what_is_wrong_without_a_traceback(arguments, message, photos, weights, tmp_path, capsys):
    given = [argument.format(photos=photos) for argument in arguments]
    chosen = [] if "--weights" in given else ["--weights", weights]
    chosen += [] if "--output" in given else ["--output", str(tmp_path / "out")]
    assert run("predict", *given, *chosen) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert "Traceback" not in printed.err


# tacit data


def test_data_tells_what_is_there_and_draws_a_sheet(dataset, tmp_path, capsys):
    assert run("data", dataset, "--output", tmp_path / "out") == 0
    printed = capsys.readouterr().out
    for words in ("COCO", "train", "val", "square", "disc"):
        assert words in printed
    for split in ("train", "val"):
        with Image.open(tmp_path / "out" / f"{split}.jpg") as sheet:
            assert min(sheet.size) > 100
        assert "photographs" in (tmp_path / "out" / f"{split}.txt").read_text()


def test_data_names_faults_and_strict_stops(dataset, tmp_path, capsys):
    (dataset / "images/train/3.png").write_bytes(b"")
    arguments = ("data", dataset, "--split", "train", "--output", tmp_path / "out")
    assert run(*arguments) == 1
    assert "3.png" in capsys.readouterr().err
    assert run(*arguments, "--strict") == 2
    assert "3.png" in capsys.readouterr().err


def test_data_of_nothing_is_an_error(tmp_path, capsys):
    assert run("data", tmp_path / "gone") == 2
    assert "gone is not there" in capsys.readouterr().err


# tacit val


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


# tacit train


@pytest.mark.slow
def test_train_then_val_then_resume(dataset, tmp_path, capsys):
    out = tmp_path / "run"
    options = ("--model", "debug", "--epochs", "1", "--size", "64", "--batch", "4", "--workers", "0", "--scratch")
    assert run("train", "--data", dataset, *options, "--output", out) == 0
    printed = capsys.readouterr().out
    assert "epoch 1/1" in printed
    assert f"the best weights are {out / 'best.safetensors'}" in printed
    assert run("val", "--data", dataset, "--weights", out / "best.safetensors", "--output", tmp_path / "val") == 0
    assert run("train", "--resume", out) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "nothing to train on"),
        (("--resume", "gone"), "gone is not the folder of a run"),
        (("--resume", "gone", "--epochs", "3"), "no other option"),
        (("--data", "gone"), "gone is not there"),
        (("--data", "{dataset}", "--model", "nanoo"), "nano"),
        (("--data", "{dataset}", "--epochs", "0"), "epochs=0"),
        (("--data", "{dataset}", "--size", "100"), "size=100"),
        (("--data", "{dataset}", "--weights", "gone.safetensors"), "gone.safetensors"),
    ],
)
def test_train_says_what_is_wrong_without_a_traceback(arguments, message, dataset, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("train", *(argument.format(dataset=dataset) for argument in arguments)) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert "Traceback" not in printed.err


def test_an_error_of_the_program_itself_comes_out_as_one_line():
    done = child("-m", "tacit", "predict", "gone.jpg")
    assert done.returncode == 2
    assert done.stderr.startswith("error: there is no file or folder gone.jpg")
    assert len(done.stderr.splitlines()) == 1
