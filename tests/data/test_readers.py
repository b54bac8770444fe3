"""The readers: what each layout says arrives as it was meant, and splits are found."""

import json
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layouts import FACE, HEIGHT, WIDTH, coco, coco_beside, coco_face, coco_text, photo, voc, voc_object, yolo

from tacit.data.captions import CaptionLabels
from tacit.data.figure import PERSON
from tacit.data.images import Header
from tacit.data.intake import BoxLabel, Intake
from tacit.data.json_lines import JsonFile
from tacit.data.keypoints import KeypointLabels
from tacit.data.masks import MaskLabels
from tacit.data.read import available_splits, read, require_clean, training_splits, verify_images
from tacit.data.report import describe
from tacit.data.turns import turn, turned
from tacit.data.xml_lines import load_xml
from tacit.errors import DataError


def only(dataset):
    (sample,) = dataset.samples
    return sample


def test_coco_values(tmp_path):
    dataset = read(coco(tmp_path, boxes=[(8, 8, 20, 16), (0, 0, 64, 48)], iscrowd=1, area=99.5))
    sample = only(dataset)
    assert (dataset.kind, dataset.split, dataset.classes) == ("COCO", "all", ("cat", "dog"))
    assert dataset.category_ids == (3, 9)
    assert sample.boxes.tolist() == [[8, 8, 28, 24], [0, 0, 64, 48]]
    assert sample.classes.tolist() == [0, 0]
    assert sample.crowd.all()
    assert sample.area.tolist() == [99.5, 99.5]
    assert (sample.id, sample.width, sample.height) == (7, WIDTH, HEIGHT)
    assert dataset.faults == ()


def test_coco_area_is_the_boxes_when_the_file_has_none(tmp_path):
    assert only(read(coco(tmp_path))).area.tolist() == [320]


@pytest.mark.parametrize(("score", "kept"), [(0.49, 0), (0.5, 1), (None, 1)])
def test_coco_scores_under_the_least_are_left_out_without_a_fault(tmp_path, score, kept):
    dataset = read(coco(tmp_path, score=score), min_score=0.5)
    assert len(only(dataset).boxes) == kept
    assert dataset.faults == ()


SQUARE = [8, 8, 28, 8, 28, 24, 8, 24]


def mask_of(root, label=MaskLabels):
    return only(read(root)).label(label)


def test_coco_polygons_and_run_lengths_are_masks(tmp_path):
    polygon = mask_of(coco(tmp_path / "polygon", segmentation=[SQUARE, [0, 0, 4, 0, 4, 4]]))
    runs = {"size": [48, 64], "counts": [8 * 48 + 8, *[16, 32] * 19, 16, 36 * 48 + 24]}
    drawn = mask_of(coco(tmp_path / "runs", segmentation=runs))
    expected = np.zeros((1, HEIGHT, WIDTH), bool)
    expected[0, 8:24, 8:28] = True
    assert (drawn.raster(HEIGHT, WIDTH) == expected).all()
    assert (polygon.raster(HEIGHT, WIDTH)[:, 5:] == expected[:, 5:]).all()
    assert polygon.raster(HEIGHT, WIDTH)[0, 0, 2]
    assert (polygon.sources, drawn.sources) == (([SQUARE, [0, 0, 4, 0, 4, 4]],), (runs,))
    assert polygon.complete is drawn.complete is None


@pytest.mark.parametrize(
    ("flags", "masked", "complete"),
    [
        ({}, True, None),
        ({}, False, "no label"),
        ({"mask_complete_all": False, "mask_complete_cat": False}, True, set()),
        ({"mask_complete_all": True}, True, None),
        ({"mask_complete_all": True}, False, {1}),  # the cat lacks its mask, whatever the flag says
        ({"mask_complete_all": False, "mask_complete_cat": True}, True, {0}),
        ({"mask_complete_all": False, "mask_complete_dog": True}, False, {1}),
    ],
)
def test_of_which_classes_coco_masks_are_complete(tmp_path, flags, masked, complete):
    found = mask_of(coco(tmp_path, image=flags, segmentation=[SQUARE] if masked else []))
    assert (found.complete if found else "no label") == complete


