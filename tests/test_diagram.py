"""The drawing of a network: its arrows are those of the forward pass, and every block has a place."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from tacit.describe import blank, describe
from tacit.diagram import Block, Role, blocks_of
from tacit.diagram_file import save_diagram
from tacit.errors import ConfigError
from tacit.network import Network
from tacit.nn.blocks import ConvBNAct
from tacit.tasks.detect.head import Detect
from tacit.zoo import MODELS


def named(model: str, size: int) -> dict[str, Block]:
    blocks = blocks_of(blank(model), size)
    return {block.name.removeprefix("trunk.").removeprefix("tasks.detect."): block for block in blocks}


def sources(blocks: dict[str, Block]) -> dict[str, set[str]]:
    return {name: {source.removeprefix("trunk.") for source in block.sources} for name, block in blocks.items()}


def test_the_arrows_of_a_published_model() -> None:
    blocks = named("yolor-p6", 128)
    assert sources(blocks) == {
        "image": set(),
        "stem": {"image"},
        "stages.0": {"stem"},
        "stages.1": {"stages.0"},
        "stages.2": {"stages.1"},
        "stages.3": {"stages.2"},
        "stages.4": {"stages.3"},
        "pool": {"stages.4"},
        "descents.0": {"pool", "stages.3"},
        "descents.1": {"descents.0", "stages.2"},
        "descents.2": {"descents.1", "stages.1"},
        "ascents.0": {"descents.2", "descents.1"},
        "ascents.1": {"ascents.0", "descents.0"},
        "ascents.2": {"ascents.1", "pool"},
        "outs.0": {"descents.2"},
        "outs.1": {"ascents.0"},
        "outs.2": {"ascents.1"},
        "outs.3": {"ascents.2"},
        **{f"heads.{level}": {f"outs.{level}"} for level in range(4)},
    }
    assert blocks["stages.1"].content == "conv 3x3 /2, CSP ×7"
    assert blocks["descents.0"].content == "2 conv 1x1, CSP2 ×3"
    assert blocks["heads.3"].content == "+ z, conv 1x1, × z"
    assert blocks["pool"].shape == (320, 2, 2)
    roles = {role: [name for name, block in blocks.items() if block.role is role] for role in Role}
    assert roles[Role.POOL] == ["pool"]
    assert len(roles[Role.NECK]) == 6
    assert roles[Role.LEVEL] == ["outs.0", "outs.1", "outs.2", "outs.3"]


class Beside(nn.Module):
    """A trunk that does between its modules what no hook sees."""

    def __init__(self) -> None:
        super().__init__()
        self.fine, self.coarse, self.unused = ConvBNAct(3, 4, 3, 2), ConvBNAct(4, 4, 3, 2), nn.Identity()
        self.out = nn.ModuleList([ConvBNAct(8, 8)])

    def forward(self, images: Tensor) -> tuple[Tensor]:
        fine = self.fine(images)
        coarse = functional.interpolate(self.coarse(fine) + 1, scale_factor=2.0)
        return (self.out[0](torch.cat([coarse.relu_(), fine * 2], dim=1)),)


def test_arrows_follow_the_data_through_whatever_stands_between_the_blocks() -> None:
    network = Network(Beside(), {"detect": Detect((8,), (2,), 3, (((8, 8),),))}, stride=4)
    blocks = blocks_of(network, 64)
    assert {block.name: block.sources for block in blocks} == {
        "image": (),
        "trunk.fine": ("image",),
        "trunk.coarse": ("trunk.fine",),
        "trunk.out.0": ("trunk.coarse", "trunk.fine"),
        "tasks.detect.heads.0": ("trunk.out.0",),
    }


def test_baselines_have_no_knowledge_in_their_heads() -> None:
    assert named("yolov4-csp", 64)["heads.0"].content == "conv 1x1"


@pytest.mark.parametrize("model", MODELS)
def test_every_model_can_be_placed(model: str) -> None:
    network = blank(model)
    size = 2 * network.stride
    blocks = blocks_of(network, size)
    cells = [(block.column, block.row) for block in blocks]
    assert len(set(cells)) == len(cells)
    assert [b.row for b in sorted(blocks, key=lambda b: -b.shape[1])] == sorted(b.row for b in blocks)
    last = max(block.column for block in blocks)
    assert {block.column for block in blocks if block.role is Role.HEAD} == {last}
    assert {block.column for block in blocks if block.role is Role.LEVEL} == {last - 1}
    names = tuple(f"{block.name}." for block in blocks)
    assert all(f"{layer.name}.".startswith(names) for layer in describe(network, size).layers)


def test_nothing_is_left_behind() -> None:
    network = blank("debug")
    assert blocks_of(network, 64) == blocks_of(network, 64)
    assert not any(part._forward_hooks for part in network.modules())


def test_the_picture(tmp_path: Path) -> None:
    blocks = blocks_of(blank("debug"), 64)
    save_diagram(blocks, tmp_path / "debug.png", "debug")
    with Image.open(tmp_path / "debug.png") as picture:
        assert picture.width > picture.height > 500
        assert len(picture.convert("RGB").getcolors(1 << 20) or ()) > len(Role)
    save_diagram(blocks, tmp_path / "debug.SVG", "debug")
    assert "<svg" in (tmp_path / "debug.SVG").read_text()
    save_diagram(blocks, tmp_path / "debug.pdf", "debug")
    assert (tmp_path / "debug.pdf").read_bytes().startswith(b"%PDF")


def test_other_endings_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no picture can be written as 'x.gif'. Allowed: .png, .svg, .pdf"):
        save_diagram(blocks_of(blank("debug"), 64), tmp_path / "x.gif", "debug")
