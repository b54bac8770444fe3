"""Networks that look as if they had been trained: nothing in them stands at its neutral value.

Convolutions are made stronger, or else nothing of an image would be left behind twenty of them.
"""

import torch
from torch import nn

from tacit.nn.knowledge import Knowledge


@torch.no_grad()
def look_trained(module: nn.Module, seed: int = 0) -> nn.Module:
    """The same module, in evaluation mode, with other convolutions, batch norms and knowledge."""
    generator = torch.Generator().manual_seed(seed)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.weight.uniform_(0.5, 1.5, generator=generator)
            part.running_var.uniform_(0.5, 2, generator=generator)
            part.bias.normal_(0, 0.3, generator=generator)
            part.running_mean.normal_(0, 0.3, generator=generator)
        elif isinstance(part, nn.Conv2d):
            part.weight.mul_(2.7)
        elif isinstance(part, Knowledge):
            for parameter in part.parameters():
                parameter.add_(torch.empty_like(parameter).normal_(0, 0.5, generator=generator))
    return module.eval()
