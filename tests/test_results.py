"""`Result`: to pictures, to JSON and back, to other libraries, and what it says when it cannot."""

import json
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tacit.data.images import load_image
from tacit.errors import DataError, ImageError, MissingExtraError, TacitError
from tacit.results import Result

NAMES = ("person", "cat", "cup")


def make(boxes=((10, 12, 50, 60.5), (0, 0, 30, 20)), scores=(0.75, 0.5), classes=(1, 0), **others):
    settings = {"names": NAMES, "width": 64, "height": 72, **others}
    return Result(
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        scores=np.array(scores, np.float32),
        classes=np.array(classes, np.int64),
        **settings,
    )


def empty(**others):
    return make((), (), (), **others)


def picture(height=72, width=64):
    return np.full((height, width, 3), 90, np.uint8)


def test_len_summary_repr(tmp_path):
    result = make(path=tmp_path / "x.jpg")
    assert len(result) == 2
    assert make(classes=(0, 0)).summary() == "2 x person"
    assert result.summary() == "1 x cat, 1 x person"
    assert repr(result) == "Result('x.jpg', 64 x 72, 1 x cat, 1 x person)"
    assert empty().summary() == "nothing"


def test_to_dict_is_exactly_this_and_json_ready(tmp_path):
    record = make(path=tmp_path / "x.jpg").to_dict()
    assert record == {
        "path": str(tmp_path / "x.jpg"),
        "width": 64,
        "height": 72,
        "boxes": [
            {"box": [10.0, 12.0, 50.0, 60.5], "score": 0.75, "class": 1, "name": "cat"},
            {"box": [0.0, 0.0, 30.0, 20.0], "score": 0.5, "class": 0, "name": "person"},
        ],
    }
    assert json.loads(json.dumps(record)) == record


@given(
    st.lists(
        st.tuples(
            st.tuples(*[st.floats(-1e4, 1e4, width=32)] * 4), st.floats(0, 1, width=32), st.sampled_from(range(3))
        ),
        max_size=5,
    )
)
def test_dict_round_trip(rows):
    result = make([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])
    back = Result.from_dict(json.loads(json.dumps(result.to_dict())), NAMES)
    for field in ("boxes", "scores", "classes"):
        before, after = getattr(result, field), getattr(back, field)
        assert (before == after).all()
        assert before.dtype == after.dtype
        assert before.shape == after.shape
    assert (back.names, back.width, back.height, back.path) == (NAMES, 64, 72, None)


def test_classes_that_a_record_does_not_name_are_called_by_number():
    assert Result.from_dict(make(classes=(2, 0)).to_dict()).names == ("person", "1", "cup")
    assert Result.from_dict(empty().to_dict()).names == ()


@pytest.mark.parametrize(
    "record",
    [{}, {"boxes": 3, "path": None, "width": 1, "height": 1}, {"boxes": [{"box": [1]}], "path": None}],
    ids=["empty", "boxes is a number", "box of one number"],
)
def test_a_foreign_record_is_a_data_error(record):
    with pytest.raises(DataError, match="no record of a result"):
        Result.from_dict(record)


@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x.webp", "X.JPEG", "x.bmp", "x.tif"])
def test_save_draws_on_its_image_and_makes_the_folder(tmp_path, name):
    target = make(image=picture()).save(tmp_path / "new/folder" / name)
    saved = load_image(target).astype(int)
    assert saved.shape == (72, 64, 3)
    assert np.abs(saved - 90).max() > 50


def test_save_draws_on_the_file_when_it_holds_no_image(tmp_path):
    Image.fromarray(picture()).save(tmp_path / "x.png")
    result = make(path=tmp_path / "x.png")
    saved = load_image(result.save(tmp_path / "out.png"))
    assert (saved == make(image=picture()).draw()).all()


def test_save_refuses_a_file_that_has_changed(tmp_path):
    Image.fromarray(picture(20, 20)).save(tmp_path / "x.png")
    with pytest.raises(ImageError, match="is 20 x 20 now, it was 64 x 72"):
        make(path=tmp_path / "x.png").save(tmp_path / "out.png")


def test_save_says_what_is_missing(tmp_path):
    with pytest.raises(ImageError, match="no picture"):
        make().save(tmp_path / "x.png")
    with pytest.raises(ImageError, match=r"gone\.jpg"):
        make(path=tmp_path / "gone.jpg").save(tmp_path / "x.png")
    with pytest.raises(ImageError, match=r"x\.txt\.jpg"):
        make(image=picture()).save(tmp_path / "x.txt")
    (tmp_path / "file").touch()
    with pytest.raises(TacitError, match="cannot be written"):
        make(image=picture()).save(tmp_path / "file/x.png")


def test_to_supervision_holds_the_same():
    supervision = pytest.importorskip("supervision")
    detections = make().to_supervision()
    assert isinstance(detections, supervision.Detections)
    assert (detections.xyxy == make().boxes).all()
    assert detections.confidence.tolist() == [0.75, 0.5]
    assert detections.class_id.tolist() == [1, 0]
    assert detections["class_name"].tolist() == ["cat", "person"]
    assert len(empty().to_supervision()) == 0


def test_without_supervision_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(MissingExtraError, match="pip install supervision"):
        make().to_supervision()
