"""The classes of a model in a dataset's numbers, matched by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64

from tacit.errors import DataError


class KnownClasses:
    """A model may know more classes than the dataset (they are left out of the scores) or fewer (those score 0)."""

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = tuple(classes)
        self._known: dict[tuple[str, ...], Int64[np.ndarray, " names"]] = {}

    def index(self, names: tuple[str, ...]) -> Int64[np.ndarray, " names"]:
        """The dataset's number of each of the model's classes, -1 for those it does not have.

        Raises DataError where they have none in common.
        """
        if names not in self._known:
            place = {name: index for index, name in enumerate(self.classes)}
            index = np.array([place.get(name, -1) for name in names], np.int64)
            if (index < 0).all():
                raise DataError(
                    f"the model knows {_some(names)}, and the dataset labels {_some(self.classes)}",
                    allowed="at least one class of the same name in both",
                    fix="score on a dataset of the model's classes, or rename the classes",
                )
            self._known[names] = index
        return self._known[names]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more classes" if len(names) > 5 else "") or "no class"
