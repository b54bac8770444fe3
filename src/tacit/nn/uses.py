"""Where tasks use implicit knowledge, as part of a recipe (no torch in here: the command line reads it)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tacit.errors import ConfigError


class Operator(Enum):
    """How knowledge meets the explicit part (paper, eq. 3)."""

    NONE = "none"
    ADD = "add"
    MULTIPLY = "multiply"
    CONCAT = "concat"


class Modelling(Enum):
    """How knowledge is modelled (paper, eqs. 6 to 8)."""

    VECTOR = "vector"
    NETWORK = "network"
    FACTORISATION = "factorisation"


@dataclass(frozen=True, kw_only=True)
class Uses:
    """Every task has its own knowledge at each of these places; the defaults are those of every published YOLOR."""

    alignment: Operator = Operator.ADD
    """Feature alignment (Fig. 4): how z meets the features before a task's convolution."""
    refinement: Operator = Operator.MULTIPLY
    """Prediction refinement: how z meets what the convolution gives; not concat."""
    selection: bool = False
    """Feature selection (Fig. 5c): a z of the task scales the features first."""
    clusters: bool = False
    """Alignment with one z for every anchor instead of one for all (Table 5, iFA*); detection only."""
    offsets: bool = False
    """Offset refinement (Fig. 5a): a z is added to the centres alone; detection only."""
    sizes: bool = False
    """Anchor refinement (Fig. 5b, Table 5, iPR*): a z multiplies widths and heights alone; detection only."""
    reduction: bool = False
    """Manifold reduction (Fig. 3): answers are inner products of projected features with z; tags only."""
    modelling: Modelling = Modelling.VECTOR
    """How every z is modelled."""

    def __post_init__(self) -> None:
        if self.refinement is Operator.CONCAT:
            raise ConfigError(
                "a prediction cannot be refined by concat: the constant would be an answer of its own",
                allowed="refinement none, add or multiply",
            )
        if self.clusters and self.alignment is Operator.NONE:
            raise ConfigError(
                "clusters is a form of alignment, and alignment is none",
                allowed="clusters with alignment add, multiply or concat",
            )
