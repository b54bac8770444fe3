"""A task in one class: how bright a photograph is. It is all that a further task needs."""

from dataclasses import dataclass

import cv2
import torch
from torch import nn
from torch.nn import functional

from tacit.data.images import load_image
from tacit.errors import WeightsError
from tacit.results import Answer
from tacit.tasks.metric import Metric, Table
from tacit.tasks.task import Task, TaskLoss


@dataclass(frozen=True, eq=False)
class Light(Answer):
    share: float

    def draw(self, picture, result) -> None:
        cv2.rectangle(picture, (0, 0), (round(self.share * picture.shape[1]), 3), (255, 255, 0), -1)

    def to_json(self) -> float:
        return self.share

    def summary(self) -> str:
        return f"{self.share:.0%} bright"


class LightMetric(Metric):
    def __init__(self) -> None:
        self.errors = {}

    def update(self, sample, result) -> None:
        truth = float(load_image(sample.path).mean() / 255)
        self.errors[sample.id] = abs(result.answers["brightness"].share - truth)

    def figures(self) -> dict[str, float]:
        return {"accuracy": 1 - sum(self.errors.values()) / len(self.errors)}

    def tables(self) -> list[Table]:
        return [Table("brightness", ("figure", ""), [("accuracy", f"{self.figures()['accuracy']:.2f}")])]


class Brightness(Task):
    name = "brightness"

    def __init__(self, channels: int, plan) -> None:
        super().__init__()
        self.plan, self.head = plan, nn.Linear(channels, 1)

    @classmethod
    def build(cls, pyramid, plan):
        if plan.keys() - {"knowledge", "task"}:
            raise WeightsError("brightness takes no options")
        return cls(pyramid.channels[0], plan)

    @classmethod
    def labels(cls, thing) -> bool:
        return True

    @classmethod
    def plan_for(cls, datasets):
        return {}

    def targets(self, scenes):
        return {"share": torch.tensor([float(scene.image.mean() / 255) for scene in scenes])}

    def forward(self, pyramid):
        return [self.head(pyramid[0].mean((2, 3)))[:, 0]]

    def loss(self, raw, targets) -> TaskLoss:
        error = functional.mse_loss(raw[0].sigmoid(), targets["share"], reduction="sum")
        return TaskLoss(error, {"error": error.detach() / max(1, len(raw[0]))})

    def decode(self, raw):
        return {"share": raw[0].sigmoid()}

    def answer(self, decoded, sight) -> Light:
        return Light(float(decoded["share"]))

    @classmethod
    def metric(cls, dataset) -> LightMetric:
        return LightMetric()
