"""How much each task counts beside the others (no torch in here: the command line reads it)."""

from __future__ import annotations

from dataclasses import dataclass, field

from tacit.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Balance:
    """Weights of the tasks' losses: stated, or learned from them."""

    weights: dict[str, float] = field(default_factory=dict)
    """By task; a task that is not named counts 1."""
    learned: bool = False
    """Learn the weights by each task's uncertainty (Kendall et al. 2018, arXiv 1705.07115), from the stated ones."""
    conflict_every: int = 50
    """Steps between two looks at how far the gradients of the tasks agree; 0 never looks."""

    def __post_init__(self) -> None:
        for name, weight in self.weights.items():
            if not 0 <= weight < 1e9:
                raise ConfigError(f"the task {name!r} cannot count {weight!r}", allowed="numbers from 0")
        if self.conflict_every < 0:
            raise ConfigError(f"conflict_every={self.conflict_every} is impossible", allowed="whole numbers from 0")
