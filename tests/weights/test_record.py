"""What a weights file says of itself: there and back through JSON, and damage that is told."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tacit.errors import WeightsError
from tacit.weights.record import Record

FULL = Record(
    model="debug",
    classes=("cat", "Hund", "鳥"),
    input_size=416,
    data=("drawn scenes", "more of them"),
    teacher="another network",
    epochs=12.5,
    seed=7,
    hardware="2 cores, 1 h",
    recipe={"training": {"rate": 0.01, "sizes": [320, 416]}, "name": None},
    figures={"AP": 0.25, "AP50": 0.5},
    scored_on="other scenes",
)


def damaged(**changes: object) -> str:
    return json.dumps({"model": "debug", "classes": ["cat"], "input_size": 64, **changes})


@pytest.mark.parametrize("record", [FULL, Record(model="debug", classes=("cat",), input_size=64)])
def test_there_and_back(record: Record) -> None:
    assert Record.from_json(record.to_json()) == record
    assert "\n" not in record.to_json()


words = st.text(max_size=8)
lists = st.lists(words, max_size=3).map(tuple)


@settings(deadline=None)
@given(words, lists, st.integers(1, 4096), st.floats(0, 1000), st.dictionaries(words, st.floats(0, 1), max_size=3))
def test_there_and_back_with_any_words(model: str, names: tuple, size: int, epochs: float, figures: dict) -> None:
    record = Record(model=model, classes=names, input_size=size, data=names, epochs=epochs, figures=figures)
    assert Record.from_json(record.to_json()) == record


def test_later_versions_may_say_more() -> None:
    assert Record.from_json(damaged(colour="green")) == Record(model="debug", classes=("cat",), input_size=64)


def test_licence_is_ours_unless_said_otherwise() -> None:
    assert FULL.licence == "Apache-2.0"
    assert Record.from_json(damaged(licence="CC0-1.0")).licence == "CC0-1.0"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "7",
        '"debug"',
        "{}",
        '{"model": "debug", "classes": ["cat"]}',
        damaged(model=None),
        damaged(model=["debug"]),
        damaged(classes="cat"),
        damaged(classes={"0": "cat"}),
        damaged(classes=[0, 1]),
        damaged(input_size="416"),
        damaged(input_size=None),
        damaged(input_size=41.6),
    ],
)
def test_error_damaged(text: str) -> None:
    with pytest.raises(WeightsError, match="record in the weights file is damaged"):
        Record.from_json(text)
