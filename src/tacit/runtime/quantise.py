"""Networks in int8: 256 steps for every channel of a weight and for every map, measured on photographs (by nncf).

Weights are symmetric around zero. Maps are not, as SiLU gives almost nothing below it ("mixed", in nncf's words): all
256 steps lie where their values are. What shifts the mean of a map is taken back into the bias.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32

from tacit.errors import ConfigError
from tacit.runtime.kept import ahead_of, joined, last_convolutions
from tacit.runtime.silence import unreported

if TYPE_CHECKING:
    from openvino import Model

MOST = 300
"""Photographs to measure on; more change nothing."""


def quantised(model: Model, batches: Iterable[Float32[np.ndarray, "b 3 h w"]]) -> Model:
    """`model` (OpenVINO's, with pictures in [0, 1] as its one input) with int8 in all layers but those of `kept`.

    `batches` are gone through several times; they are pictures as prediction prepares them. What int8 leaves over is
    calculated in what the engine says. Raises ConfigError where the extra `int8` is missing.
    """
    nncf = require_nncf()
    whole = model.clone()
    ends = last_convolutions(whole)
    ahead = ahead_of(whole, ends)
    with redirect_stdout(io.StringIO()):  # its bars
        small = nncf.quantize(
            ahead.clone(),  # nncf follows what a layer feeds, and these feed the rest of `whole` too
            nncf.Dataset(batches),
            preset=nncf.QuantizationPreset.MIXED,
            target_device=nncf.TargetDevice.CPU,
            subset_size=MOST,
            ignored_scope=nncf.IgnoredScope(names=[end.get_friendly_name() for end in ends]),
        )
    return joined(small, ahead, whole)


def require_nncf() -> Any:
    """The library, quiet. Raises ConfigError where it is missing."""
    try:
        with unreported():
            import nncf
    except ImportError as error:
        raise ConfigError("int8 needs nncf", fix="pip install 'tacit[int8]'") from error
    nncf.set_log_level(logging.ERROR)
    return nncf
