"""The table of bad inputs: each row makes one, and says which error comes or which fault is counted and what is left.

An error row is (DataError, a telling word). A fault row is (a telling word, what was lost, photographs
and boxes left); without a word the input is odd but sound, and nothing may be said of it.
"""

import json
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pytest
from commands import run
from layouts import coco, coco_beside, coco_face, coco_text, photo, voc, voc_object, yolo
from PIL import Image

from tacit.data.read import read
from tacit.errors import DataError

GOOD = (8, 8, 20, 16)
NAN = float("nan")


@dataclass(frozen=True)
class Fault:
    word: str
    lost: str
    images: int
    boxes: int


def yolo_with(root, name, write):
    """A YOLO set of one sound photograph and one that `write` makes."""
    yolo(root)
    write(root / "images" / name)
    return root


def image_file(name, write):
    return lambda root: yolo_with(root, name, write)


def truncated(path):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def listed(root, line):
    yolo(root, config="names: [cat]\ntrain: list.txt\n")
    (root / "list.txt").write_text(f"images/a.png\n{line}\n")
    return root


def labels_as_bytes(root):
    yolo(root)
    photo(root / "images" / "b.png")
    (root / "labels" / "b.txt").write_bytes(b"\xff\xfe\x00")
    return root


def voc_beside(root, text):
    """A VOC set of one sound file and one with `text`."""
    voc(root, name="b", filename="b.png")
    (root / "Annotations" / "b.xml").write_text(text)
    return voc(root)


def voc_without_photograph(root):
    (voc(root, name="b", filename="none.png") / "JPEGImages" / "b.png").unlink()
    return voc(root)


def masked(root, segmentation):
    return coco(root, segmentation=segmentation)


def runs(counts, size=(48, 64)):
    return {"size": list(size), "counts": counts}


def captioned(root, *captions, image=7):
    annotations = [{"id": i, "image_id": image, "caption": caption} for i, caption in enumerate(captions)]
    return coco_beside(coco(root), "captions", annotations)


def posed(root, points, config="kpt_shape: [2, 3]"):
    return yolo(root, f"0 0.5 0.5 0.25 0.5 {points}", config=f"names: [cat]\ntrain: images\n{config}\n")


def faces(root, *names):
    """Keypoints of such names."""
    return coco_beside(coco(root), "person_keypoints", [], categories=[{"id": 3, "name": "cat", "keypoints": names}])


def broken_beside(root):
    coco_beside(coco(root), "captions", []).joinpath("annotations/captions.json").write_text("{")
    return root


LEFT = (1, 1, 2)
BOMB = (
    '<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>\n'
    "<annotation><filename>&b;</filename></annotation>"
)
OUTSIDE_FILE = (
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>\n<annotation><filename>&a;</filename></annotation>'
)
YAML_BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nnames: [*c, *c]\n"

