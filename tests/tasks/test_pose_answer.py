"""Poses of a photograph: what is drawn, written and said."""

import json

import numpy as np
import pytest

from tacit.results import Result
from tacit.tasks.pose.answer import LEFT, MIDDLE, RIGHT, Poses
from tacit.tasks.pose.body import Body

BODY = Body(("left_hand", "right_hand", "head"), ((0, 2), (0, 1)), ((0, 1),))
SURE = [[20, 80, 0.9], [80, 80, 0.8], [50, 20, 0.7]]
NONE = [[np.nan, np.nan, 0]] * 3
GREY = 90


def poses(*rows):
    return Poses(np.array(rows, np.float32).reshape(-1, 3, 3), BODY)


def result(answer, boxes=None, size=(100, 100)):
    n = len(answer.points)
    boxes = np.tile(np.array([0, 0, *size], np.float32), (n, 1)) if boxes is None else np.array(boxes, np.float32)
    return Result(
        boxes, np.ones(n, np.float32), np.zeros(n, np.int64), ("person",), size[0], size[1], answers={"pose": answer}
    )


def drawn(answer, size=(100, 100), boxes=None):
    picture = np.full((size[1], size[0], 3), GREY, np.uint8)
    answer.draw(picture, result(answer, boxes, size))
    return picture


def test_joints_are_coloured_by_their_side():
    picture = drawn(poses(np.array(SURE) * (4, 4, 1)), (400, 400))
    assert tuple(picture[320, 80]) == LEFT
    assert tuple(picture[320, 320]) == RIGHT
    assert tuple(picture[80, 200]) == MIDDLE
    assert tuple(picture[320, 200]) == MIDDLE  # the line from left to right
    assert tuple(picture[200, 260]) == (GREY,) * 3  # no line from right hand to head in this skeleton


def test_unsure_points_are_not_drawn_nor_lines_to_them():
    picture = drawn(poses([[20, 80, 0.9], [80, 80, 0.4], [50, 20, 0.3]]))
    assert tuple(picture[80, 20]) == LEFT
    assert (picture[:, 40:] == GREY).all()


def test_a_box_without_a_pose_draws_nothing():
    assert (drawn(poses(NONE)) == GREY).all()
    assert (drawn(poses()) == GREY).all()


def test_the_first_object_lies_on_top():
    over = [[20, 80, 0.9], [80, 80, 0.1], [50, 20, 0.1]]
    under = [[20, 80, 0.1], [20, 80, 0.9], [50, 20, 0.1]]
    assert tuple(drawn(poses(over, under))[80, 20]) == LEFT
    assert tuple(drawn(poses(under, over))[80, 20]) == RIGHT


@pytest.mark.parametrize("far", [1e9, -1e9, 3e38])
def test_points_far_outside_are_no_harm(far):
    drawn(poses([[far, 80, 0.9], [80, far, 0.9], [50, 20, 0.9]]))


def test_lines_grow_with_the_picture_and_stay_thin_on_small_figures():
    def inked(side, reach):
        places = [[0.2 * reach, 0.8 * reach, 0.9], [0.8 * reach, 0.8 * reach, 0.8], [0.5 * reach, 0.2 * reach, 0.7]]
        return (drawn(poses(places), (side, side), [[0, 0, reach, reach]]) != GREY).any(2).sum() / reach**2

    assert inked(2000, 2000) == pytest.approx(inked(800, 800), rel=0.5)
    assert inked(2000, 200) < 0.3


def test_to_json_has_a_row_for_every_box():
    told = json.loads(json.dumps(poses(SURE, NONE).to_json(), allow_nan=False))
    assert told[1] is None
    assert [point["name"] for point in told[0]] == list(BODY.names)
    assert told[0][0] == {"name": "left_hand", "x": 20, "y": 80, "confidence": pytest.approx(0.9)}


@pytest.mark.parametrize(
    ("rows", "said"), [([], ""), ([NONE], ""), ([SURE], "1 pose"), ([SURE, NONE, SURE], "2 poses")]
)
def test_summary(rows, said):
    assert poses(*rows).summary() == said


def test_a_result_draws_them_by_name():
    answer = poses(SURE)
    shown = Result(
        np.array([[0, 0, 100, 100]], np.float32), np.ones(1, np.float32), np.zeros(1, np.int64), ("person",), 100, 100,
        image=np.full((100, 100, 3), GREY, np.uint8), answers={"pose": answer},
    )  # fmt: skip
    assert (shown.draw(only=["tags"]) == GREY).all()
    assert tuple(shown.draw(only=["pose"])[80, 20]) == LEFT
