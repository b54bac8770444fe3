"""What stands on disk after the writers."""

import errno
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tacit.errors import ImageError, TacitError
from tacit.predict import writers
from tacit.predict.writers import CocoJson, JsonLines, Pictures
from tacit.results import Moment, Result

NAMES = ("person", "cat")


def make(path, boxes=((4, 5, 20, 30),), classes=(1,)):
    return Result(
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        scores=np.full(len(classes), 0.5, np.float32),
        classes=np.array(classes, np.int64),
        names=NAMES,
        width=40,
        height=48,
        path=path,
        image=np.full((48, 40, 3), 90, np.uint8),
    )


def test_pictures_keep_names_and_number_those_that_are_taken(tmp_path):
    with Pictures(tmp_path / "out") as writer:
        for path in (Path("a/x.jpg"), Path("b/x.jpg"), Path("b/X.JPG"), Path("b/x.gif"), None):
            writer.write(make(path))
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["X-3.JPG", "image.jpg", "x-2.jpg", "x-4.jpg", "x.jpg"]
    with Image.open(tmp_path / "out/x.jpg") as picture:
        assert picture.size == (40, 48)


def test_a_second_run_writes_over_the_first(tmp_path):
    for _ in range(2):
        with Pictures(tmp_path) as writer:
            writer.write(make(Path("x.jpg")))
    assert [path.name for path in tmp_path.iterdir()] == ["x.jpg"]


def test_json_lines_are_on_disk_at_once_and_read_back(tmp_path):
    result = make(Path("naïve/日本.jpg"))
    with JsonLines(tmp_path / "new/results.jsonl") as writer:
        writer.write(result)
        lines = (tmp_path / "new/results.jsonl").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line) for line in lines] == [result.to_dict()]


def test_coco_json_loads_in_pycocotools(tmp_path, capsys):
    coco = pytest.importorskip("pycocotools.coco")
    with CocoJson(tmp_path / "results.coco.json", NAMES) as writer:
        writer.write(make(Path("a.jpg")))
        writer.write(make(Path("b.jpg"), (), ()))
        writer.write(make(Path("c.jpg"), ((0, 0, 10, 10), (1, 2, 4, 8)), (0, 1)))
    loaded = coco.COCO(tmp_path / "results.coco.json")
    capsys.readouterr()
    assert [image["file_name"] for image in loaded.loadImgs(loaded.getImgIds())] == ["a.jpg", "b.jpg", "c.jpg"]
    assert loaded.loadCats([2]) == [{"id": 2, "name": "cat"}]
    last = loaded.loadAnns(loaded.getAnnIds(imgIds=[3]))[-1]
    assert last["bbox"] == [1, 2, 3, 6]
    assert (last["area"], last["category_id"], last["score"]) == (18, 2, 0.5)


def test_coco_json_holds_what_was_done_before_an_interruption(tmp_path):
    writer = CocoJson(tmp_path / "results.coco.json", NAMES).__enter__()
    writer.write(make(Path("a.jpg")))
    writer.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert len(json.loads((tmp_path / "results.coco.json").read_text())["images"]) == 1


@pytest.mark.parametrize("kind", [Pictures, JsonLines, lambda path: CocoJson(path, NAMES)])
def test_where_nothing_can_be_written_is_said_before_the_work(tmp_path, kind):
    (tmp_path / "file").touch()
    with pytest.raises(TacitError, match="choose another --output"), kind(tmp_path / "file/inside/it"):
        pass


def write(writer, results):
    with writer:
        for result in results:
            writer.write(result)


def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


class Half:
    """A file on a disk that takes ten bytes more."""

    def __init__(self, file):
        self.file, self.room = file, 10

    def write(self, content):
        if not self.room:
            full()
        taken, self.room = self.file.write(content[: self.room]), 0
        return taken

    def __getattr__(self, name):
        return getattr(self.file, name)


def test_a_full_disk_leaves_no_half_picture(tmp_path, monkeypatch):
    (tmp_path / "x.jpg").write_text("of an earlier run")
    save = Image.Image.save

    def half(image, file, *options, **more):
        save(image, file, *options, **more)
        full()

    monkeypatch.setattr(Image.Image, "save", half)
    with pytest.raises(TacitError, match=r"\.jpg cannot be written: No space left on device. To do: make room"):
        write(Pictures(tmp_path), [make(Path("x.jpg")), make(Path("y.jpg"))])
    assert [path.name for path in tmp_path.iterdir()] == ["x.jpg"]
    assert (tmp_path / "x.jpg").read_text() == "of an earlier run"


def test_a_full_disk_leaves_whole_lines(tmp_path):
    path = tmp_path / "results.jsonl"
    with JsonLines(path) as writer:
        writer.write(make(Path("a.jpg")))
        writer.file = Half(writer.file)
        with pytest.raises(TacitError, match="make room on the disk"):
            writer.write(make(Path("b.jpg")))
    assert [json.loads(line)["path"] for line in path.read_text().splitlines()] == ["a.jpg"]


def test_a_full_disk_leaves_no_coco_file(tmp_path, monkeypatch):
    path = tmp_path / "results.coco.json"
    monkeypatch.setattr(writers.shutil, "copyfileobj", full)
    with pytest.raises(TacitError, match="make room on the disk"):
        write(CocoJson(path, NAMES), [make(Path("a.jpg"))])
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_draws_what_has_been_given_to_draw(tmp_path):
    def interrupted():
        yield from (make(Path(f"{number}.jpg")) for number in range(40))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(Pictures(tmp_path), interrupted())
    assert {path.name for path in tmp_path.iterdir()} == {f"{number}.jpg" for number in range(40)}


def test_frames_have_their_moment(tmp_path):
    frame = replace(make(Path("clip.mp4")), moment=Moment(12, 0.48))
    with JsonLines(tmp_path / "a.jsonl") as lines, CocoJson(tmp_path / "a.json", NAMES) as coco:
        lines.write(frame)
        coco.write(frame)
    record = json.loads((tmp_path / "a.jsonl").read_text())
    assert (record["path"], record["frame"], record["seconds"]) == ("clip.mp4", 12, 0.48)
    assert Result.from_dict(record).moment == frame.moment
    assert json.loads((tmp_path / "a.json").read_text())["images"][0]["file_name"] == "clip.mp4#12"
    with pytest.raises(ImageError, match="no picture to draw on"):
        Result.from_dict(record).draw()


def test_pictures_leave_frames_to_others(tmp_path):
    with Pictures(tmp_path) as writer:
        writer.write(replace(make(Path("clip.mp4")), moment=Moment(0, 0.0)))
    assert list(tmp_path.iterdir()) == []
