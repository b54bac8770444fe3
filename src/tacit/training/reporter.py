"""What a run tells while it goes; the command line shows it, a library user may ignore it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from tacit.data.sample import Fault

Row = dict[str, float]


@runtime_checkable
class Reporter(Protocol):
    """Told everything in order; nothing it does changes the run."""

    def note(self, text: str) -> None:
        """A line for people, such as what is trained on."""

    def fault(self, fault: Fault) -> None:
        """Something is wrong in the data. The same may come again."""

    def step(self, epoch: int, step: int, steps: int, losses: Row) -> None:
        """After each training step (counted from 1) of `steps` in the epoch; `losses` are this step's."""

    def epoch(self, row: Row) -> None:
        """After each epoch, with the line that the log gets."""


class Silent:
    """Says nothing."""

    def note(self, text: str) -> None:
        """Ignored."""

    def fault(self, fault: Fault) -> None:
        """Ignored."""

    def step(self, epoch: int, step: int, steps: int, losses: Row) -> None:
        """Ignored."""

    def epoch(self, row: Row) -> None:
        """Ignored."""
