"""Modules without a random start, for weights that are about to be overwritten or were never meant to have values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import Tensor
from torch.nn import init
from torch.overrides import TorchFunctionMode

RANDOM = {init.kaiming_uniform_, init.uniform_, Tensor.uniform_, Tensor.normal_}


class Blank(TorchFunctionMode):
    """`with Blank():` random fills do nothing: a new convolution holds whatever lay in memory.

    The largest published model is there in a tenth of the time, and its memory is not touched before it is written.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        named = dict(kwargs or {})
        if func in RANDOM:
            return args[0] if args else named["tensor"]
        return func(*args, **named)
