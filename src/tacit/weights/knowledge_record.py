"""What a knowledge file says of itself: the task, the trunk it was taught to, and how it came to be."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from tacit.errors import WeightsError

LONGEST_NAME = 64
HASH = 64  # letters of a SHA-256


@dataclass(frozen=True, kw_only=True)
class KnowledgeRecord:
    """Stored as JSON in the header of the safetensors file."""

    name: str
    """What the network calls the task, such as "birds"."""
    task: str
    """The kind of task, such as "tags"."""
    plan: dict[str, Any]
    """What rebuilds the task."""
    model: str
    """The model whose trunk it was taught to."""
    trunk: str
    """SHA-256 of that trunk, as `trunk_hash` calculates it."""
    classes: tuple[str, ...] = ()
    """What it was taught to tell apart."""
    licence: str = "Apache-2.0"
    """Licence of the trunk, which the knowledge was derived from."""
    data: tuple[str, ...] = ()
    """The folder it was taught with."""
    photographs: int = 0
    """How many of them taught."""
    epochs: int = 0
    """How often each was seen."""
    seed: int = 0
    """Seed of the lesson."""
    recipe: dict[str, Any] = field(default_factory=dict)
    """The whole recipe of the lesson."""
    before: dict[str, float] = field(default_factory=dict)
    """Figures of the untaught head."""
    after: dict[str, float] = field(default_factory=dict)
    """Figures of the taught one."""
    scored_on: str = ""
    """The photographs behind the figures."""

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> KnowledgeRecord:
        """The record again. Raises WeightsError where the text is not one."""
        try:
            values = json.loads(text)
            known = {f.name for f in fields(cls)}
            lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
            record = cls(**{name: value for name, value in {**values, **lists}.items() if name in known})
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise WeightsError(f"the record in the knowledge file is damaged ({error})"[:200]) from error
        return record._checked()

    def _checked(self) -> KnowledgeRecord:
        texts = (self.name, self.task, self.model, self.trunk, self.licence, self.scored_on)
        right = (
            all(isinstance(text, str) for text in texts)
            and all(isinstance(table, dict) for table in (self.plan, self.recipe, self.before, self.after))
            and all(isinstance(names, tuple) for names in (self.classes, self.data))
            and all(isinstance(text, str) for text in (*self.classes, *self.data))
            and len(self.trunk) == HASH
            and is_name(self.name)
        )
        if not right:
            raise WeightsError("the record in the knowledge file is damaged: name, task, plan or trunk are amiss")
        return self


def is_name(name: str) -> bool:
    """Whether a task can be called so: letters, digits, - and _, a letter first."""
    return len(name) <= LONGEST_NAME and name.replace("-", "_").isidentifier() and not name.startswith(("_", "-"))
