"""The caption task: a sentence for the photograph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from tacit.data.captions import CaptionLabels
from tacit.data.sample import Dataset, Sample, Scene
from tacit.errors import DataError, WeightsError
from tacit.nn.uses import Uses
from tacit.tasks.bend import bent, uses_of
from tacit.tasks.caption.answer import Caption
from tacit.tasks.caption.decoder import HEAD_WIDTH, Decoder
from tacit.tasks.caption.metric import CaptionMetric
from tacit.tasks.caption.words import BEGIN, END, UNKNOWN, Vocabulary, frequent, split
from tacit.tasks.task import Decoded, Plan, Pyramid, Sight, Targets, Task, TaskLoss

WIDTH, LAYERS, LENGTH = 128, 2, 20  # of the plans made here
OFTEN, FEW = 4, 100  # a word is learned that occurs so often; rarer ones where that leaves too few words
LONGEST, WIDEST, DEEPEST = 64, 1024, 8  # of any plan
DROPOUT, SMOOTHING = 0.2, 0.1
NOTHING = -1  # in the targets: no word to say


class Captioning(Task):
    """One raw tensor (b, positions, width): the levels pooled to cells twice as wide as the coarsest one's, and bent by
    the task's knowledge, which is what the decoder attends to.

    With nano's trunk frozen, CIDEr on `everyday/dev` was 0.45 after 30 epochs of one caption a photograph (AdamW at
    0.002), 0.43 after 12 of all five, and 0.47 with a beam of three; the commonest caption has 0.08 to 0.10, another
    person's 0.83. Width 192, or cells half as wide, gave no more.
    """

    name = "caption"
    whole = True

    def __init__(
        self, channels: Sequence[int], strides: Sequence[int], words: Vocabulary, shape: Mapping[str, int], uses: Uses
    ) -> None:
        super().__init__()
        self.words = words
        self.pools = tuple(max(strides) // stride for stride in strides)
        self.bend = bent(sum(channels), shape["width"], uses)
        self.decoder = Decoder(len(words), shape["length"], shape["width"], shape["layers"], DROPOUT)

    @classmethod
    def build(cls, pyramid: Pyramid, plan: Plan) -> Self:
        """`plan` holds the "words", the "length" of a sentence in words with its end, and the decoder's "width" and
        "layers".
        """
        ranges = {"length": range(2, LONGEST + 1), "layers": range(1, DEEPEST + 1)}
        ranges["width"] = range(HEAD_WIDTH, WIDEST + 1, HEAD_WIDTH)
        shape = {name: _number(plan, name, allowed) for name, allowed in ranges.items()}
        words = Vocabulary.read(plan.get("words"))
        task = cls(pyramid.channels, pyramid.strides, words, shape, uses_of(plan))
        task.plan = plan
        return task

    @classmethod
    def labels(cls, thing: Sample | Scene) -> bool:
        return thing.label(CaptionLabels) is not None

    @classmethod
    def plan_for(cls, datasets: Sequence[Dataset]) -> Plan:
        """The words that the captions of these datasets often use. Raises DataError where there is not one word."""
        sentences = [sentence for dataset in datasets for sentence in _captions(dataset.samples)]
        words = frequent(sentences, OFTEN)
        if len(words) < FEW:
            words = frequent(sentences, 1)
        if not words:
            raise DataError("the captions hold no words", allowed="sentences of letters or digits")
        longest = max(len(split(sentence)) for sentence in sentences)
        length = max(2, min(LENGTH, longest + 1))  # END is written, too
        return {"words": list(words), "length": length, "width": WIDTH, "layers": LAYERS}

    def targets(self, scenes: Sequence[Scene]) -> Targets:
        """`tokens` (sentences, steps): the words of every caption, then END, then NOTHING; `image` (sentences): whose.

        Long captions are cut. A caption without a single word of the list (in another alphabet, say) teaches nothing.
        """
        told = [(i, self.words.encode(text)) for i, scene in enumerate(scenes) for text in _captions([scene])]
        told = [(i, [*numbers, END][: self.decoder.length]) for i, numbers in told if set(numbers) - {UNKNOWN}]
        steps = max((len(numbers) for _, numbers in told), default=1)
        rows = [numbers + [NOTHING] * (steps - len(numbers)) for _, numbers in told]
        tokens = torch.tensor(rows, dtype=torch.long).reshape(len(rows), steps)
        return {"tokens": tokens, "image": torch.tensor([i for i, _ in told], dtype=torch.long)}

    def forward(self, pyramid: Sequence[Float[Tensor, "b _ _ _"]]) -> list[Tensor]:
        """One tensor (b, positions, width)."""
        pooled = [functional.avg_pool2d(level, pool) for level, pool in zip(pyramid, self.pools, strict=True)]
        halved = functional.avg_pool2d(torch.cat(pooled, dim=1), 3, 2, 1, count_include_pad=False)  # odd sizes as well
        memory: Tensor = self.bend(halved)  # b, width, h, w
        return [memory.flatten(2).transpose(1, 2)]

    def loss(self, raw: Sequence[Float[Tensor, "b p d"]], targets: Targets) -> TaskLoss:
        """Cross-entropy of every next word after the true ones before it, the mean over words, with smoothed labels.
        Unknown words are read and never asked for.
        """
        tokens = targets["tokens"]
        before = torch.cat([torch.full_like(tokens[:, :1], BEGIN), tokens[:, :-1].clamp(min=END)], dim=1)
        scores = self.decoder(raw[0], before, targets["image"])
        asked = tokens.masked_fill(tokens == UNKNOWN, NOTHING).flatten()
        total = functional.cross_entropy(
            scores.flatten(0, 1).float(), asked, ignore_index=NOTHING, reduction="sum", label_smoothing=SMOOTHING
        )
        mean = total / (asked != NOTHING).sum().clamp(min=1)
        return TaskLoss(mean * len(raw[0]), {"words": mean.detach()})

    def decode(self, raw: Sequence[Float[Tensor, "b p d"]]) -> Decoded:
        """`tokens` (b, length): the numbers of the words, END from the end on; `chances` (b): of a word, on average."""
        tokens, chances = self.decoder.write(raw[0])
        return {"tokens": tokens, "chances": chances}

    def answer(self, decoded: Decoded, sight: Sight) -> Caption:  # noqa: ARG002  words have no place
        """The sentence, with a capital and a full stop."""
        words = self.words.decode(decoded["tokens"].tolist())
        return Caption(f"{words[:1].upper()}{words[1:]}." if words else "", decoded["chances"].item())

    @classmethod
    def metric(cls, dataset: Dataset) -> CaptionMetric:  # noqa: ARG003  any
        return CaptionMetric()


def _captions(things: Iterable[Sample | Scene]) -> list[str]:
    labels = (thing.label(CaptionLabels) for thing in things)
    return [caption for label in labels if label is not None for caption in label.captions]


def _number(plan: Plan, name: str, allowed: range) -> int:
    value: Any = plan.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value not in allowed:
        step = f", multiples of {allowed.step}" if allowed.step > 1 else ""
        raise WeightsError(
            f"the caption task's {name} is {str(value)[:40]!r}", allowed=f"{allowed[0]} to {allowed[-1]}{step}"
        )
    return value
