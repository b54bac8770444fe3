"""What exported models say of themselves: there and back, and what is no such thing."""

import json

import pytest
from seven import CLASSES, record_of_seven

from tacit.errors import WeightsError
from tacit.runtime.engine import Precision
from tacit.runtime.passport import KEY, Passport
from tacit.thresholds import Thresholds

PARTS = {"detect": ("rows",), "segment": ("prototypes", "coefficients")}


@pytest.fixture
def passport():
    return Passport(record=record_of_seven(), stride=32, parts=PARTS)


def test_value_there_and_back(passport):
    assert Passport.from_strings(passport.to_strings()) == passport
    other = passport.calculating(Precision.INT8).suppressing(Thresholds(confidence=0.1))
    assert Passport.from_strings(other.to_strings()) == other


def test_value_outputs(passport):
    assert passport.outputs == ("detect/rows", "segment/prototypes", "segment/coefficients")


def test_value_a_stranger_can_read_it(passport):
    told = passport.to_strings()
    assert json.loads(told["names"]) == list(CLASSES)
    assert (int(told["stride"]), int(told["size"]), told["licence"]) == (32, 128, "Apache-2.0")
    assert json.loads(told["letterbox"])["fill"] == 114
    assert json.loads(told["outputs"])["detect"] == ["rows"]
    assert all(isinstance(value, str) for value in told.values())


def test_value_what_was_taught_is_named():
    record = record_of_seven()
    record.tasks["birds"] = {**record.tasks["tags"], "task": "tags"}
    told = Passport(record=record, stride=32, parts={"detect": ("rows",), "birds": ("tags",)}).to_strings()
    del record.tasks["birds"]
    assert json.loads(told["knowledge"]) == ["birds"]


def test_error_no_passport():
    with pytest.raises(WeightsError, match="says nothing of tacit"):
        Passport.from_strings({"names": "[]"})


def test_error_another_format(passport):
    with pytest.raises(WeightsError, match=r"format '99', written by tacit .*export it again"):
        Passport.from_strings({**passport.to_strings(), KEY: "99"})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("outputs", "[]"),
        ("outputs", "{"),
        ("outputs", '{"detect": 3}'),
        ("stride", "wide"),
        ("precision", "fp8"),
        ("suppression", "[1]"),
        ("suppression", '{"confidence": 7}'),
        ("suppression", '{"confidence": "x"}'),
        ("tacit_record", "{}"),
        ("tacit_record", "[" * 100_000),
    ],
)
def test_error_damaged(passport, key, value):
    with pytest.raises(WeightsError, match="damaged"):
        Passport.from_strings({**passport.to_strings(), key: value})


@pytest.mark.parametrize("key", ["outputs", "tacit_record", "stride"])
def test_error_incomplete(passport, key):
    told = passport.to_strings()
    del told[key]
    with pytest.raises(WeightsError, match="damaged"):
        Passport.from_strings(told)
