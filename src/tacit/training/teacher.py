"""Learning from another network's features beside the labels (feature distillation, FitNets, arXiv 1412.6550).

A few boxes a photograph say little; a teacher has something to say about every cell. The teacher is an ONNX file that
turns RGB images (B, 3, H, W) in [0, 1] into one map a level, at the strides of the trunk. A 1x1 convolution a level,
trained along and thrown away, predicts the teacher's map from ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from tacit.errors import ConfigError, MissingExtraError, WeightsError
from tacit.network import Network


class Teacher(nn.Module):
    """Compares the pyramid of `network` with the maps of the ONNX file at `path`.

    Raises WeightsError for a file that is no such teacher, MissingExtraError without onnxruntime.
    """

    def __init__(self, path: Path, network: Network) -> None:
        super().__init__()
        self._session = _session(path)
        widths = [int(output.shape[1]) for output in self._session.get_outputs()]
        channels: Sequence[int] = network.trunk.channels  # type: ignore[assignment]  # every trunk has them
        if len(widths) != len(channels):
            raise ConfigError(f"{path} gives {len(widths)} maps", allowed=f"{len(channels)}, one a level of the trunk")
        pairs = list(zip(channels, widths, strict=True))
        self.predict = nn.ModuleList(nn.Conv2d(ours, theirs, kernel_size=1) for ours, theirs in pairs)
        # the teacher's channels differ in scale: each counts by its own deviation
        self.standard = nn.ModuleList(nn.BatchNorm2d(theirs, affine=False) for theirs in widths)
        self._pyramid: Sequence[Tensor] = ()
        # taken by a hook, so that `forward` of the network keeps its one return type
        network.trunk.register_forward_hook(self._remember)

    def loss(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, ""]:
        """Mean squared error of the predicted maps, for the images that the network has just seen.

        The teacher's maps are standardised: at 1 the prediction is no better than their means.
        """
        pixels = images.contiguous().cpu().numpy()
        maps = self._session.run(None, {self._session.get_inputs()[0].name: pixels})
        errors = [
            functional.mse_loss(predict(ours.float()), standard(torch.from_numpy(theirs).to(ours.device)))
            for predict, standard, ours, theirs in zip(self.predict, self.standard, self._pyramid, maps, strict=True)
        ]
        return torch.stack(errors).mean()

    def _remember(self, _: nn.Module, __: tuple[Any, ...], pyramid: Sequence[Tensor]) -> None:
        self._pyramid = pyramid


def _session(path: Path) -> Any:
    try:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as faults
    except ModuleNotFoundError as error:
        raise MissingExtraError("onnxruntime") from error
    if not path.is_file():
        raise WeightsError(f"there is no teacher at {path}", fix="check the path")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # its threads would keep ours waiting
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except (
        faults.Fail,
        faults.InvalidArgument,
        faults.InvalidGraph,
        faults.InvalidProtobuf,
        faults.NotImplemented,
    ) as error:
        raise WeightsError(f"{path} is not an ONNX network ({error})") from error