def test_images_without_objects_are_complete_only_where_the_file_has_masks(tmp_path):
    for name, segmentation in (("with", [SQUARE]), ("without", [])):
        file = coco(tmp_path / name, segmentation=segmentation) / "annotations" / "instances.json"
        content = json.loads(file.read_text())
        photo(tmp_path / name / "images" / "b.png")
        content["images"].append({"id": 8, "file_name": "b.png"})
        file.write_text(json.dumps(content))
    assert read(tmp_path / "with").samples[1].label(MaskLabels).complete is None
    assert read(tmp_path / "without").samples[1].label(MaskLabels) is None


def test_masks_follow_the_boxes_that_stay(tmp_path):
    root = coco(tmp_path, boxes=[(99, 99, 5, 5), (8, 8, 20, 16)], segmentation=[SQUARE])
    assert len(mask_of(root).outlines) == len(only(read(root)).boxes) == 1


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_masks_and_keypoints_turn_with_their_boxes(tmp_path, orientation):
    photo(tmp_path / "images" / "a.png", orientation=orientation)
    categories = [{"id": 3, "name": "cat", "keypoints": ["nose"]}]
    pose = {"segmentation": [SQUARE], "keypoints": [8, 8, 2], "bbox": [8, 8, 20, 16]}
    label = {"id": 1, "image_id": 7, "category_id": 3} | pose
    image = {"id": 7, "file_name": "a.png", "width": WIDTH, "height": HEIGHT}
    sample = only(read(coco_beside(tmp_path, "instances", [label], [image], categories)))
    x0, y0, x1, y1 = sample.boxes[0].astype(int).tolist()
    drawn = sample.label(MaskLabels).raster(sample.height, sample.width)[0]
    assert drawn[y0:y1, x0:x1].all()
    assert drawn.sum() == (x1 - x0) * (y1 - y0)
    assert sample.label(MaskLabels).sources == ()
    x, y = sample.label(KeypointLabels).points[0, 0].tolist()
    assert x in {x0, x1}
    assert y in {y0, y1}


def test_coco_keypoints_beside_the_instances(tmp_path):
    found = mask_of(coco_face(tmp_path), KeypointLabels)
    assert found.names == ("nose", "left_ear", "right_ear")
    assert found.skeleton == ((0, 1), (0, 2))  # the bond of a point that is not there is passed over
    assert found.points.tolist() == [[[9, 9], [10, 10], [0, 0]]]
    assert found.visible.tolist() == [[2, 1, 0]]
    assert found.known.tolist() == [True]


@pytest.mark.parametrize(
    ("changes", "known", "faults"),
    [
        ({"points": [0] * 9}, True, 0),  # nothing of it could be labelled, which is known
        ({"id": 55}, True, 0),  # the box is the same
        ({"id": 55, "bbox": [1, 1, 2, 2]}, False, 1),
        ({"category_id": 9}, False, 0),  # dogs have none
        ({"keypoints": []}, False, 0),
    ],
)
def test_which_objects_have_keypoints(tmp_path, changes, known, faults):
    dataset = read(coco_face(tmp_path, **changes))
    found = only(dataset).label(KeypointLabels)
    assert (found is not None and bool(found.known[0])) == known
    assert len(dataset.faults) == faults


def test_coco_keypoints_alone_and_in_the_instances(tmp_path):
    for kind in ("instances", "person_keypoints"):
        label = {"id": 1, "image_id": 7, "category_id": 3, "bbox": [8, 8, 20, 16], "keypoints": [9, 9, 2] * 3}
        dataset = read(coco_beside(tmp_path / kind, kind, [label], categories=FACE, split="train"), "all")
        assert only(dataset).label(KeypointLabels).visible.tolist() == [[2, 2, 2]]
        assert dataset.classes == ("cat",)
        assert only(dataset).boxed


