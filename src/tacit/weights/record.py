"""What a weights file says of itself: the model it fits, its classes, and how it came to be."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from tacit.errors import WeightsError


@dataclass(frozen=True, kw_only=True)
class Record:
    """Stored as JSON in the header of the safetensors file."""

    model: str
    """Name in the zoo, or "pyramid" for the published family with the numbers of `structure`."""
    classes: tuple[str, ...]
    """Class names, by id."""
    input_size: int
    """Long side that the figures below were measured at, in pixels."""
    structure: dict[str, Any] = field(default_factory=dict)
    """Arguments of the family, where the model has no name of its own."""
    tasks: dict[str, Any] = field(default_factory=dict)
    """The plan of every task, by name; empty is detection of `classes` alone, as the model has it by itself."""
    source: str = ""
    """The file that the weights were converted from."""
    licence: str = "Apache-2.0"
    """Licence of the weights."""
    data: tuple[str, ...] = ()
    """What the network was trained on."""
    teacher: str = ""
    """Another network whose answers were learned from, if any."""
    epochs: float = 0
    """How often the training data was seen."""
    seed: int = 0
    """Seed of the run."""
    hardware: str = ""
    """What it was trained on, and for how long."""
    recipe: dict[str, Any] = field(default_factory=dict)
    """The whole recipe of the run."""
    figures: dict[str, float] = field(default_factory=dict)
    """Accuracy, as `tacit val` printed it."""
    scored_on: str = ""
    """The photographs behind the figures."""

    def plans(self) -> dict[str, Any]:
        """The plan of every task, stated or not."""
        return self.tasks or {"detect": {"classes": list(self.classes)}}

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Record:
        """The record again. Raises WeightsError where the text is not one."""
        try:
            values = json.loads(text)
            known = {f.name for f in fields(cls)}
            lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
            record = cls(**{name: value for name, value in {**values, **lists}.items() if name in known})
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise WeightsError(f"the record in the weights file is damaged ({error})") from error
        return record._checked()

    def _checked(self) -> Record:
        right = (
            isinstance(self.model, str)
            and isinstance(self.classes, tuple)
            and all(isinstance(name, str) for name in self.classes)
            and isinstance(self.input_size, int)
            and isinstance(self.structure, dict)
            and isinstance(self.tasks, dict)
            and all(isinstance(plan, dict) for plan in self.tasks.values())
            and isinstance(self.source, str)
        )
        if not right:
            raise WeightsError("the record in the weights file is damaged: model, classes or input_size are amiss")
        return self
