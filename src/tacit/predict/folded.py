"""The folded copy of a network that may still be trained."""

from __future__ import annotations

from tacit.network import Network


class FoldedCopy:
    """Gives the folded network, and folds again once a weight has been changed, replaced or moved.

    Asked of torch's version counters, which optimisers, `load_state_dict` and `copy_` move: comparing the values would
    cost each prediction a third of a forward pass. Only writing through `parameter.data` in place goes past them.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self._versions: list[tuple[int, int]] = []
        self._copy: Network | None = None

    def __call__(self) -> Network:
        state = self.network.state_dict().values()
        versions = [(value.data_ptr(), value._version) for value in state]  # noqa: SLF001  (torch documents it)
        if self._copy is None or versions != self._versions:
            self._versions, self._copy = versions, self.network.fold()
        return self._copy
