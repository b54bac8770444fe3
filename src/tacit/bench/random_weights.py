"""Networks that have learned nothing, for speed alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from tacit.bench.contest import square
from tacit.network import Network
from tacit.stages import Image, Stages

SIDE = 320  # pixels, or one stride: enough for statistics


@torch.no_grad()
def settle(network: Network, images: Sequence[Image]) -> None:
    """Gives the batch norms of a network with random weights the statistics of these photographs.

    Without them the values shrink from layer to layer until they are denormal numbers, which processors take a hundred
    times as long for. The network is in evaluation mode afterwards.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    before = [norm.momentum for norm in norms]
    stages = Stages(network, (), max(network.stride, SIDE // network.stride * network.stride))
    plans = [square(image, stages.size) for image in images]
    batch = stages.preprocess(images, plans)
    for norm in norms:
        norm.momentum = 1.0
    network.train()(batch)
    network.eval()
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = momentum
