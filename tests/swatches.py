"""Folders of drawn pictures, one a class, that differ in colour; and knowledge of them that nobody taught."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from trained import look_trained

from tacit.network import Network
from tacit.weights.knowledge_file import KEY, Taught, new_task, trunk_hash
from tacit.weights.knowledge_record import KnowledgeRecord
from tacit.weights.record import Record
from tacit.zoo import create

COLOURS = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}
RECORD = Record(
    model="debug",
    classes=("square", "disc"),
    input_size=64,
    tasks={"detect": {"classes": ["square", "disc"]}, "tags": {"names": ["light", "dark"]}},
)
__all__ = ["COLOURS", "KEY", "RECORD", "colour_folders", "network_of_two", "untaught"]


def colour_folders(root: Path, each: int = 20) -> Path:
    """`each` noisy pictures of 96 x 64 a colour, with a disc or a square of it somewhere."""
    for number, (name, colour) in enumerate(COLOURS.items()):
        (root / name).mkdir(parents=True)
        for index in range(each):
            random = np.random.default_rng([number, index])
            image = random.integers(0, 80, (64, 96, 3)).astype(np.uint8)
            x, y, r = (int(random.integers(low, high)) for low, high in ((30, 66), (24, 40), (14, 22)))
            if index % 2:
                cv2.circle(image, (x, y), r, colour, -1)
            else:
                cv2.rectangle(image, (x - r, y - r), (x + r, y + r), colour, -1)
            assert cv2.imwrite(str(root / name / f"{index:02d}.png"), image[..., ::-1])
    return root


def network_of_two() -> Network:
    """What `RECORD` describes, as if trained: it detects and it tags."""
    torch.manual_seed(0)
    detect = create("debug", 2)
    tags = new_task(RECORD, "light", {"task": "tags", **RECORD.tasks["tags"]})
    network = Network(detect.trunk, {"detect": detect.task("detect"), "tags": tags}, detect.stride)
    look_trained(network)
    return network


def untaught(network: Network, name: str, names: Sequence[str] = ("red", "green"), seed: int = 1) -> Taught:
    """Knowledge of tags that nobody taught, for the trunk of this network."""
    plan = {"task": "tags", "names": list(names), "single": True}
    torch.manual_seed(seed)
    task = look_trained(new_task(RECORD, name, plan), seed)
    record = KnowledgeRecord(
        name=name, task="tags", plan=plan, model="debug", trunk=trunk_hash(network.trunk), classes=tuple(names)
    )
    return Taught(record, task.state_dict())
