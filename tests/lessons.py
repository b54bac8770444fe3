"""What a batch teaches, made by hand."""

import torch
from torch import Tensor

from tacit.data.loader import Lesson
from tacit.network import Network
from tacit.tasks.task import TaskLoss


def boxes_lesson(targets: Tensor, images: int) -> dict[str, Lesson]:
    """Detection alone, from rows (image, class, x, y, w, h) over that many images."""
    return {"detect": Lesson(torch.arange(images), {"boxes": targets})}


def detection_loss_of(network: Network, outputs: dict, targets: Tensor) -> TaskLoss:
    """The loss of a network that only detects."""
    return network.losses(outputs, boxes_lesson(targets, len(outputs["detect"][0])))["detect"]