ROWS = {
    # the file of a photograph
    "missing image": (lambda r: listed(r, "images/none.png"), Fault("is missing", "image", 1, 1)),
    "missing image in COCO": (lambda r: coco(r, image={"file_name": "none.png"}), (DataError, "is missing")),
    "missing image in VOC": (
        voc_without_photograph,
        Fault("is missing", "image", 1, 1),
    ),
    "truncated JPEG": (image_file("b.jpg", truncated), Fault("truncated", "image", 1, 1)),
    "empty image file": (image_file("b.jpg", lambda p: p.touch()), Fault("empty file", "image", 1, 1)),
    "text called .jpg": (image_file("b.jpg", lambda p: p.write_text("hello")), Fault("not a picture", "image", 1, 1)),
    "decompression bomb": (
        image_file("b.png", lambda p: Image.new("1", (20000, 20000)).save(p)),
        Fault("decompression bomb", "image", 1, 1),
    ),
    # unusual, but sound: nothing may be said or lost
    "grey": (image_file("b.jpg", lambda p: Image.new("L", (9, 9)).save(p)), Fault("", "", 2, 1)),
    "palette": (image_file("b.png", lambda p: Image.new("P", (9, 9)).save(p)), Fault("", "", 2, 1)),
    "CMYK": (image_file("b.jpg", lambda p: Image.new("CMYK", (9, 9)).save(p)), Fault("", "", 2, 1)),
    "16 bit": (image_file("b.png", lambda p: Image.new("I;16", (9, 9)).save(p)), Fault("", "", 2, 1)),
    "RGBA": (image_file("b.png", lambda p: Image.new("RGBA", (9, 9)).save(p)), Fault("", "", 2, 1)),
    # boxes
    "box outside": (lambda r: coco(r, [GOOD, (90, 90, 5, 5)]), Fault("lies outside", "label", 1, 1)),
    "box partly outside": (lambda r: coco(r, [(40, 8, 50, 16)]), Fault("clipped", "nothing", 1, 1)),
    "box outside by a hair": (lambda r: coco(r, [(40, 8, 24.5, 16)]), Fault("", "", 1, 1)),
    "box with a sliver inside": (lambda r: coco(r, [GOOD, (63.5, 8, 50, 16)]), Fault("lies outside", "label", 1, 1)),
    "box inverted": (lambda r: coco(r, [GOOD, (30, 8, -10, 9)]), Fault("is inverted", "label", 1, 1)),
    "box NaN": (lambda r: coco(r, [GOOD, (NAN, 8, 10, 9)]), Fault("no finite number", "label", 1, 1)),
    "box infinite": (lambda r: coco(r, [GOOD, (1, 8, float("inf"), 9)]), Fault("no finite number", "label", 1, 1)),
    "box of text": (lambda r: coco(r, [GOOD, ("1", 8, 10, 9)]), Fault("no finite number", "label", 1, 1)),
    "box of zero size": (lambda r: coco(r, [GOOD, (8, 8, 0, 9)]), Fault("no area", "label", 1, 1)),
    "box of three numbers": (lambda r: coco(r, [GOOD, (8, 8, 9)]), Fault("no bbox", "label", 1, 1)),
    "YOLO box outside": (lambda r: yolo(r, "0 0.5 0.5 0.2 0.2\n0 3 3 1 1"), Fault("lies outside", "label", 1, 1)),
    "YOLO box NaN": (lambda r: yolo(r, "0 nan 0.5 0.2 0.2\n"), Fault("no finite number", "label", 1, 0)),
    "YOLO box inverted": (lambda r: yolo(r, "0 0.5 0.5 -0.2 0.2\n"), Fault("is inverted", "label", 1, 0)),
    "VOC box inverted": (lambda r: voc(r, voc_object((28, 8, 8, 24))), Fault("is inverted", "label", 1, 0)),
    "VOC box of words": (lambda r: voc(r, voc_object(("a", 8, 8, 24))), Fault("no finite number", "label", 1, 0)),
    # labels
    "unknown class": (lambda r: coco(r, category_id=5), Fault("unknown class id 5", "label", 1, 0)),
    "class of an unhashable kind": (lambda r: coco(r, category_id=[]), Fault("unknown class id", "label", 1, 0)),
    "unknown YOLO class": (lambda r: yolo(r, "7 0.5 0.5 0.2 0.2"), Fault("unknown class id 7", "label", 1, 0)),
    "unlisted image": (lambda r: coco(r, image_id=8), Fault("does not list", "label", 1, 0)),
    "score of text": (lambda r: coco(r, score="high"), Fault("is no number", "label", 1, 0)),
    "object without a name": (
        lambda r: voc(r, voc_object(name="") + voc_object()),
        Fault("without a name", "label", 1, 1),
    ),
    "YOLO line of words": (lambda r: yolo(r, "a cat sat here\n"), Fault("is no label", "label", 1, 0)),
    "YOLO line too short": (lambda r: yolo(r, "0 0.5 0.5 0.2\n"), Fault("is no label", "label", 1, 0)),
    "empty label file": (lambda r: yolo(r, ""), Fault("", "", 1, 0)),
    "label file of odd bytes": (labels_as_bytes, Fault("cannot be read", "image", 1, 1)),
    "labels for another size": (
        lambda r: voc(voc(r), name="b", filename="b.png", size=(640, 480)),
        Fault("labels are for 640 x 480", "image", 1, 1),
    ),
    # masks: the box stays
    "polygon of two points": (lambda r: masked(r, [[1, 2, 3, 4]]), Fault("2 points, mask left out", "label", 1, 1)),
    "polygon of half a point": (lambda r: masked(r, [[1, 2, 3, 4, 5, 6, 7]]), Fault("3.5 points", "label", 1, 1)),
    "polygon of numbers": (lambda r: masked(r, [1, 2, 3, 4, 5, 6]), Fault("0 points", "label", 1, 1)),
    "polygon NaN": (lambda r: masked(r, [[1, 2, NAN, 4, 5, 6]]), Fault("no finite number", "label", 1, 1)),
    "polygon of endless numbers": (lambda r: masked(r, [[10**400] * 6]), Fault("no finite number", "label", 1, 1)),
    "polygon of text": (lambda r: masked(r, [["a"] * 6]), Fault("no finite number", "label", 1, 1)),
    "segmentation of text": (lambda r: masked(r, "cat"), Fault("neither polygons nor", "label", 1, 1)),
    "RLE of another size": (lambda r: masked(r, runs([3072], (64, 48))), Fault("for 48 x 64, not", "label", 1, 1)),
    "RLE without a size": (lambda r: masked(r, {"counts": [1]}), Fault("for no size", "label", 1, 1)),
    "RLE of gigabytes": (lambda r: masked(r, runs([10**12], (10**6, 10**6))), Fault("not for 64 x", "label", 1, 1)),
    "RLE that does not add up": (lambda r: masked(r, runs([8, 9])), Fault("do not add up", "label", 1, 1)),
    "RLE whose counts are huge": (lambda r: masked(r, runs([10**30, 9])), Fault("neither numbers", "label", 1, 1)),
    "RLE of negative counts": (lambda r: masked(r, runs([3073, -1])), Fault("neither numbers", "label", 1, 1)),
    "RLE of letters without end": (lambda r: masked(r, runs("o" * 99)), Fault("neither numbers", "label", 1, 1)),
    "RLE of a huge letter count": (lambda r: masked(r, runs("o" * 99 + "0")), Fault("do not add up", "label", 1, 1)),
    "RLE of odd letters": (lambda r: masked(r, runs("é\0 ")), Fault("neither numbers", "label", 1, 1)),
    "RLE of nothing": (lambda r: masked(r, runs([3072])), Fault("no pixel", "label", 1, 1)),
    # keypoints: the box stays, and so do the points that are sound
    "keypoint outside": (lambda r: coco_face(r, (90, 9, 2, *LEFT * 2)), Fault("1 of 3 keypoints lie", "label", 1, 1)),
    "keypoint outside by a hair": (lambda r: coco_face(r, (64.5, 9, 2, *LEFT * 2)), Fault("", "", 1, 1)),
    "too few keypoints": (lambda r: coco_face(r, LEFT * 2), Fault("6 numbers for 3 keypoints", "label", 1, 1)),
    "keypoints of text": (lambda r: coco_face(r, keypoints="nose"), Fault("0 numbers for 3", "label", 1, 1)),
    "keypoint NaN": (lambda r: coco_face(r, (NAN, 9, 2, *LEFT * 2)), Fault("no finite number", "label", 1, 1)),
    "keypoint half visible": (lambda r: coco_face(r, (9, 9, 0.5, *LEFT * 2)), Fault("visibility", "label", 1, 1)),
    "keypoints of nobody": (lambda r: coco_face(r, id=9, bbox=[1, 1, 2, 2]), Fault("no such object", "label", 1, 1)),
    "keypoints of an unlisted image": (lambda r: coco_face(r, image_id=9), Fault("no such object", "label", 1, 1)),
    "keypoints of one name": (lambda r: faces(r, "ear", "ear"), Fault("no list of names", "label", 1, 1)),
    "keypoints of numbers": (lambda r: faces(r, 1, 2), Fault("no list of names", "label", 1, 1)),
    "YOLO keypoint outside": (lambda r: posed(r, "0.5 0.5 2 7 0.5 2"), Fault("1 of 2 keypoints", "label", 1, 1)),
    "YOLO keypoints too many": (lambda r: posed(r, "0.5 0.5 2 " * 3), Fault("9 numbers for 2", "label", 1, 1)),
    "YOLO keypoint NaN": (lambda r: posed(r, "nan 0.5 2 0 0 0"), Fault("no finite number", "label", 1, 1)),
    "YAML of endless keypoints": (
        lambda r: posed(r, "", "kpt_shape: [999999999999, 3]"),
        (DataError, "no sound kpt_shape"),
    ),
    "YAML of keypoints in words": (lambda r: posed(r, "", "kpt_shape: many"), (DataError, "no sound kpt_shape")),
    "YAML whose mirror is none": (
        lambda r: posed(r, "", "kpt_shape: [2, 3]\nflip_idx: [1, 1]"),
        (DataError, "no sound flip_idx"),
    ),
    # captions
    "empty caption": (lambda r: captioned(r, "A cat.", " \n "), Fault("the caption is empty", "label", 1, 1)),
    "caption that is no text": (lambda r: captioned(r, "A cat.", 7), Fault("is no text", "label", 1, 1)),
    "caption of an unknown image": (lambda r: captioned(r, "A cat.", image=9), Fault("names image 9", "label", 1, 1)),
    "captions that are no JSON": (broken_beside, Fault("captions.json:1: is no JSON", "label", 1, 1)),
    # names that lead elsewhere
    "traversal": (lambda r: coco(r, image={"file_name": "../../etc/passwd"}), (DataError, "leads out")),
    "absolute path": (lambda r: coco(r, image={"file_name": "/etc/passwd"}), (DataError, "leads out")),
    "traversal in VOC": (
        lambda r: voc(voc(r), name="b", filename="../../../etc/passwd"),
        Fault("leads out", "image", 1, 1),
    ),
    "name of 5,000 letters": (lambda r: coco(r, image={"file_name": "a" * 5000}), (DataError, "is missing")),
    "name with a null byte": (lambda r: coco(r, image={"file_name": "a\0.png"}), (DataError, "is missing")),
    "YOLO line of 5,000 letters": (lambda r: listed(r, "a" * 5000), Fault("is missing", "image", 1, 1)),
    # label files as a whole
    "empty JSON": (lambda r: coco_text(r, ""), (DataError, "is empty")),
    "broken JSON": (lambda r: coco_text(r, '{"images": [\n{]}'), (DataError, "json:2 is no JSON")),
    "JSON without end": (lambda r: coco_text(r, "[" * 100_000), (DataError, "is no sound JSON")),
    "JSON of no images": (
        lambda r: coco_text(r, '{"images": [], "annotations": [], "categories": [{"id": 1, "name": "a"}]}'),
        (DataError, "lists no images"),
    ),
    "JSON list": (lambda r: coco_text(r, "[]"), (DataError, "has no list 'images'")),
    "JSON without categories": (
        lambda r: coco_text(r, '{"images": [{}], "annotations": [], "categories": []}'),
        (DataError, "no categories"),
    ),
    "broken XML": (lambda r: voc_beside(r, "<annotation>\n<size></annotation>"), Fault("no XML", "image", 1, 1)),
    "empty XML": (lambda r: voc_beside(r, ""), Fault("no XML", "image", 1, 1)),
    "XML entity bomb": (lambda r: voc_beside(r, BOMB), Fault("document type", "image", 1, 1)),
    "XML with an outside file": (lambda r: voc_beside(r, OUTSIDE_FILE), Fault("document type", "image", 1, 1)),
    "broken YAML": (lambda r: yolo(r, config="names: [cat\ntrain: x\n"), (DataError, "yaml:2 is no YAML")),
    "YAML without names": (lambda r: yolo(r, config="train: images\nnc: 1\n"), (DataError, "has no names")),
    "YAML whose counts differ": (lambda r: yolo(r, config="names: [cat]\nnc: 4\n"), (DataError, "nc: 4")),
    "YAML bomb": (lambda r: yolo(r, config=YAML_BOMB), (DataError, "nests a list")),
    "YAML that names no folder": (
        lambda r: yolo(r, config="names: [cat]\ntrain: nowhere\n"),
        (DataError, "'nowhere', which is not there"),
    ),
    "unknown folder": (lambda r: photo(r / "holiday.png").parent, (DataError, "no dataset that Tacit knows")),
    "no such folder": (lambda r: r / "none", (DataError, "is not there")),
}


