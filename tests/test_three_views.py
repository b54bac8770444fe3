"""Test-time augmentation of published models: the official rows, and a P6 model, where the official code stops."""

import numpy as np
import pytest
import torch
from published import arrays_of, facts_of, filled, golden_images, on_meta, untouched

from tacit.geometry.views import THREE_VIEWS
from tacit.stages import Stages
from tacit.zoo import create


@pytest.mark.parametrize("model", ["yolor-csp", "yolor-s4-dwt"])
@torch.inference_mode()
def test_value_official_rows(model: str) -> None:
    golden = arrays_of(model, suffix="_b2_320x448")
    stages = Stages(filled(model, facts_of(model)["conv_gain"]), ("thing",), 448, views=THREE_VIEWS)
    rows = stages.look(golden_images(golden["input_shape"].tolist())[:1])["detect"]["rows"][0]
    assert len(rows) == golden["tta_num_rows"] == 20_034
    wanted = golden["tta_decoded"]
    error = np.abs(rows[golden["tta_rows"]].numpy() - wanted) / np.maximum(1, np.abs(wanted))
    assert error.max() < 1e-4


@torch.inference_mode()
def test_shape_p6() -> None:
    with untouched():
        stages = Stages(create("yolor-p6", 1), ("thing",), 256, views=THREE_VIEWS)
    sides = [(192, 256), (192, 256), (192, 192)]  # 159.4 x 212.5 and 128.6 x 171.5 to multiples of 64
    rows = [3 * sum(height * width // stride**2 for stride in (8, 16, 32, 64)) for height, width in sides]
    assert stages.look(torch.rand(1, 3, 192, 256))["detect"]["rows"].shape == (1, sum(rows), 6)


def test_the_published_grid_fits_every_published_network() -> None:
    from tacit.rectangular import GRIDS

    for model, grid in GRIDS.items():
        assert grid.stride % on_meta(model, 1).stride == 0