def test_coco_captions_beside_and_alone(tmp_path):
    captions = [{"id": i, "image_id": 7, "caption": f" A cat\n sits {i}. "} for i in range(2)]
    for made in (coco(tmp_path / "beside", split="train"), tmp_path / "alone"):
        dataset = read(coco_beside(made, "captions", captions, split="train"), "all")
        assert only(dataset).label(CaptionLabels).captions == ("A cat sits 0.", "A cat sits 1.")
        assert only(dataset).boxed == (made.name == "beside")
        assert dataset.classes == (("cat", "dog") if made.name == "beside" else ())
        assert dataset.faults == ()


def test_labels_of_images_that_only_the_other_file_lists_are_passed_over(tmp_path):
    images = [{"id": 7}, {"id": 8}]
    captions = [{"image_id": 8, "caption": "Elsewhere."}]
    poses = [{"id": 4, "image_id": 8, "category_id": 3, "keypoints": [9, 9, 2] * 3}]
    coco_beside(coco_beside(coco(tmp_path), "captions", captions, images), "person_keypoints", poses, images, FACE)
    assert read(tmp_path).faults == ()


@pytest.mark.parametrize("folder", ["images/train", "train", "images", "annotations", "."])
def test_coco_photographs_are_found(tmp_path, folder):
    photo(tmp_path / folder / "a.png")
    coco(tmp_path, split="train")
    assert only(read(tmp_path)).path.samefile(tmp_path / folder / "a.png")


def test_coco_splits(tmp_path):
    for split in ("train2017", "val2017"):
        photo(tmp_path / split / "a.png")
        coco(tmp_path, split=split)
    (tmp_path / "annotations/captions_train2017.json").write_text('{"images": [], "annotations": []}')
    assert available_splits(tmp_path) == ("train2017", "val2017")
    assert training_splits(tmp_path) == ("train2017", "val2017")
    assert read(tmp_path, "val2017").split == "val2017"
    assert read(tmp_path / "annotations" / "instances_val2017.json").split == "val2017"


def test_coco_file_among_its_photographs(tmp_path):
    for split in ("train", "valid"):
        coco(tmp_path / "made" / split)
        photo(tmp_path / "set" / split / "a.png")
        text = (tmp_path / "made" / split / "annotations/instances.json").read_text()
        (tmp_path / "set" / split / "_annotations.coco.json").write_text(text)
    assert training_splits(tmp_path / "set") == ("train", "valid")
    assert len(read(tmp_path / "set", "valid").samples) == 1


@pytest.mark.parametrize("kind", ["COCO", "YOLO list", "YOLO numbers"])
def test_two_classes_of_one_name_are_refused(tmp_path, kind):
    """Boxes of both would be trained as the first and scored as the last."""
    if kind == "COCO":
        file = coco(tmp_path) / "annotations/instances.json"
        file.write_text(file.read_text().replace('"dog"', '"cat"'))
    else:
        names = "[cat, dog, cat]" if kind == "YOLO list" else "{0: cat, 5: cat}"
        yolo(tmp_path, config=f"names: {names}\ntrain: images\n")
    with pytest.raises(DataError, match=r"names 2 classes 'cat'.*merge the classes (3, 9|0, 2|0, 5)\."):
        read(tmp_path)


def test_json_places_are_lines(tmp_path):
    file = tmp_path / "a.json"
    file.write_text('{"info": {"a": [1, "]"]},\n"images": [\n{"id": 1}, {"id": 2},\n\n{"id": "\\n"}], "empty": []}')
    assert [JsonFile(file).place("images", i).rsplit(":", 1)[1] for i in range(3)] == ["3", "3", "5"]
    assert JsonFile(file).place("annotations", 0) == str(file)


def test_fault_of_an_annotation_names_its_line(tmp_path):
    coco_text(tmp_path, (coco(tmp_path).joinpath("annotations/instances.json")).read_text())
    file = tmp_path / "annotations/instances.json"
    content = json.loads(file.read_text())
    content["annotations"][0]["category_id"] = 1
    file.write_text(json.dumps(content, indent=1))
    number = next(i for i, line in enumerate(file.read_text().splitlines(), 1) if '"annotations"' in line) + 1
    assert read(tmp_path).faults[0].where == f"{file}:{number}"


