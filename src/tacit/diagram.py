"""The blocks of a network, and which of them reads what another made.

Nothing is told from memory of how such networks look: a rehearsal of the forward pass records which blocks every tensor
comes from. A block's row is its stride; a column begins where the data stays at its stride, so the backbone goes down
on the left, the paths beside it up and down again, and the heads stand on the right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import groupby
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from tacit.describe import kind_of, rehearse
from tacit.network import Network
from tacit.nn.blocks import CSP2, SPPCSP, Bottleneck, ConvBNAct, DownC
from tacit.nn.join import CrossStage
from tacit.nn.knowledge import Add, Concat, Multiply

IMAGE = "image"
SIGNS: dict[type[nn.Module], str] = {Add: "+ z", Multiply: "× z", Concat: "[z, ]"}  # z is the implicit knowledge


class Role(Enum):
    """What a block is for."""

    INPUT = "input"
    BACKBONE = "backbone"
    POOL = "pyramid pooling"
    NECK = "paths down and up"
    LEVEL = "levels"
    HEAD = "heads"


@dataclass(frozen=True, kw_only=True)
class Block:
    """One box of the drawing."""

    name: str
    """Of the module in the network."""
    role: Role
    layers: tuple[str, ...]
    """What is in it, in words."""
    shape: tuple[int, ...]
    """Of its output for one image: channels, height, width."""
    sources: tuple[str, ...]
    """The blocks that it reads."""
    column: int = 0
    row: int = 0

    @property
    def content(self) -> str:
        """The layers, those that are alike counted."""
        runs = [(layer, len(list(run))) for layer, run in groupby(self.layers)]
        return ", ".join(layer if count == 1 else f"{count} {layer}" for layer, count in runs)


def blocks_of(network: Network, size: int) -> tuple[Block, ...]:
    """The blocks in the order of the forward pass, the image first, for `size` x `size` pixels, placed to be drawn.

    Raises ConfigError for a size that the network cannot take.
    """
    modules = dict(_modules("trunk", network.trunk))
    for name, task in network.tasks.items():
        modules.update(_modules(f"tasks.{name}", task))
    with _Provenance(modules) as seen:
        rehearse(network, size)
    blocks = [Block(name=IMAGE, role=Role.INPUT, layers=("RGB",), shape=(3, size, size), sources=())]
    for name, sources in seen.sources.items():
        blocks.append(
            Block(
                name=name,
                role=_role(name, modules[name]),
                layers=tuple(_layers(modules[name])),
                shape=seen.shapes[name],
                sources=sources or (IMAGE,),
            )
        )
    return _placed(blocks)


class _Provenance(TorchFunctionMode):
    """Within it, of every tensor the blocks it was computed from, up to the last ones on the way."""

    def __init__(self, modules: dict[str, nn.Module]) -> None:
        super().__init__()
        self.sources: dict[str, tuple[str, ...]] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._origins: dict[int, tuple[str, ...]] = {}
        self._kept: list[Tensor] = []  # or another tensor would get the id of one that is gone
        self._hooks = [module.register_forward_hook(self._hook(name)) for name, module in modules.items()]

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor):
            self._remember(result, self._of(args))
        return result

    def __exit__(self, *reason: Any) -> None:
        for hook in self._hooks:
            hook.remove()
        super().__exit__(*reason)  # type: ignore[no-untyped-call]

    def _hook(self, name: str) -> Any:
        def note(_: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
            self.sources[name], self.shapes[name] = self._of(inputs), tuple(output.shape[1:])
            self._remember(output, (name,))

        return note

    def _remember(self, tensor: Tensor, origin: tuple[str, ...]) -> None:
        self._origins[id(tensor)] = origin
        self._kept.append(tensor)

    def _of(self, values: Sequence[Any]) -> tuple[str, ...]:
        found: dict[str, None] = {}  # in the order of the arguments, each once
        for value in values:
            if isinstance(value, Tensor):
                found.update(dict.fromkeys(self._origins.get(id(value), ())))
            elif isinstance(value, list | tuple):
                found.update(dict.fromkeys(self._of(value)))
        return tuple(found)


def _modules(name: str, module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The parts that are drawn as a box: the children, lists of them opened."""
    for child_name, child in module.named_children():
        path = f"{name}.{child_name}"
        if isinstance(child, nn.ModuleList):
            yield from _modules(path, child)
        else:
            yield path, child


def _role(name: str, module: nn.Module) -> Role:
    if name.startswith("tasks."):
        return Role.HEAD
    kinds = {type(part) for part in module.modules()}
    if SPPCSP in kinds:
        return Role.POOL
    if CSP2 in kinds:
        return Role.NECK
    return Role.LEVEL if isinstance(module, ConvBNAct) else Role.BACKBONE


def _layers(module: nn.Module) -> Iterator[str]:
    """What is in a block, in words."""
    if isinstance(module, CrossStage):
        depth = sum(isinstance(part, Bottleneck) for part in module.modules())
        yield f"{type(module).__name__} ×{depth}" if depth else type(module).__name__
    elif isinstance(module, ConvBNAct):
        yield kind_of(module.conv)
    elif type(module) in SIGNS:
        yield SIGNS[type(module)]
    elif isinstance(module, DownC | Bottleneck) or next(module.children(), None) is None:
        yield kind_of(module)
    else:
        for child in module.children():
            yield from _layers(child)


def _placed(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Every block in a cell of its own; levels and heads in one column each."""
    heights = sorted({block.shape[1] for block in blocks}, reverse=True)
    placed: dict[str, Block] = {}
    for block in blocks:
        row, sources = heights.index(block.shape[1]), [placed[source] for source in block.sources]
        column = max((source.column + (source.row == row) for source in sources), default=0)
        taken = {(other.column, other.row) for other in placed.values()}
        while (column, row) in taken:
            column += 1
        placed[block.name] = replace(block, column=column, row=row)
    last = {role: max((b.column for b in placed.values() if b.role is role), default=0) for role in Role}
    last[Role.HEAD] = max(last[Role.HEAD], last[Role.LEVEL] + 1)
    return tuple(
        replace(block, column=last[block.role]) if block.role in {Role.LEVEL, Role.HEAD} else block
        for block in placed.values()
    )