@pytest.mark.parametrize(("make", "outcome"), ROWS.values(), ids=ROWS.keys())
def test_bad_input(tmp_path, make, outcome):
    path = make(tmp_path)
    if isinstance(outcome, tuple):
        error, word = outcome
        with pytest.raises(error) as caught:
            read(path, verify=True)
        assert word in str(caught.value)
        assert caught.value.fix
        return
    dataset = read(path, verify=True)
    assert [fault.lost for fault in dataset.faults] == ([outcome.lost] if outcome.word else [])
    assert all(outcome.word in str(fault) for fault in dataset.faults)
    assert len(dataset.samples) == outcome.images
    assert sum(len(sample.boxes) for sample in dataset.samples) == outcome.boxes


@pytest.mark.parametrize(("make", "outcome"), ROWS.values(), ids=ROWS.keys())
def test_bad_input_on_the_command_line(tmp_path, make, outcome, capsys):
    path = make(tmp_path)
    code = run("data", path, "--output", tmp_path / "out")
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    if isinstance(outcome, tuple):
        assert code == 2
        assert said.err.startswith("error: ")
        assert outcome[1] in said.err
        return
    assert code == (1 if outcome.lost in {"image", "label"} else 0)
    assert outcome.word in said.err
    assert said.err.startswith({"": "", "nothing": "note: "}.get(outcome.lost, "left out: "))


