"""Maps: from PNG, panoptic JSON and masks; moved, joined; and what is wrong with files."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tacit.data.label import Move
from tacit.data.map_read import map_names, with_maps
from tacit.data.maps import UNKNOWN, MapInMemory, MapLabels
from tacit.data.mask_maps import MaskMap
from tacit.data.masks import MaskLabels
from tacit.data.read import read
from tacit.data.sample import Dataset, Sample
from tacit.errors import DataError, ImageError

CLASSES = ("person", "cat", "book")
ALL = frozenset(CLASSES)


def rectangle(x0, y0, x1, y1):
    return ((np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], float),),)


def sample(path=Path("a.png"), size=(40, 30), objects=(), labels=None):
    """`objects` are (class, box, crowd)."""
    boxes = np.array([box for _, box, _ in objects], np.float32).reshape(-1, 4)
    classes, crowd = np.array([one[0] for one in objects], np.int64), np.array([one[2] for one in objects], bool)
    return Sample(path, *size, 0, boxes, classes, crowd, np.ones(len(boxes), np.float32), labels or {})


def masked(objects, complete, hidden=()):
    outlines = tuple(None if i in hidden else rectangle(*box) for i, (_, box, _) in enumerate(objects))
    return sample(objects=objects, labels={MaskLabels: MaskLabels(outlines, complete)})


def dataset(*samples, root=Path(), split="train"):
    return Dataset(root, "COCO", split, CLASSES, (1, 2, 3), samples, ())


def meant(label, y, x):
    number = label.source.pixels()[y, x]
    return "unknown" if number == UNKNOWN else label.source.meanings[number]


def label_of(one):
    return with_maps(dataset(one)).samples[0].label(MapLabels)


def in_memory(pixels, meanings=CLASSES):
    return MapLabels(MapInMemory(np.asarray(pixels, np.uint16), meanings))


def shift(x, y, source, target):
    return Move(np.array([[1.0, 0, x], [0, 1, y], [0, 0, 1]]), source, target)


def test_a_pixel_is_of_the_smallest_object_and_the_rest_is_none():
    label = label_of(masked([(0, (0, 0, 30, 30), False), (1, (10, 10, 20, 20), False)], None))
    assert [meant(label, *at) for at in ((5, 5), (15, 15), (5, 35))] == ["person", "cat", ALL]
    assert label.source.names == ("person", "cat")


def test_where_only_persons_are_masked_the_rest_is_anything_but_person():
    label = label_of(masked([(0, (0, 0, 10, 10), False), (1, (20, 20, 30, 30), False)], frozenset({0})))
    assert [meant(label, *at) for at in ((5, 5), (25, 25), (5, 35))] == ["person", {"person"}, {"person"}]
    assert label.source.segments() is None
    assert label.source.names == ("person",)


def test_no_person_in_a_picture_of_masked_persons_is_known_as_well():
    assert (label_of(masked([], frozenset({0}))).source.pixels() == 3).all()


def test_nothing_is_known_in_crowds_and_where_a_mask_is_missing():
    objects = [(0, (0, 0, 20, 20), True), (1, (5, 5, 10, 10), False), (2, (25, 0, 35, 10), False)]
    label = label_of(masked(objects, None, hidden=(2,)))
    assert [meant(label, *at) for at in ((2, 2), (7, 7), (5, 30), (25, 35))] == ["unknown", "cat", "unknown", ALL]
    segments = label.source.segments()
    assert [(one.name, one.crowd) for one in segments.segments] == [(None, False), ("person", True), ("cat", False)]
    assert segments.ids[5, 30] == 0


@pytest.mark.parametrize("complete", [frozenset(), "no masks"])
def test_without_complete_masks_there_is_no_map(complete):
    one = sample() if complete == "no masks" else masked([(0, (0, 0, 9, 9), False)], complete)
    assert label_of(one) is None


def test_moved_there_and_back():
    pixels = np.random.default_rng(0).integers(0, 3, (30, 40))
    label = in_memory(pixels)
    moved = label.moved(shift(7, -4, (30, 40), (50, 60)))
    there = moved.source.pixels()
    np.testing.assert_array_equal(there[:26, 7:47], pixels[4:])
    assert (there[26:] == UNKNOWN).all()
    assert (there[:, :7] == UNKNOWN).all()
    assert label.moved(shift(100, 0, (30, 40), (30, 40))) is None
    assert label.moved(shift(0, 0, (30, 40), (30, 40))) is label


@given(st.booleans(), st.booleans(), st.integers(1, 30), st.integers(1, 30))
def test_mirrored_is_the_picture_mirrored(left_right, up_down, height, width):
    pixels = np.arange(height * width).reshape(height, width)
    x, y = -1 if left_right else 1, -1 if up_down else 1
    turn = np.array([[x, 0, width * left_right], [0, y, height * up_down], [0, 0, 1.0]])
    moved = in_memory(pixels, tuple(map(str, range(900)))).moved(Move(turn, (height, width), (height, width)))
    np.testing.assert_array_equal(moved.source.pixels(), pixels[::y, ::x])


def test_made_larger_by_a_whole_factor():
    pixels = np.random.default_rng(0).integers(0, 3, (5, 6))
    moved = in_memory(pixels).moved(Move(np.diag([3.0, 3, 1]), (5, 6), (15, 18)))
    np.testing.assert_array_equal(moved.source.pixels(), pixels.repeat(3, 0).repeat(3, 1))


def test_joined_side_by_side_with_other_meanings():
    first = in_memory([[0, UNKNOWN], [UNKNOWN, UNKNOWN]], ("cat",))
    second = in_memory([[UNKNOWN, 0], [1, 2]], ("sky", "cat", frozenset({"cat"})))
    joined = MapLabels.joined([first, None, second], [1, 2, 0])
    names = [[meant(joined, y, x) for x in range(2)] for y in range(2)]
    assert names == [["cat", "sky"], ["cat", frozenset({"cat"})]]
    assert joined.kept(np.array([0])) is joined


def test_where_blended_pictures_disagree_nothing_is_known():
    joined = MapLabels.joined([in_memory([[0, 1, UNKNOWN]]), in_memory([[0, 2, 2]])], [0, 0])
    assert joined.source.pixels().tolist() == [[0, UNKNOWN, 2]]


@pytest.fixture
def folder(tmp_path):
    """images/train/a.png, 40 x 30."""
    (tmp_path / "images/train").mkdir(parents=True)
    Image.new("RGB", (40, 30)).save(tmp_path / "images/train/a.png")
    return tmp_path


def save_map(folder, pixels, mode="L"):
    path = folder / "maps/train/a.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    if mode == "P":
        image.putpalette([value for i in range(256) for value in (255 - i, i, 7)])
    image.save(path)
    return sample(folder / "images/train/a.png")


@pytest.mark.parametrize("mode", ["L", "P", "16"])
def test_png_maps_stand_beside_the_photographs(folder, mode):
    pixels = np.zeros((30, 40), np.uint16 if mode == "16" else np.uint8)
    pixels[:10], pixels[10:15], pixels[15:20] = 1, 255, 9
    one = save_map(folder, pixels, mode)
    (folder / "maps/classes.txt").write_text("other\ngrass\nsky\n")
    label = label_of(one)
    rows = [meant(label, y, 0) for y in (5, 12, 17, 25)]
    assert rows == ["grass", "unknown", "unknown", {"grass", "sky"}]
    assert label.source.names == ("grass", "sky")
    assert map_names([with_maps(dataset(one))]) == ("grass", "sky")


def test_without_names_the_numbers_are_the_datasets_classes(folder):
    label = label_of(save_map(folder, np.full((30, 40), 2, np.uint8)))
    assert meant(label, 0, 0) == "cat"
    assert label.source.meanings[0] == ALL


def test_without_a_folder_of_images(tmp_path):
    (tmp_path / "maps/train").mkdir(parents=True)
    Image.fromarray(np.ones((30, 40), np.uint8)).save(tmp_path / "maps/train/a.png")
    assert meant(label_of(sample(tmp_path / "train/a.jpg")), 0, 0) == "person"


def test_a_map_of_another_size_is_left_out_and_counted(folder):
    found = with_maps(dataset(save_map(folder, np.zeros((30, 41), np.uint8))))
    assert found.samples[0].label(MapLabels) is None
    assert [(fault.lost, "41 x 30" in fault.reason) for fault in found.faults] == [("label", True)]


def test_what_is_no_picture_is_left_out_and_colours_are_refused_by_name(folder):
    one = save_map(folder, np.zeros((30, 40), np.uint8))
    (folder / "maps/train/a.png").write_bytes(b"no picture")
    found = with_maps(dataset(one))
    assert found.samples[0].label(MapLabels) is None
    assert len(found.faults) == 1
    save_map(folder, np.zeros((30, 40, 3), np.uint8))
    with pytest.raises(ImageError, match="colours"):
        label_of(one).source.pixels()


@pytest.mark.parametrize("text", ["", "grass\ngrass\n", b"\xff\xfe\xfa"])
def test_names_that_cannot_be_used_are_an_error(folder, text):
    one = save_map(folder, np.zeros((30, 40), np.uint8))
    (folder / "maps/classes.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=r"classes\.txt"):
        with_maps(dataset(one))


def save_panoptic(folder, ids, segments, name="a.png"):
    rgb = np.stack([ids & 255, ids >> 8 & 255, ids >> 16], axis=2).astype(np.uint8)
    (folder / "annotations/panoptic_train").mkdir(parents=True)
    Image.fromarray(rgb).save(folder / "annotations/panoptic_train/a.png")
    content = {
        "images": [{"id": 0, "file_name": "a.jpg"}],
        "annotations": [{"image_id": 0, "file_name": name, "segments_info": segments}],
        "categories": [{"id": 1, "name": "person", "isthing": 1}, {"id": 90, "name": "grass", "isthing": 0}],
    }
    (folder / "annotations/panoptic_train.json").write_text(json.dumps(content))
    return dataset(sample(folder / "images/train/a.png"), root=folder)


def test_panoptic_files_tell_things_and_stuff(folder):
    ids = np.zeros((30, 40), np.int64)
    ids[:10], ids[10:20], ids[20:25] = 70000, 300, 5
    segments = [
        {"id": 70000, "category_id": 1},
        {"id": 300, "category_id": 1, "iscrowd": 1},
        {"id": 5, "category_id": 90},
    ]
    label = with_maps(save_panoptic(folder, ids, segments)).samples[0].label(MapLabels)
    assert [meant(label, y, 0) for y in (5, 15, 22, 28)] == ["person", "person", "grass", "unknown"]
    told = [(one.id, one.name, one.thing, one.crowd) for one in label.source.segments().segments]
    assert told == [(70000, "person", True, False), (300, "person", True, True), (5, "grass", False, False)]


def test_segments_that_cannot_be_used_are_counted_and_unknown(folder):
    ids = np.full((30, 40), 5)
    found = with_maps(save_panoptic(folder, ids, [{"id": 5, "category_id": 7}, 3, {"id": "x", "category_id": 1}]))
    assert (found.samples[0].label(MapLabels).source.pixels() == UNKNOWN).all()
    assert [fault.lost for fault in found.faults] == ["label"]
    assert "3 segments" in found.faults[0].reason


@pytest.mark.parametrize("name", ["gone.png", "../../images/train/a.png", 7])
def test_a_panoptic_map_that_is_missing_or_elsewhere_is_counted(folder, name):
    found = with_maps(save_panoptic(folder, np.zeros((30, 40), np.int64), [], name))
    assert found.samples[0].label(MapLabels) is None
    assert [fault.lost for fault in found.faults] == ["label"]


def test_files_come_before_masks_and_reading_again_changes_nothing(folder):
    one = save_map(folder, np.full((30, 40), 2, np.uint8))
    both = sample(one.path, labels=masked([(0, (0, 0, 9, 9), False)], None).labels)
    once = with_maps(dataset(both))
    assert not isinstance(once.samples[0].label(MapLabels).source, MaskMap)
    again = with_maps(once)
    assert again.faults == once.faults
    assert meant(again.samples[0].label(MapLabels), 0, 0) == "cat"


def test_the_real_photographs(data_root):
    """Everything masked, or every person: then there is a map, and only in the first case of all classes."""
    content = json.loads((data_root / "everyday/annotations/instances_dev.json").read_text())
    found = with_maps(read(data_root / "everyday", "dev"))
    labels = {one.id: label.source for one in found.samples if (label := one.label(MapLabels))}
    whole = {number for number, source in labels.items() if source.segments() is not None}
    assert whole == {image["id"] for image in content["images"] if image["mask_complete_all"]}
    assert set(labels) == whole | {image["id"] for image in content["images"] if image["mask_complete_person"]}
