"""A small network of all seven tasks that looks trained, and its record."""

import torch
from trained import look_trained

from tacit import zoo
from tacit.assemble import with_tasks
from tacit.network import Network
from tacit.weights.record import Record

CLASSES = ("square", "disc")
PLANS = {
    "detect": {"classes": list(CLASSES)},
    "segment": {"prototypes": 8},
    "pose": {"names": ["middle", "left_end"], "skeleton": [[0, 1]], "pairs": [], "classes": ["disc"]},
    "scene": {"classes": ["other", "square"]},
    "tags": {"names": ["square", "disc", "dark"], "single": False},
    "embed": {"dimension": 8, "identities": False},
    "caption": {"words": ["a", "dark", "disc"], "length": 6, "width": 32, "layers": 1},
}


def network_of_seven() -> Network:
    torch.manual_seed(0)
    return look_trained(with_tasks(zoo.create("debug", len(CLASSES)), PLANS))


def record_of_seven() -> Record:
    return Record(model="debug", classes=CLASSES, input_size=128, tasks=PLANS)
