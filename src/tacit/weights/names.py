"""Names in the official files and names here: pure translation, both ways (official_models, sections 2, 3 and 5).

The blocks of a file come in the order in which a `PyramidTrunk` registers its own (in the paper line a level's last
convolution earlier, see below); inside a block the paper line's numbered convolutions have a fixed role each. What is
no weight there (anchors, wavelet filters) has no name here. The way back is the same table turned around:
`{ours: official for official, ours in names.items()}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from torch import nn

from tacit.errors import WeightsError
from tacit.network import Network
from tacit.nn.blocks import CSP, CSP2, SPPCSP, Bottleneck, ConvBNAct, DownC
from tacit.nn.knowledge import Knowledge
from tacit.trunks.pyramid import PyramidTrunk

NO_WEIGHT = re.compile(r"\.(anchors|anchor_grid)$|\.xfm\.")
CFG_ENTRIES = {"Conv2d": "conv", "BatchNorm2d": "bn", "implicit": "z"}
PAPER_HEAD = {"m": "conv", "ia": "add.knowledge", "im": "multiply.knowledge"}
PAPER_ROLES: dict[type[nn.Module], dict[str, str]] = {
    ConvBNAct: {"conv": "conv", "bn": "bn"},
    Bottleneck: {"cv1": "reduce", "cv2": "spread"},
    DownC: {"cv1": "strided.0", "cv2": "strided.1", "cv3": "pooled.1"},
    CSP: {"cv1": "enter", "cv2": "bypass", "m": "main", "cv3": "main.tail", "bn": "join.norm", "cv4": "merge"},
    CSP2: {"cv1": "enter", "cv2": "bypass", "m": "main", "bn": "join.norm", "cv3": "merge"},
    SPPCSP: {
        "cv1": "enter.0", "cv3": "enter.1", "cv4": "enter.2", "cv2": "bypass",
        "cv5": "mix.0", "cv6": "mix.1", "bn": "join.norm", "cv7": "merge",
    },
}  # fmt: skip


def convolutions(network: Network) -> list[str]:
    """The modules around every convolution in the cfg line's order, which is that of darknet's weights too.

    All are `ConvBNAct`s with `.conv` and `.bn`, but for the heads `tasks.detect.heads.{level}` with `.conv` alone, each
    behind the 3x3 convolution of its level.
    """
    blocks = [f"trunk.{name}" for name, part in network.trunk.named_modules() if isinstance(part, ConvBNAct)]
    heads = [f"tasks.detect.heads.{level}" for level in range(len(_trunk(network).outs))]
    body, outs = blocks[: -len(heads)], blocks[-len(heads) :]
    return body + [name for pair in zip(outs, heads, strict=True) for name in pair]


def cfg_names(keys: Iterable[str], network: Network) -> dict[str, str]:
    """Official key -> ours, for the keys `module_list.{i}...` of a file of the cfg line and the network it fits.

    Raises WeightsError if the file has other blocks than the network, or entries that the network has no place for.
    """
    parsed = {key: _parse(key, "module_list") for key in keys}
    known = {index for index, path in parsed.values() if path[0] == "implicit"}
    owners = _pair({index for index, _ in parsed.values()} - known, convolutions(network))
    owners |= _pair(known, _knowledge(network))
    return _checked({key: _cfg_name(owners[index], path) for key, (index, path) in parsed.items()}, network)


def paper_names(keys: Iterable[str], network: Network) -> dict[str, str]:
    """Official key -> ours, for the keys `model.{i}...` of a file of the paper line and the network it fits.

    Raises WeightsError if the file has other blocks than the network, or entries that the network has no place for.
    """
    parsed = {key: _parse(key, "model") for key in keys if not NO_WEIGHT.search(key)}
    owners = _pair({index for index, _ in parsed.values()}, [*_paper_blocks(_trunk(network)), "tasks.detect"])
    return _checked({key: _paper_name(owners[i], path, network) for key, (i, path) in parsed.items()}, network)


def _trunk(network: Network) -> PyramidTrunk:
    assert isinstance(network.trunk, PyramidTrunk)
    return network.trunk


def _parse(key: str, prefix: str) -> tuple[int, list[str]]:
    """The number of the block, and the way inside it."""
    parts = re.fullmatch(rf"{prefix}\.(\d{{1,6}})\.(.+)", key)
    if parts is None:
        raise _unknown(key)
    return int(parts[1]), parts[2].split(".")


def _unknown(key: str) -> WeightsError:
    return WeightsError(f"the weights have an entry {key!r}, which this model has no place for")


def _pair(indices: set[int], names: Sequence[str]) -> dict[int, str]:
    if len(indices) != len(names):
        raise WeightsError(f"the weights are of another model: they have {len(indices)} blocks where {len(names)} fit")
    return dict(zip(sorted(indices), names, strict=True))


def _checked(names: dict[str, str], network: Network) -> dict[str, str]:
    wanted, taken = network.state_dict().keys(), set[str]()
    for official, ours in names.items():
        if ours not in wanted or ours in taken:
            raise _unknown(official)
        taken.add(ours)
    return names


def _knowledge(network: Network) -> list[str]:
    """In the cfg line's order: all that is added, then all that multiplies."""
    found = [name for name, part in network.named_modules() if isinstance(part, Knowledge)]
    return [name for operator in ("add", "multiply") for name in found if f".{operator}." in name]


def _cfg_name(owner: str, path: list[str]) -> str:
    return ".".join([owner, CFG_ENTRIES.get(path[0], "?"), *path[1:]])


def _paper_blocks(trunk: PyramidTrunk) -> list[str]:
    """In the paper line's order: the last convolution of a level stands right behind the step up to that level."""
    stem = [f"stem.{name}" for name, part in trunk.stem.named_children() if isinstance(part, ConvBNAct)]
    stages = [f"stages.{i}.{name}" for i, stage in enumerate(trunk.stages) for name, _ in stage.named_children()]
    down = [f"descents.{i}.{name}" for i in range(len(trunk.descents)) for name in ("lower", "lateral", "csp")]
    up = [
        name for i in range(len(trunk.ascents)) for name in (f"ascents.{i}.halve", f"ascents.{i}.csp", f"outs.{i + 1}")
    ]
    return [f"trunk.{name}" for name in [*stem, *stages, "pool", *down, "outs.0", *up]]


def _paper_name(owner: str, path: list[str], network: Network) -> str:
    if owner == "tasks.detect":  # m.{level}.weight, ia.{level}.implicit
        part, level, entry = path if len(path) == 3 else ("?", "?", "?")
        return f"{owner}.heads.{level}.{PAPER_HEAD.get(part, '?')}.{'z' if entry == 'implicit' else entry}"
    block = network.get_submodule(owner)
    roles = next(table for kind, table in PAPER_ROLES.items() if isinstance(block, kind))
    inner = path[1:]
    if path[0] == "m" and len(inner) > 1:  # m.{bottleneck}.cv1.conv.weight
        inner[1] = PAPER_ROLES[Bottleneck].get(inner[1], "?")
    return ".".join([owner, roles.get(path[0], "?"), *inner])
