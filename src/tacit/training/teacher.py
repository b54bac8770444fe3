"""Learning from another network's features beside the labels (feature distillation, FitNets, arXiv 1412.6550).

A few boxes a photograph say little; a teacher has something to say about every cell, and to every stage. The teacher is
an ONNX file that turns RGB images (B, 3, H, W) in [0, 1] into maps, each named after the module of the trunk that
learns from it, such as `stages.2`, and of its height and width. A 1x1 convolution a map, trained along and thrown away,
predicts the teacher's map from ours.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from tacit.errors import ConfigError, MissingExtraError, WeightsError
from tacit.network import Network


class Teacher(nn.Module):
    """Compares what modules of the trunk of `network` give with the maps of the same names of the ONNX file at `path`.

    Raises WeightsError for a file that is no such teacher, MissingExtraError without onnxruntime.
    """

    def __init__(self, path: Path, network: Network) -> None:
        super().__init__()
        self._session = _session(path)
        self._ours: dict[str, Tensor] = {}
        self._names = [output.name for output in self._session.get_outputs()]
        modules = dict(network.trunk.named_modules())
        for name in self._names:
            if name not in modules:
                allowed = "names of modules of the trunk, such as stages.2 or outs.0"
                raise ConfigError(f"{path} has a map {name!r}", allowed=allowed)
            modules[name].register_forward_hook(partial(self._remember, name))
        theirs = [int(output.shape[1]) for output in self._session.get_outputs()]
        pairs = zip(self._widths(network), theirs, strict=True)
        self.predict = nn.ModuleList(nn.Conv2d(ours, other, kernel_size=1) for ours, other in pairs)
        # the teacher's channels differ in scale: each counts by its own deviation
        self.standard = nn.ModuleList(nn.BatchNorm2d(other, affine=False) for other in theirs)

    def loss(self, images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, ""]:
        """Mean squared error of the predicted maps, for the images that the network has just seen.

        The teacher's maps are standardised: at 1 the prediction is no better than their means.
        """
        pixels = images.contiguous().cpu().numpy()
        maps = self._session.run(None, {self._session.get_inputs()[0].name: pixels})
        rows = zip(self.predict, self.standard, self._names, maps, strict=True)
        errors = [
            functional.mse_loss(predict(self._ours[name].float()), standard(torch.from_numpy(theirs).to(images.device)))
            for predict, standard, name, theirs in rows
        ]
        return torch.stack(errors).mean()

    def _remember(self, name: str, _: nn.Module, __: tuple[Any, ...], output: Tensor) -> None:
        self._ours[name] = output

    @torch.no_grad()
    def _widths(self, network: Network) -> list[int]:
        """Channels of our maps, from one small look; batch norm learns nothing from it."""
        training = network.training
        network.eval()(torch.zeros(1, 3, network.stride, network.stride, device=next(network.parameters()).device))
        network.train(training)
        return [self._ours[name].shape[1] for name in self._names]


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
