"""`tacit predict`: what it prints where, what it writes, what it will not overwrite."""

import json
import os

import pytest
from commands import child, run


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
        (("{photos}", "--tasks", "pose"), "these weights know no task 'pose'. Allowed: detect"),
        (("{photos}", "--tasks", "detect,pose"), "these weights know no task 'pose'. Allowed: detect"),
        (("{photos}", "--only", "pose"), "--only pose: nothing answers that. Allowed: detect"),
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


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("source", ["{photos}", "{photos}/0.png", "{photos}/*.png"])
@pytest.mark.parametrize("output", ["{photos}", "{photos}/../photos", "{link}"])
def test_predict_never_draws_over_the_photographs(source, output, photos, weights, tmp_path, capsys):
    link, before = tmp_path / "link", contents(photos)
    link.symlink_to(photos)
    source, output = (name.format(photos=photos, link=link) for name in (source, output))
    assert run("predict", source, "--weights", weights, "--output", output) == 2
    assert "name another --output" in capsys.readouterr().err
    assert contents(photos) == before
    assert run("predict", source, "--weights", weights, "--output", output, "--no-pictures", "--json") == 0


def test_predict_twice_takes_the_photographs_twice_and_no_drawing(photos, weights, monkeypatch, capsys):
    monkeypatch.chdir(photos)
    for _ in range(2):
        assert run("predict", ".", "--weights", weights) == 0
        assert "in 5 photographs" in capsys.readouterr().out
    assert sorted(contents(photos / "runs/predict")) == sorted(path.name for path in photos.glob("*.png"))


def test_predict_takes_names_that_are_no_text(photos, weights, tmp_path):
    (photos / "0.png").rename(photos / os.fsdecode(b"caf\xe9.png"))
    out, environment = tmp_path / "out", {"PYTHONIOENCODING": "utf-8:strict"}
    done = child(
        "-m", "tacit", "predict", photos, "--weights", weights, "--output", out, "--json", "--coco", **environment
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert r"caf\udce9.png" in done.stdout
    records = [json.loads(line) for line in (out / "results.jsonl").read_text(encoding="ascii").splitlines()]
    assert str(photos / os.fsdecode(b"caf\xe9.png")) in {record["path"] for record in records}
    assert len(json.loads((out / "results.coco.json").read_text(encoding="ascii"))["images"]) == 5
    assert os.fsdecode(b"caf\xe9.png") in {path.name for path in out.iterdir()}


def test_predict_for_a_user_who_is_not_there(weights, capsys):
    assert run("predict", "~nosuchuser/x", "--weights", weights) == 2
    assert "no home folder for ~nosuchuser/x" in capsys.readouterr().err
