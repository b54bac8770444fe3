"""The loss of the vectors: those of one individual together, all others apart (supervised contrastive learning,
arXiv 2004.11362, eq. 2; with two views of each object it is NT-Xent, arXiv 2002.05709).
"""

from __future__ import annotations

from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional

from tacit.nn.processes import processes
from tacit.tasks.cells import Positives
from tacit.tasks.task import TaskLoss

TEMPERATURE = 0.1
MOST = 2048  # rows that are compared: their pairs take 16 MB a table
NEVER = -1e4  # instead of minus infinity, whose gradient is not a number


def unit(vectors: Float[Tensor, "*rows d"]) -> Float[Tensor, "*rows d"]:
    """Each of length 1 (or 0), in full precision: half of it is too coarse to compare directions."""
    return functional.normalize(vectors.float(), dim=-1, eps=1e-6)


def contrastive_loss(
    vectors: Float[Tensor, "b cells d"], identities: Int64[Tensor, " objects"], rows: Positives
) -> TaskLoss:
    """`rows` are the cells that answer for the objects, `identities` the objects' individuals, none below 0.

    Every cell is compared with the cells of all other objects of the batch. Those of its own object are passed over:
    they look at the same pixels. An object without a partner only stands in the others' way; where nobody has one the
    loss is 0. It is the mean over the cells that have partners, times the images.
    """
    rows = _thinned(rows)
    found = unit(vectors[rows.image, rows.cell])
    who = identities[rows.object]
    other = rows.object[:, None] != rows.object
    partners = other & (who[:, None] == who)
    lonely = ~partners.any(1)
    each = _cross_entropy(found @ found.T / TEMPERATURE, other, partners)
    mean = each.masked_fill(lonely, 0).sum() / (~lonely).sum().clamp(min=1)
    total = mean * (len(vectors) * processes())
    return TaskLoss(total, {"contrast": mean.detach()})


def _cross_entropy(
    logits: Float[Tensor, "n n"], other: Bool[Tensor, "n n"], partners: Bool[Tensor, "n n"]
) -> Float[Tensor, " n"]:
    """Minus the mean log chance of a row's partners among all others."""
    chances = logits.masked_fill(~other, NEVER).log_softmax(1)
    return -(chances * partners).sum(1) / partners.sum(1).clamp(min=1)


def _thinned(rows: Positives) -> Positives:
    """At most MOST rows, evenly taken: a mosaic of crowds would ask for gigabytes."""
    step = -(-len(rows.cell) // MOST) or 1
    every = slice(None, None, step)
    return Positives(rows.image[every], rows.cell[every], rows.object[every])
