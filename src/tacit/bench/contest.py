"""Contestants take turns: who measures one after the other measures what else the machine did meanwhile."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import torch

from tacit.geometry.letterbox import Letterbox, plan_letterbox
from tacit.results import Result
from tacit.runtime.engine import Answers
from tacit.runtime.probe import Seen
from tacit.stages import Image, Stages

Seconds: TypeAlias = dict[str, float]
"""Of one photograph, by stage."""
Round: TypeAlias = dict[str, Seconds]
"""Everybody's seconds for the same photograph, by label."""

PREPROCESS, FORWARD, POSTPROCESS = STAGES = ("preprocess", "forward", "postprocess")

PAUSE = 0.02
"""Seconds."""


class Contestant(ABC):
    """Who answers photographs, one at a time, and says what each stage took."""

    label: str

    @abstractmethod
    def seconds(self, image: Image) -> Seconds: ...


class Ours(Contestant):
    """The stages around one engine. Photographs fill a square, so that the work is the same for each."""

    def __init__(self, label: str, stages: Stages) -> None:
        self.label, self.stages = label, stages

    def seconds(self, image: Image) -> Seconds:
        self.stages.seconds.clear()
        self.stages.run([image], [square(image, self.stages.size)])
        return dict(self.stages.seconds)

    def seen(self, images: Sequence[Image]) -> Seen:
        """What it answers."""
        looks = [self._look(image) for image in images]
        return Seen(tuple(answers for answers, _ in looks), tuple(result for _, result in looks))

    @torch.inference_mode()
    def _look(self, image: Image) -> tuple[Answers, Result]:
        plan = square(image, self.stages.size)
        answers = self.stages.look(self.stages.preprocess([image], [plan]))
        return answers, self.stages.postprocess(answers, [image], [plan])[0]


def square(image: Image, size: int) -> Letterbox:
    """Where the photograph lies in a square of that many pixels."""
    return plan_letterbox((image.shape[0], image.shape[1]), size)


def turns(contestants: Sequence[Contestant], images: Sequence[Image], rounds: Iterable[int]) -> list[Round]:
    """Every round another photograph, and another one begins."""
    taken = []
    for number in rounds:
        first, image = number % len(contestants), images[number % len(images)]
        taken.append({one.label: _rested(one, image) for one in (*contestants[first:], *contestants[:first])})
    return taken


def _rested(one: Contestant, image: Image) -> Seconds:
    """After a pause: the threads of whoever came before wait for more work, on the same cores."""
    time.sleep(PAUSE)
    return one.seconds(image)
