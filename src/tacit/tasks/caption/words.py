"""Sentences into numbers and back: the words that a caption task knows.

Captions need no more than these few lines: a thousand or two whole words in lower case, without punctuation. A library
would bring a compiled tokenizer and its file format for that. Words are runs of letters, marks and digits of any
alphabet, with apostrophes inside; what the task never learned stays, as the word "unknown".
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from tacit.errors import WeightsError

BEGIN, END, UNKNOWN = range(3)
SPECIAL = 3
"""Numbers that are no words: before a sentence, after it, and for every word that is not in the list."""
MOST_WORDS = 20_000
LONGEST_WORD = 40  # characters; a longer one is no word of a caption
_WORD = re.compile(r"(?:[^\W_]|[\u0300-\u036f])+(?:'(?:[^\W_]|[\u0300-\u036f])+)*")


def split(sentence: str) -> list[str]:
    """The words of a sentence: NFKC, lower case, typographic apostrophes made plain, without punctuation."""
    return _WORD.findall(unicodedata.normalize("NFKC", sentence).replace("’", "'").lower())


def normalised(sentence: str) -> str:
    """The sentence as words with single blanks between; twice is the same as once."""
    return " ".join(split(sentence))


def frequent(sentences: Iterable[str], least: int) -> tuple[str, ...]:
    """The words that occur `least` times or more, the most frequent first, equally frequent ones by alphabet."""
    counts = Counter(word for sentence in sentences for word in split(sentence) if len(word) <= LONGEST_WORD)
    order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(word for word, count in order if count >= least)[:MOST_WORDS]


class Vocabulary:
    """A list of words and their numbers, which follow the special ones."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self._numbers = {word: SPECIAL + place for place, word in enumerate(self.words)}

    @classmethod
    def read(cls, words: object) -> Vocabulary:
        """The vocabulary of a plan, which comes from a file that cannot be trusted; raises WeightsError."""
        if not isinstance(words, list | tuple) or not 0 < len(words) <= MOST_WORDS:
            raise WeightsError("the caption task has no list of words", allowed=f"1 to {MOST_WORDS} words")
        for word in words:
            if not isinstance(word, str) or len(word) > LONGEST_WORD or split(word) != [word]:
                raise WeightsError(
                    f"the caption task's list holds {str(word)[:LONGEST_WORD]!r}",
                    allowed=f"single words in lower case, of at most {LONGEST_WORD} characters",
                )
        if len(set(words)) < len(words):
            raise WeightsError("the caption task's list holds a word twice")
        return cls(words)

    def __len__(self) -> int:
        return SPECIAL + len(self.words)

    def encode(self, sentence: str) -> list[int]:
        """One number a word, UNKNOWN for the words that are not in the list."""
        return [self._numbers.get(word, UNKNOWN) for word in split(sentence)]

    def decode(self, numbers: Iterable[int]) -> str:
        """The sentence up to the first END; special numbers give no word."""
        words = list[str]()
        for number in numbers:
            if number == END:
                break
            if number >= SPECIAL:
                words.append(self.words[number - SPECIAL])
        return " ".join(words)