# Where the box [8, 8, 28, 24] of the stored 64 x 48 file stands in the picture as shown.
TURNED = {
    2: [36, 8, 56, 24],
    3: [36, 24, 56, 40],
    4: [8, 24, 28, 40],
    5: [8, 8, 24, 28],
    6: [24, 8, 40, 28],
    7: [24, 36, 40, 56],
    8: [8, 36, 24, 56],
}


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
@pytest.mark.parametrize("write", [lambda r: coco(r), lambda r: voc(r)], ids=["COCO", "VOC"])
def test_labels_for_the_unturned_file_are_turned_and_noted(tmp_path, write, orientation):
    for folder in ("images", "JPEGImages"):
        photo(tmp_path / folder / "a.png", orientation=orientation)
    dataset = read(write(tmp_path))
    assert (dataset.samples[0].width, dataset.samples[0].height) == (48, 64)
    assert dataset.samples[0].boxes.tolist() == [TURNED[orientation]]
    assert [f"orientation {orientation}" in fault.reason for fault in dataset.faults] == [True]


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_labels_for_the_picture_as_shown_stay_and_need_no_note(tmp_path, orientation):
    photo(tmp_path / "images" / "a.png", orientation=orientation)
    dataset = read(coco(tmp_path, image={"width": 48, "height": 64}))
    assert dataset.samples[0].boxes.tolist() == [[8, 8, 28, 24]]
    assert dataset.faults == ()