def test_yolo_values(tmp_path):
    dataset = read(yolo(tmp_path, "1 0.5 0.5 0.25 0.5\n\n0 0 0 0.5 0 0.5 0.25\n0 0.5 0.5 1 1 0.3\n"), min_score=0.5)
    sample = only(dataset)
    assert (dataset.kind, dataset.classes, dataset.category_ids) == ("YOLO", ("cat", "dog"), (0, 1))
    assert sample.boxes.tolist() == [[24, 12, 40, 36], [0, 0, 32, 12]]  # the second is a polygon; 0.3 is a score
    assert sample.classes.tolist() == [1, 0]
    assert dataset.faults == ()


def test_yolo_names_may_leave_gaps_and_sound_like_booleans(tmp_path):
    dataset = read(yolo(tmp_path, "5 0.5 0.5 0.25 0.5", "names: {5: no, 0: cat}\n"))
    assert (dataset.classes, dataset.category_ids) == (("cat", "no"), (0, 5))
    assert only(dataset).classes.tolist() == [1]


def test_yolo_polygons_are_masks(tmp_path):
    photo(tmp_path / "images" / "b.png")
    dataset = read(yolo(tmp_path, "0 0 0 0.5 0 0.5 0.25 0 0.25\n1 0.5 0.5 0.25 0.5\n"))
    mixed, empty = (sample.label(MaskLabels) for sample in dataset.samples)
    assert mixed.rows.tolist() == [0]
    assert mixed.raster(HEIGHT, WIDTH).sum() == 32 * 12
    assert mixed.complete == {0}  # of the dogs one has no mask
    assert mixed.sources == ([[0, 0, 32, 0, 32, 12, 0, 12]], None)
    assert empty.complete is None


def test_yolo_boxes_alone_say_nothing_of_masks(tmp_path):
    photo(tmp_path / "images" / "b.png")
    assert [dict(sample.labels) for sample in read(yolo(tmp_path)).samples] == [{}, {}]


@pytest.mark.parametrize(
    ("shape", "points", "visible"), [("[2, 3]", "0.25 0.5 1 0.5 0.5 2", [1, 2]), ("[2, 2]", "0.25 0.5 0 0", [2, 0])]
)
def test_yolo_keypoints_behind_the_box(tmp_path, shape, points, visible):
    config = f"names: [cat]\nkpt_shape: {shape}\nflip_idx: [1, 0]\ntrain: images\n"
    dataset = read(yolo(tmp_path, f"0 0.5 0.5 0.25 0.5 {points}\n0 0.5 0.5 0.25 0.5\n", config))
    found = only(dataset).label(KeypointLabels)
    assert only(dataset).boxes.tolist() == [[24, 12, 40, 36]] * 2
    assert found.points[0].tolist() == [[16, 24], [32, 24] if visible[1] else [0, 0]]
    assert found.visible.tolist() == [visible, [0, 0]]
    assert found.known.tolist() == [True, False]
    assert found.pairs == ((0, 1),)
    assert dataset.faults == ()


def test_yolo_points_of_a_person_have_their_names(tmp_path):
    flip = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
    config = f"names: [person]\nkpt_shape: [17, 3]\nflip_idx: {flip}\ntrain: images\n"
    found = only(read(yolo(tmp_path, "", config))).label(KeypointLabels)
    assert (found.names, found.skeleton) == (PERSON.names, PERSON.skeleton)


@pytest.mark.parametrize("entry", ["images", "../images", "list.txt", "[images]", "images/a.png"])
def test_yolo_split_as_folder_list_or_list_of_folders(tmp_path, entry):
    yolo(tmp_path, config=f"path: .\nnames: [cat]\ntrain: {entry}\nval: {entry}\ntest: ../none\n")
    (tmp_path / "list.txt").write_text("./images/a.png\n")
    assert available_splits(tmp_path) == ("train", "val")
    assert training_splits(tmp_path / "data.yaml") == ("train", "val")
    assert len(only(read(tmp_path, "val")).boxes) == 1


