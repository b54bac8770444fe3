"""Sentences into numbers and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.errors import WeightsError
from tacit.tasks.caption.words import END, SPECIAL, UNKNOWN, Vocabulary, frequent, normalised, split

KNOWN = ("a", "man", "dog's", "собака", "犬", "7")


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("A man, riding a red HORSE.", ["a", "man", "riding", "a", "red", "horse"]),
        ("the dog's two-tone bone", ["the", "dog's", "two", "tone", "bone"]),
        ("the dog’s 'quoted' bone", ["the", "dog's", "quoted", "bone"]),
        ("ﬁne cafe\u0301 at 7_30", ["fine", "café", "at", "7", "30"]),
        ("Собака на траве!", ["собака", "на", "траве"]),
        ("🐶 … -- !", []),
        ("", []),
    ],
)
def test_words_of_a_sentence(sentence, words):
    assert split(sentence) == words


@given(st.text())
def test_normalising_twice_is_normalising_once(sentence):
    assert normalised(normalised(sentence)) == normalised(sentence)


@given(st.lists(st.sampled_from(KNOWN)), st.sampled_from([" ", ", ", "\n", "! "]))
def test_known_words_come_back(words, between):
    sentence = between.join(words).upper() + "."
    vocabulary = Vocabulary(KNOWN)
    assert vocabulary.decode(vocabulary.encode(sentence)) == normalised(sentence)


def test_a_word_never_seen_is_kept_as_unknown():
    vocabulary = Vocabulary(["a", "dog"])
    assert vocabulary.encode("a собака dog") == [SPECIAL, UNKNOWN, SPECIAL + 1]


def test_a_sentence_ends_at_its_end():
    assert Vocabulary(["a", "dog"]).decode([SPECIAL, END, SPECIAL + 1]) == "a"


def test_frequent_words_come_first_and_in_one_order():
    assert frequent(["b a c", "b a", f"b {'d' * 41}"], least=1) == ("b", "a", "c")
    assert frequent(["b a c", "b a"], least=2) == ("a", "b")


@pytest.mark.parametrize(
    "words",
    [None, "words", [], [1], ["two words"], ["Upper"], [""], ["a", "a"], ["x" * 41], ["a"] * 20_001, ["<script>"]],
)
def test_a_list_that_is_none_is_refused(words):
    with pytest.raises(WeightsError):
        Vocabulary.read(words)
