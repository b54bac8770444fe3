"""A network in figures: parameters, work, and every layer, without a byte of memory for its weights.

The forward pass is a rehearsal on torch's meta device, where tensors have shapes and no values: the largest published
model, of 287 million parameters, takes a fraction of a second. Work is counted as in the reference (official_models,
section 1): two floating point operations for every multiplication and addition of the convolutions, nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from tacit.errors import ConfigError
from tacit.network import Network
from tacit.nn.blocks import ConvBNAct
from tacit.nn.join import Join
from tacit.nn.knowledge import Combine, InnerProduct, Knowledge
from tacit.tasks.detect.anchors import Anchors
from tacit.tasks.detect.head import Detect
from tacit.zoo import create


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer: a convolution with what belongs to it, a piece of knowledge, a pool."""

    name: str
    """Of the module in the network."""
    kind: str
    shape: tuple[int, ...]
    """Of its output for one image: channels, height, width."""
    parameters: int
    flops: int
    """For one image."""


@dataclass(frozen=True, kw_only=True)
class Description:
    """What there is to tell of a network at one input size."""

    size: int
    """Pixels a side."""
    parameters: int
    knowledge: int
    """Those of the parameters that are implicit knowledge."""
    flops: int
    """For one image."""
    tasks: tuple[str, ...]
    """What it answers."""
    strides: tuple[int, ...]
    """Pixels, finest level first; of a network that detects."""
    anchors: Anchors
    """(w, h) in pixels, by level; of a network that detects."""
    layers: tuple[Layer, ...]

    @property
    def gflops(self) -> float:
        """In thousands of millions."""
        return self.flops / 1e9


def blank(model: str, classes: int = 80) -> Network:
    """The network of that name in the zoo with shapes in the place of weights. Raises ConfigError as `create` does."""
    with torch.device("meta"):
        return create(model, classes)


def describe(network: Network, size: int) -> Description:
    """The figures of `network`, which stays as it is, for images of `size` x `size` pixels.

    Raises ConfigError for a size that the network cannot take.
    """
    work: dict[str, int] = defaultdict(int)
    shapes: dict[str, tuple[int, ...]] = {}
    units = dict(_units(network))

    def count(name: str, module: nn.Module, output: Tensor) -> None:
        shapes[name] = tuple(output.shape[1:])
        convolutions = (part for part in module.modules() if isinstance(part, nn.Conv2d))
        work[name] += sum(2 * output[0].numel() * conv.weight[0].numel() for conv in convolutions)

    hooks = [unit.register_forward_hook(_named(name, count)) for name, unit in units.items()]
    try:
        rehearse(network, size)
    finally:
        for hook in hooks:
            hook.remove()
    detect = [task for task in network.tasks.values() if isinstance(task, Detect)]
    return Description(
        size=size,
        parameters=_parameters(network),
        knowledge=sum(_parameters(part) for part in network.modules() if isinstance(part, Knowledge)),
        flops=sum(work.values()),
        tasks=tuple(network.tasks),
        strides=next((task.strides for task in detect), ()),
        anchors=next(map(_anchors, detect), ()),
        layers=tuple(_layer(name, units[name], shape, work[name]) for name, shape in shapes.items()),
    )


def rehearse(network: Network, size: int) -> None:
    """A forward pass of shapes alone, for hooks to see. Raises ConfigError for a size that the network cannot take."""
    if size < 1 or size % network.stride:
        raise ConfigError(f"the size is {size} pixels", allowed=f"multiples of {network.stride}")
    values = chain(network.named_parameters(), network.named_buffers())
    state = {name: torch.empty_like(value, device="meta") for name, value in values if not value.is_meta}
    with torch.no_grad(), _WithoutNorms():
        torch.func.functional_call(network, state, (torch.empty(1, 3, size, size, device="meta"),))


def kind_of(module: nn.Module) -> str:
    """What a layer is, in words."""
    if isinstance(module, nn.Conv2d):
        kernel, stride = module.kernel_size[0], module.stride[0]
        return f"conv {kernel}x{kernel}" + (f" /{stride}" if stride > 1 else "")
    if isinstance(module, nn.BatchNorm2d):
        return "batch norm"
    if isinstance(module, Combine):
        return f"{type(module).__name__.lower()} knowledge"
    if isinstance(module, ConvBNAct | Join):
        parts = [kind_of(part) for part in module.children() if not isinstance(part, nn.Identity)]
        return ", ".join(["concat", *parts] if isinstance(module, Join) else parts)
    return type(module).__name__


class _WithoutNorms(TorchFunctionMode):
    """Batch norms give back what they get: they keep the shape, and to rehearse them takes longer than all the rest."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return args[0] if func is functional.batch_norm else func(*args, **(kwargs or {}))


def _units(module: nn.Module, name: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The parts that count as one layer."""
    if (
        isinstance(module, nn.Conv2d | InnerProduct | ConvBNAct | Combine | Join)
        or next(module.children(), None) is None
    ):
        yield name, module
        return
    for child_name, child in module.named_children():
        yield from _units(child, f"{name}.{child_name}".removeprefix("."))


def _named(name: str, count: Callable[[str, nn.Module, Tensor], None]) -> Callable[[nn.Module, object, Tensor], None]:
    return lambda module, _, output: count(name, module, output)


def _layer(name: str, module: nn.Module, shape: tuple[int, ...], flops: int) -> Layer:
    return Layer(name=name, kind=kind_of(module), shape=shape, parameters=_parameters(module), flops=flops)


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _anchors(task: Detect) -> Anchors:
    if task.anchors.is_meta:
        return task.anchor_sizes
    return tuple(tuple((round(w), round(h)) for w, h in level) for level in task.anchors.tolist())
