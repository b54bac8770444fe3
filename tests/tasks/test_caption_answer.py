"""The sentence drawn on the photograph."""

import numpy as np
import pytest

from tacit.results import Result
from tacit.tasks.caption.answer import Caption, _font, wrapped

TEXT = "A man in a red shirt is riding a brown horse along the beach with a dog."


def drawn(text, height, width, value=200):
    picture = np.full((height, width, 3), value, np.uint8)
    none = np.zeros((0, 4), np.float32)
    Caption(text, 0.5).draw(picture, Result(none, none[:, 0], none[:, 0].astype(np.int64), (), width, height))
    return picture


@pytest.mark.parametrize("shape", [(300, 400), (60, 500), (500, 60), (1200, 1600), (8, 8), (1, 1)])
@pytest.mark.parametrize("text", [TEXT, "Собака на траве.", "x" * 90, "犬 🐶"])
def test_it_stays_in_the_lower_part(shape, text):
    picture = drawn(text, *shape)
    assert (picture != 200).any()
    if shape[0] >= 60:
        assert (picture[: shape[0] // 2] == 200).all()


def test_white_words_stand_out_from_any_picture():
    for value in (0, 128, 255):
        band = drawn(TEXT, 300, 400, value)[-20:]
        assert band.max() == 255
        assert band.min() <= 0.35 * 255


def test_nothing_said_is_nothing_drawn():
    assert (drawn("", 30, 40) == 200).all()
    assert Caption("", 0.0).summary() == ""


def test_lines_are_as_wide_as_allowed_and_hold_every_word():
    font = _font(20)
    lines = wrapped(TEXT, font, 200, most=99)
    assert " ".join(lines) == TEXT
    assert len(lines) > 2
    assert all(font.getlength(line) <= 200 for line in lines)


def test_what_is_cut_ends_in_dots():
    lines = wrapped(TEXT, _font(20), 200, most=2)
    assert len(lines) == 2
    assert lines[-1].endswith("…")


def test_json_and_summary():
    answer = Caption("A dog runs.", 0.123456)
    assert answer.to_json() == {"text": "A dog runs.", "score": 0.12346}
    assert answer.summary() == "“A dog runs.”"
