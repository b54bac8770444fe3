"""Networks that look as if they had been trained: nothing in them stands at its neutral value."""

import torch
from torch import nn

from tacit.nn.knowledge import Knowledge


@torch.no_grad()
def look_trained(module: nn.Module, seed: int = 0) -> nn.Module:
    """The same module, in evaluation mode, with other statistics in its batch norms and other knowledge."""
    generator = torch.Generator().manual_seed(seed)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.weight.uniform_(0.5, 1.5, generator=generator)
            part.running_var.uniform_(0.5, 2, generator=generator)
            part.bias.normal_(0, 0.3, generator=generator)
            part.running_mean.normal_(0, 0.3, generator=generator)
        elif isinstance(part, Knowledge):
            for parameter in part.parameters():
                parameter.add_(torch.empty_like(parameter).normal_(0, 0.5, generator=generator))
    return module.eval()
