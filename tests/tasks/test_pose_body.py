"""What a pose consists of, from plans that may come from anywhere."""

import json

import pytest

from tacit.errors import WeightsError
from tacit.tasks.pose.body import MOST, OTHER_SIGMA, SIGMAS, Body

ARM = {
    "names": ["left_hand", "right_hand", "head"],
    "skeleton": [[0, 2], [1, 2]],
    "pairs": [[0, 1]],
    "classes": ["cat"],
}


def test_a_plan_goes_there_and_back_through_json():
    body = Body.of(json.loads(json.dumps(ARM)))
    assert body == Body(("left_hand", "right_hand", "head"), ((0, 2), (1, 2)), ((0, 1),), ("cat",))
    assert body.to_json() == ARM


def test_cocos_points_have_cocos_constants_and_others_one_of_their_own():
    assert len(SIGMAS) == 17
    assert Body(("nose", "tail", "left_hip")).sigmas.tolist() == [0.026, OTHER_SIGMA, 0.107]


@pytest.mark.parametrize(
    "wrong",
    [
        {"names": []},
        {"names": None},
        {"names": "abc"},
        {"names": ["a", "a", "b"]},
        {"names": ["a", 1, "b"]},
        {"names": [f"{i}" for i in range(MOST + 1)]},
        {"classes": []},
        {"classes": [["person"]]},
        {"skeleton": [[0, 3]]},
        {"skeleton": [[-1, 1]]},
        {"skeleton": [[0, 0]]},
        {"skeleton": [[0, True]]},
        {"skeleton": [[0, 1.0]]},
        {"skeleton": [[0, 1, 2]]},
        {"skeleton": {"0": 1}},
        {"pairs": [3]},
        {"pairs": [[0, 1]] * (MOST + 1)},
    ],
)
def test_a_plan_that_is_none_is_refused(wrong):
    with pytest.raises(WeightsError, match=f"the {next(iter(wrong))} of the pose task"):
        Body.of(ARM | wrong)
