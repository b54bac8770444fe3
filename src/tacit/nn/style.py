"""What the published lines build differently inside the same blocks (official_models, sections 2 and 3)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import nn


@dataclass(frozen=True, kw_only=True)
class Style:
    """One line's way with normalisation and activation; every block takes it."""

    eps: float
    """Of every batch norm."""
    joint: bool
    """The branches of a CSP stage end bare, and one batch norm and activation work on their concatenation;
    without it each branch has its own."""
    widest_pool_first: bool
    """Order of the pyramid pooling: pools of 13, 9, 5, then the map itself; without it the map, 5, 9, 13."""
    activation: type[nn.SiLU] | type[nn.Mish] = nn.SiLU
    """After every batch norm."""


CONFIGURED = Style(eps=1e-4, joint=False, widest_pool_first=True)
"""The line trained from darknet configuration files."""
MISH = replace(CONFIGURED, activation=nn.Mish)
"""The same, of the largest baselines."""
PAPER = Style(eps=1e-3, joint=True, widest_pool_first=False)
"""The line of the paper's repository."""
