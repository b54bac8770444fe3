"""The drawing of a network: its arrows are those of the forward pass, and every block has a place."""

from pathlib import Path

import pytest
from PIL import Image

from tacit.describe import blank, describe
from tacit.diagram import Block, Role, blocks_of
from tacit.diagram_file import save_diagram
from tacit.errors import ConfigError
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


def test_convolutions_between_blocks_belong_to_the_one_that_reads_them() -> None:
    """In this trunk concatenation and upsampling stand between the modules, where no hook sees them."""
    blocks = named("nano", 64)
    assert not {"lower16", "lateral16", "raise16"} & set(blocks)
    assert set(blocks["down16"].parts) == {"trunk.lower16", "trunk.lateral16", "trunk.down16"}
    told = sources(blocks)
    assert told["down16"] == {"stage16", "pool"}
    assert told["up32"] == {"up16", "pool"}
    assert told["out8"] == {"down8"}


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
    parts = tuple(f"{part}." for block in blocks for part in block.parts)
    assert all(f"{layer.name}.".startswith(parts) for layer in describe(network, size).layers)


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