def test_yolo_folder_without_paths_in_its_yaml(tmp_path):
    root = yolo(tmp_path, config="names: [cat]\n")
    assert available_splits(root) == ("all",)
    for split in ("train", "val"):
        photo(root / "images" / split / "b.png")
    assert available_splits(root) == ("train", "val")


def test_yolo_photograph_without_labels_is_a_background(tmp_path):
    photo(tmp_path / "images" / "b.png")
    dataset = read(yolo(tmp_path))
    assert [len(sample.boxes) for sample in dataset.samples] == [1, 0]
    assert dataset.faults == ()


def test_yolo_labels_of_a_turned_photograph_are_for_the_picture_as_shown(tmp_path):
    photo(tmp_path / "images" / "a.png", orientation=6)
    dataset = read(yolo(tmp_path))
    assert only(dataset).boxes.tolist() == [[18, 16, 30, 48]]  # of 48 x 64
    assert "orientation 6" in dataset.faults[0].reason


def test_yolo_labels_without_a_photograph_are_noted(tmp_path):
    yolo(tmp_path)
    (tmp_path / "labels" / "ghost.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    (tmp_path / "labels" / "classes.txt").write_text("cat\n")
    (fault,) = read(tmp_path).faults
    assert fault.where.endswith("ghost.txt")
    assert fault.lost == "label"


@pytest.mark.parametrize("entries", ["[images, images/more]", "[images/more, images]", "[images, images]"])
def test_yolo_overlapping_folders_count_once(tmp_path, entries):
    photo(tmp_path / "images" / "more" / "b.png")
    yolo(tmp_path, config=f"names: [cat]\ntrain: {entries}\n")
    (tmp_path / "labels" / "more").mkdir()
    (tmp_path / "labels" / "more" / "ghost.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    dataset = read(tmp_path)
    repeats = [fault for fault in dataset.faults if "already" in fault.reason]
    assert sorted(sample.path.name for sample in dataset.samples) == ["a.png", "b.png"]
    assert [sample.id for sample in dataset.samples] == [1, 2]
    assert {fault.lost for fault in repeats} == {"nothing"}
    assert sum("has no photograph" in fault.reason for fault in dataset.faults) == 1
    assert len(dataset.faults) == len(repeats) + 1


def test_yolo_repeated_lines_count_once(tmp_path):
    yolo(tmp_path, config="names: [cat]\ntrain: list.txt\n")
    (tmp_path / "list.txt").write_text(f"images/a.png\n./images/a.png\n{tmp_path}/labels/../images/a.png\n")
    dataset = read(tmp_path)
    assert len(only(dataset).boxes) == 1
    assert [fault.where for fault in dataset.faults] == [f"{tmp_path}/list.txt:2", f"{tmp_path}/list.txt:3"]


@pytest.mark.parametrize("line", ["0 0.5 0.5 0.2 0.2 nan", "0 0.5 0.5 0.2 0.2 inf", "0 0.1 0.1 nan 0.5 0.5 0.5"])
def test_yolo_scores_and_corners_that_are_no_numbers_are_faults(tmp_path, line):
    dataset = read(yolo(tmp_path, f"{line}\n0 0.5 0.5 0.25 0.5\n"))
    assert only(dataset).boxes.tolist() == [[24, 12, 40, 36]]
    assert [(fault.where, fault.lost) for fault in dataset.faults] == [(f"{tmp_path}/labels/a.txt:1", "label")]


boxes = st.tuples(st.integers(0, 60), st.integers(0, 44), st.integers(1, 64), st.integers(1, 48)).map(
    lambda b: (b[0], b[1], min(b[0] + b[2], WIDTH), min(b[1] + b[3], HEIGHT))
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(boxes, st.integers(0, 1)), max_size=6))
def test_yolo_round_trip(tmp_path_factory, labels):
    lines = [
        f"{c} {(x0 + x1) / 2 / WIDTH:.6f} {(y0 + y1) / 2 / HEIGHT:.6f} {(x1 - x0) / WIDTH:.6f} {(y1 - y0) / HEIGHT:.6f}"
        for (x0, y0, x1, y1), c in labels
    ]
    dataset = read(yolo(tmp_path_factory.mktemp("set"), "\n".join(lines)))
    sample = only(dataset)
    assert np.allclose(sample.boxes, np.array([box for box, _ in labels]).reshape(-1, 4), atol=1e-4)
    assert sample.classes.tolist() == [c for _, c in labels]
    assert dataset.faults == ()


def test_voc_values(tmp_path):
    voc(tmp_path, voc_object(name="dog") + voc_object((0, 0, 64, 48)))
    dataset = read(tmp_path)
    sample = only(dataset)
    assert (dataset.kind, dataset.split, dataset.classes) == ("VOC", "all", ("cat", "dog"))
    assert sample.boxes.tolist() == [[8, 8, 28, 24], [0, 0, 64, 48]]
    assert sample.classes.tolist() == [1, 0]
    assert dataset.faults == ()


def test_voc_of_pascal_counts_pixels_from_one(tmp_path):
    source = "<source><database>The VOC2007 Database</database></source>"
    assert only(read(voc(tmp_path, source + voc_object((1, 1, 64, 48))))).boxes.tolist() == [[0, 0, 64, 48]]


def test_voc_image_sets_share_their_classes(tmp_path):
    voc(tmp_path, voc_object(name="dog"), "a")
    voc(tmp_path, voc_object(name="cat"), "b", "b.png")
    sets = tmp_path / "ImageSets" / "Main"
    sets.mkdir(parents=True)
    (sets / "train.txt").write_text("a\n")
    (sets / "val.txt").write_text("b\n")
    (sets / "cat_train.txt").write_text("a -1\n")
    assert available_splits(tmp_path) == ("train", "val")
    assert read(tmp_path, "train").classes == read(tmp_path, "val").classes == ("cat", "dog")
    assert only(read(tmp_path, "val")).path.name == "b.png"


def test_voc_photograph_without_labels_is_a_background(tmp_path):
    photo(tmp_path / "JPEGImages" / "z.png")
    assert [len(sample.boxes) for sample in read(voc(tmp_path)).samples] == [1, 0]


def test_voc_repeated_names_count_once(tmp_path):
    photo(tmp_path / "JPEGImages" / "z.png")
    sets = tmp_path / "ImageSets" / "Main"
    sets.mkdir(parents=True)
    (sets / "train.txt").write_text("a\nz\na\nz\n")
    dataset = read(voc(tmp_path), "all")
    assert [sample.path.name for sample in dataset.samples] == ["a.png", "z.png"]
    assert [fault.where for fault in dataset.faults] == [f"{sets}/train.txt:3", f"{sets}/train.txt:4"]
    assert {fault.lost for fault in dataset.faults} == {"nothing"}


def test_xml_text_of_many_lines_takes_no_square_of_time(tmp_path):
    """Adding line by line to a growing text takes five times the limit."""
    text = "x\n" * 300_000
    file = tmp_path / "a.xml"
    file.write_text(f"<a>before<b>{text}</b>after</a>")
    started = time.process_time()
    root = load_xml(file)
    assert time.process_time() - started < 2
    assert (root.text, root.children[0].text) == ("beforeafter", text)


def test_one_photograph_is_not_labelled_twice(tmp_path):
    voc(tmp_path)
    dataset = read(voc(tmp_path, name="b", filename="a.png"))
    assert len(dataset.samples) == 1
    assert "already labelled by a.xml" in dataset.faults[0].reason


def many(root, count=10):
    for i in range(count):
        voc(root, name=f"p{i}", filename=f"p{i}.png")
    return root


def test_hold_out_is_a_fifth_and_stays_the_same(tmp_path):
    root = many(tmp_path)
    train, val = (read(root, split) for split in training_splits(root))
    assert (len(train.samples), len(val.samples)) == (8, 2)
    assert {s.path for s in train.samples} | {s.path for s in val.samples} == {s.path for s in read(root).samples}
    assert [s.path for s in read(root, "val").samples] == [s.path for s in val.samples]


def test_hold_out_of_one_photograph_leaves_nothing_to_train_on(tmp_path):
    with pytest.raises(DataError, match="photograph"):
        read(many(tmp_path, 1), "train")


def test_a_lone_train_split_is_held_out_from(tmp_path):
    assert training_splits(coco(tmp_path, split="train")) == ("train", "val")


def test_a_lone_dev_split_leaves_nothing_to_train_on(tmp_path):
    with pytest.raises(DataError, match="nothing to train on"):
        training_splits(coco(tmp_path, split="dev"))


def test_unknown_split_names_those_there_are(tmp_path):
    with pytest.raises(DataError, match="Allowed: all, train, val"):
        read(coco(tmp_path), "holiday")


def test_verify_finds_damage_behind_the_header(tmp_path):
    root = many(tmp_path, 2)
    file = root / "JPEGImages" / "p0.png"
    file.write_bytes(file.read_bytes()[:-200])
    assert len(read(root).samples) == 2
    checked = verify_images(read(root))
    assert [sample.path.name for sample in checked.samples] == ["p1.png"]
    assert "truncated" in checked.faults[0].reason
    assert checked.faults == read(root, verify=True).faults


def test_strict_lists_the_first_faults(tmp_path):
    require_clean(read(coco(tmp_path / "clean")))
    faulty = read(coco(tmp_path / "faulty", boxes=[(99, 99, 5, 5)] * 7))
    with pytest.raises(DataError, match=r"7 faults(.|\n)*annotation 1(.|\n)*and 2 more"):
        require_clean(faulty)


corners = st.tuples(st.floats(0, 60), st.floats(0, 40), st.floats(0.1, 60), st.floats(0.1, 40))


@given(st.integers(1, 8), corners)
def test_turned_boxes_stay_inside_and_keep_their_area(orientation, box):
    width, height = 120, 80
    xyxy = np.array([[box[0], box[1], box[0] + box[2], box[1] + box[3]]])
    shown = (height, width) if orientation >= 5 else (width, height)
    x0, y0, x1, y1 = turned(xyxy, turn(orientation, width, height))[0]
    assert 0 <= x0 < x1 <= shown[0] + 1e-9
    assert 0 <= y0 < y1 <= shown[1] + 1e-9
    assert np.isclose((x1 - x0) * (y1 - y0), box[2] * box[3])


anything = st.floats(-200, 200) | st.floats()


@given(st.lists(st.tuples(anything, anything, anything, anything), max_size=8))
def test_whatever_is_handed_in_what_stays_is_a_box_inside(tmp_path_factory, raw):
    intake = Intake()
    path = tmp_path_factory.getbasetemp() / "a.png"
    labels = [BoxLabel(box, 0, i) for i, box in enumerate(raw)]
    intake.add(path, Header(WIDTH, HEIGHT, 1), 1, labels, str)
    (sample,) = intake.samples
    assert (sample.boxes[:, :2] < sample.boxes[:, 2:]).all()
    assert (sample.boxes >= 0).all()
    assert (sample.boxes <= [WIDTH, HEIGHT, WIDTH, HEIGHT]).all()
    assert len(sample.boxes) + sum(fault.lost == "label" for fault in intake.faults) == len(raw)


@pytest.mark.parametrize(
    ("name", "split", "images", "labels"),
    [
        ("everyday", "dev", 504, {"boxes": 4410, "masks": 1071, "objects with keypoints": 1043, "captions": 2393}),
        pytest.param(
            "everyday", "train", 2150,
            {"boxes": 20251, "masks": 4519, "objects with keypoints": 4654, "captions": 10338},
            marks=pytest.mark.slow,
        ),
        ("raccoon", "all", 200, {"boxes": 217}),
    ],
)  # fmt: skip
def test_the_real_photographs(data_root, name, split, images, labels):
    dataset = read(data_root / name, split, min_score=0.5)
    assert len(dataset.samples) == images
    assert describe(dataset).labels == labels
