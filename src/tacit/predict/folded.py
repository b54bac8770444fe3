"""The folded copy of a network that may still be trained."""

from __future__ import annotations

import torch

from tacit.network import Network
from tacit.runtime.rounded import rounded
from tacit.runtime.torch_engine import TorchEngine


class FoldedCopy:
    """Gives the folded network, and folds again once a weight has been changed, replaced or moved.

    Asked of torch's version counters, which optimisers, `load_state_dict` and `copy_` move: comparing the values would
    cost each prediction a third of a forward pass. Only writing through `parameter.data` in place goes past them.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self._versions: list[tuple[int, int]] = []
        self._copy: Network | None = None
        self._engines: dict[tuple[int, tuple[str, ...]], TorchEngine | None] = {}

    def __call__(self) -> Network:
        state = self.network.state_dict().values()
        versions = [(value.data_ptr(), value._version) for value in state]  # noqa: SLF001  (torch documents it)
        if self._copy is None or versions != self._versions:
            # as pictures come: the same bits, and no pass has to reorder weights
            folded = self.network.fold().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            self._versions, self._copy = versions, folded
            self._engines.clear()
        return self._copy

    def engine(self, names: tuple[str, ...], size: int, tasks: tuple[str, ...]) -> TorchEngine | None:
        """What is faster for these tasks at this size than the folded network itself, and answers alike, if anything
        is (`rounded`).
        """
        network, key = self(), (size, tasks)
        if key not in self._engines:
            self._engines[key] = rounded(network.only(tasks), names, size)
        return self._engines[key]
