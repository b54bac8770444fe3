"""Parameter groups, warm-up, schedule and averaging, as in the reference (official_models, section 8)."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from tacit.network import Network
from tacit.nn.knowledge import Knowledge
from tacit.training.muon import Muon
from tacit.training.recipe import Algorithm, Optimiser, Recipe

BIASES = 2  # position of their group
NOMINAL_BATCH = 64  # weight decay is stated for this many photographs a step


def parameter_groups(network: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter], list[nn.Parameter]]:
    """(weights of norms and words, all implicit knowledge; other weights; biases); only the second is decayed."""
    free: list[nn.Parameter] = []
    decayed: list[nn.Parameter] = []
    biases: list[nn.Parameter] = []
    for module in network.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if not parameter.requires_grad:
                continue
            if name.endswith("bias"):
                biases.append(parameter)
            elif isinstance(module, nn.BatchNorm2d | nn.LayerNorm | nn.Embedding | nn.ParameterDict | Knowledge):
                free.append(parameter)
            else:
                decayed.append(parameter)
    return free, decayed, biases


def build_optimiser(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """SGD with Nesterov momentum or AdamW over the three groups; Muon over a fourth, taken out of the second."""
    plan = recipe.optimiser
    free, decayed, biases = parameter_groups(network)
    if plan.algorithm is Algorithm.MUON:
        return _muon(network, plan)
    if plan.algorithm is Algorithm.ADAMW:
        groups = _groups(free, decayed, biases, plan.weight_decay)
        return torch.optim.AdamW(groups, lr=plan.peak, betas=(plan.momentum, 0.999), weight_decay=0.0)
    decay = plan.weight_decay * recipe.batch * recipe.accumulate / NOMINAL_BATCH
    groups = _groups(free, decayed, biases, decay)
    return torch.optim.SGD(groups, lr=plan.peak, momentum=plan.momentum, nesterov=True)


def _groups(
    free: list[nn.Parameter], decayed: list[nn.Parameter], biases: list[nn.Parameter], decay: float
) -> list[dict[str, Any]]:
    return [{"params": free}, {"params": decayed, "weight_decay": decay}, {"params": biases}]


def _muon(network: nn.Module, plan: Optimiser) -> torch.optim.Optimizer:
    """Muon for the convolutions inside; those that answer, and have a bias for it, learn by AdamW as the rest does."""
    inside = {m.weight for m in network.modules() if isinstance(m, nn.Conv2d) and m.bias is None}
    free, decayed, biases = parameter_groups(network)
    answers = [weight for weight in decayed if weight not in inside]
    matrices = [weight for weight in decayed if weight in inside]
    groups = _groups(free, answers, biases, plan.weight_decay)
    groups.append({"params": matrices, "weight_decay": plan.weight_decay})
    for group in groups:
        group["matrices"] = group["params"] is matrices
    return Muon(groups, lr=plan.peak, betas=(plan.momentum, 0.999), weight_decay=0.0)


@dataclass(frozen=True)
class Schedule:
    """Rate and momentum of every optimiser step; steps are counted from 0."""

    plan: Optimiser
    steps_per_epoch: int
    epochs: int

    @property
    def warmup(self) -> int:
        """Steps of the warm-up."""
        wanted = max(round(self.plan.warmup_epochs * self.steps_per_epoch), self.plan.warmup_steps)
        return min(wanted, self.steps_per_epoch * self.epochs // 3)

    def rate(self, step: int) -> float:
        """Half a cosine from the peak to `final_factor` of it over the run, without the warm-up."""
        done = step / (self.steps_per_epoch * self.epochs)
        final = self.plan.final_factor
        return self.plan.peak * ((1 + math.cos(math.pi * done)) / 2 * (1 - final) + final)

    def apply(self, optimiser: torch.optim.Optimizer, step: int) -> None:
        """Set the groups' rates, and SGD's momentum, for `step`."""
        share = min(1.0, step / self.warmup) if self.warmup else 1.0
        sgd = self.plan.algorithm in {Algorithm.AUTO, Algorithm.SGD}
        for position, group in enumerate(optimiser.param_groups):
            start = self.plan.warmup_bias_rate if sgd and position == BIASES else 0.0
            group["lr"] = start + share * (self.rate(step) - start)
            if sgd:
                group["momentum"] = self.plan.warmup_momentum + share * (self.plan.momentum - self.plan.warmup_momentum)


class MovingAverage:
    """An exponential moving average of the weights, batch norm statistics included: what is validated and kept."""

    def __init__(self, network: Network, plan: Optimiser) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.plan, self.updates = plan, 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Move a little towards `network`; at first more, so that random weights are soon forgotten."""
        self.updates += 1
        decay = self.plan.ema_decay * (1 - math.exp(-self.updates / self.plan.ema_ramp))
        ours, theirs = self.network.state_dict(), network.state_dict()
        floats = [name for name, value in ours.items() if value.is_floating_point()]
        torch._foreach_lerp_([ours[name] for name in floats], [theirs[name] for name in floats], 1 - decay)
        for name in ours.keys() - set(floats):
            ours[name].copy_(theirs[name])
