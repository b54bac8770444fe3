"""What an engine answers about the sample photographs: the probe that it has to pass before it is trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import torch

from tacit.data.images import load_image
from tacit.network import Network
from tacit.results import Result
from tacit.runtime.engine import Answers, Engine
from tacit.stages import Image, Stages, Thresholds

FOUND = Thresholds(confidence=0.2)
"""Lower than what counts as sure (`agreement.SURE`), so that a score may differ a little."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What was answered about some photographs: as the engine gave it, and as people get it."""

    answers: tuple[Answers, ...]
    results: tuple[Result, ...]


@cache
def photographs() -> tuple[Image, ...]:
    """The samples that come with tacit."""
    folder = Path(str(files("tacit") / "samples"))
    return tuple(load_image(path) for path in sorted(folder.glob("*.jpg")))


def seen(
    network: Network, names: tuple[str, ...], size: int, engine: Engine | None, images: Sequence[Image] | None = None
) -> Seen:
    """What `engine` (None: the network as it is) says of `images`, by default of the samples, one at a time."""
    stages = Stages(network, names, size, FOUND, engine=engine)
    looks = [_look(stages, image) for image in images or photographs()]
    return Seen(tuple(answers for answers, _ in looks), tuple(result for _, result in looks))


@torch.inference_mode()
def _look(stages: Stages, image: Image) -> tuple[Answers, Result]:
    plan = stages.plan(image)
    answers = stages.look(stages.preprocess([image], [plan]))
    return answers, stages.postprocess(answers, [image], [plan])[0]
