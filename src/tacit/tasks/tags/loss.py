"""The loss of tags: of each photograph, and of the tags of which something is known there."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from tacit.nn.processes import processes
from tacit.tasks.task import TaskLoss

FAR = -1e4  # a raw score that is out of the question, finite since 0 x infinity is no number


def tag_loss(
    raw: Float[Tensor, "b tags"], wanted: Float[Tensor, "b tags"], known: Float[Tensor, "b tags"], *, single: bool
) -> TaskLoss:
    """`wanted` and `known` are 1 or 0; what is not known teaches nothing.

    Many tags: binary cross-entropy, the mean over the known ones. A single one: cross-entropy among the known ones. The
    total is the sum over images, for the whole batch where several processes share one.

    Plain cross-entropy it is: with nano's trunk frozen, positives of weight 3 or 5 and the asymmetric loss
    (arXiv 2009.14119) gave no better mAP on `everyday/dev`.
    """
    logits = raw.float()
    rows = _one_of(logits, wanted, known) if single else _each(logits, wanted, known)
    total = rows.sum()
    return TaskLoss(total * processes(), {"tags": total.detach() / max(1, len(rows))})


def _each(
    logits: Float[Tensor, "b tags"], wanted: Float[Tensor, "b tags"], known: Float[Tensor, "b tags"]
) -> Float[Tensor, " b"]:
    loss = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    return (loss * known).sum(1) / known.sum(1).clamp(min=1)


def _one_of(
    logits: Float[Tensor, "b tags"], wanted: Float[Tensor, "b tags"], known: Float[Tensor, "b tags"]
) -> Float[Tensor, " b"]:
    chances = logits.masked_fill(known == 0, FAR).log_softmax(1)
    return -(chances * wanted).sum(1) / wanted.sum(1).clamp(min=1)