@pytest.mark.parametrize("orientation", [1, 2, 3, 4])
def test_where_the_size_cannot_tell_labels_stay_and_the_doubt_is_noted(tmp_path, orientation):
    photo(tmp_path / "images" / "a.png", orientation=orientation)
    dataset = read(coco(tmp_path))
    assert dataset.samples[0].boxes.tolist() == [[8, 8, 28, 24]]
    assert ["taken for the image as shown" in fault.reason for fault in dataset.faults] == [True] * (orientation > 1)


def paths(content, path=()):
    """Where every value of a JSON document stands."""
    yield path
    children = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in children:
        yield from paths(value, (*path, key))


def replaced(content, path, value):
    """A copy of a document with another value at one place."""
    if not path:
        return value
    copied = content.copy()
    copied[path[0]] = replaced(content[path[0]], path[1:], value)
    return copied


@pytest.mark.parametrize("kind", ["instances", "person_keypoints", "captions"])
@pytest.mark.parametrize("odd", [None, "x", [], [[]], {}, {"id": 7}, -1, 2**70, NAN, True], ids=str)
def test_no_value_anywhere_in_a_coco_file_breaks_the_reader(tmp_path, kind, odd):
    coco_face(tmp_path)
    coco_beside(tmp_path, "captions", [{"id": 1, "image_id": 7, "caption": "A cat."}])
    flags = {"image": {"mask_complete_all": False, "mask_complete_cat": True}}
    runs_of_all = runs([8, 3064])
    coco(tmp_path, [GOOD, GOOD], segmentation=runs_of_all if odd in (None, True) else [[1, 2, 9, 9, 5, 6]], **flags)
    file = tmp_path / "annotations" / f"{kind}.json"
    content = json.loads(file.read_text())
    for path in paths(content):
        file.write_text(json.dumps(replaced(content, path, odd)))
        with suppress(DataError):
            assert len(read(tmp_path).samples) == 1
