"""The report counts what is there, and the contact sheet shows it."""

import numpy as np
import pytest
from layouts import coco, coco_beside, coco_face, photo, voc, yolo

from tacit.data.read import read
from tacit.data.report import CELL, GAP, contact_sheet, describe
from tacit.errors import DataError


def test_figures(tmp_path):
    photo(tmp_path / "images" / "b.png", size=(640, 480))
    lines = "0 0.5 0.5 0.25 0.5\n1 0.5 0.5 1 1\n0 3 3 1 1\n"
    report = describe(read(yolo(tmp_path, lines)))
    assert (report.images, report.backgrounds, report.crowd) == (2, 1, 0)
    assert report.labels == {"boxes": 2}
    assert [(item.name, item.boxes, item.images) for item in report.classes] == [("cat", 1, 1), ("dog", 1, 1)]
    assert (report.small, report.medium, report.large) == (1, 1, 0)
    assert (report.widths, report.heights) == ((64, 352, 640), (48, 264, 480))
    assert (report.lost_images, report.lost_labels) == (0, 1)


def test_text_names_every_class_and_fault(tmp_path):
    report = describe(read(coco(tmp_path, [(8, 8, 20, 16), (90, 90, 5, 5)])))
    text = report.to_text()
    assert "cat: 1 boxes on 1 photographs" in text
    assert "instances.json:" in text
    assert "0 photographs and 1 labels left out" in text
    assert all(what in text and figure in text for what, figure in report.rows())


def test_every_kind_of_label_is_counted(tmp_path):
    coco_face(tmp_path)
    coco_beside(tmp_path, "captions", [{"id": 1, "image_id": 7, "caption": text} for text in ("A cat.", "One cat.")])
    report = describe(read(tmp_path))
    assert report.labels == {"boxes": 1, "objects with keypoints": 1, "captions": 2}
    assert ("captions", "2") in report.rows()


def test_captions_alone_are_no_boxes(tmp_path):
    report = describe(read(coco_beside(tmp_path, "captions", [{"id": 1, "image_id": 7, "caption": "A cat."}])))
    assert report.labels == {"captions": 1}
    assert report.classes == ()
    assert "captions" in report.to_text()


def test_sheet_is_a_grid_of_drawn_photographs(tmp_path):
    for i in range(5):
        voc(tmp_path, name=f"p{i}", filename=f"p{i}.png")
    sheet = contact_sheet(read(tmp_path), columns=2, count=3)
    assert sheet.shape == (2 * (CELL[1] + GAP) + GAP, 2 * (CELL[0] + GAP) + GAP, 3)
    assert sheet.dtype == np.uint8
    assert (sheet[-CELL[1] :, -CELL[0] :] == 255).all()  # the fourth place is empty
    assert (sheet[: CELL[1], : CELL[0]] != 255).any()


def test_sheet_shows_boxes(tmp_path):
    plain = contact_sheet(read(coco(tmp_path / "plain", boxes=())))
    boxed = contact_sheet(read(coco(tmp_path / "boxed")))
    assert (plain != boxed).any()


def test_sheet_is_the_same_for_one_seed_and_passes_over_damage(tmp_path):
    for i in range(4):
        voc(tmp_path, name=f"p{i}", filename=f"p{i}.png")
    file = tmp_path / "JPEGImages" / "p1.png"
    file.write_bytes(file.read_bytes()[:-200])
    dataset = read(tmp_path)
    assert (contact_sheet(dataset, seed=1) == contact_sheet(dataset, seed=1)).all()
    assert contact_sheet(dataset, columns=4).shape[1] == 3 * (CELL[0] + GAP) + GAP


def test_sheet_of_nothing_is_an_error(tmp_path):
    dataset = read(coco(tmp_path))
    dataset.samples[0].path.unlink()
    with pytest.raises(DataError, match="no photograph to show"):
        contact_sheet(dataset)
