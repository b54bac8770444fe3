"""A transformer decoder that reads a photograph's features and writes a sentence, word by word.

Notable features
- decoder only: the trunk has mixed the photograph's positions already (2309.16921, section 3.4);
- layer norm before every part (pre-norm), GELU, learned places, one matrix for the words read and the words written;
- the photograph's keys and values are calculated once, whatever the number of its sentences and words;
- writing takes a fixed number of steps that keep the words' keys and values, greedily: it exports, and no step depends
  on a value. After the end only ends follow.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from tacit.tasks.caption.words import BEGIN, END, SPECIAL

HEAD_WIDTH = 32  # channels of one attention head
SPREAD = 2  # hidden channels of a feed-forward part, as a multiple of the width
SIGMA = 0.02  # of the embeddings' first values

Cache = tuple[Tensor, Tensor]  # keys and values, (b, heads, n, HEAD_WIDTH)


class Layer(nn.Module):
    """Attention to the words so far, attention to the photograph, feed-forward; each added to what came in."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.words_in, self.words_out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.query, self.seen = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.seen_out = nn.Linear(width, width)
        self.forward_in, self.forward_out = nn.Linear(width, SPREAD * width), nn.Linear(SPREAD * width, width)
        self.dropout = nn.Dropout(dropout)

    def see(self, memory: Float[Tensor, "b p d"]) -> Cache:
        """The keys and values of a photograph."""
        keys, values = self.seen(memory).chunk(2, dim=-1)
        return _heads(keys), _heads(values)

    def forward(
        self, x: Float[Tensor, "b t d"], seen: Cache, past: Cache | None = None
    ) -> tuple[Float[Tensor, "b t d"], Cache]:
        """The words `x` a layer further, and the keys and values of `past` and of them. Without a past a word attends
        to those before it and to itself; with one there is a single new word, which attends to all.
        """
        queries, keys, values = map(_heads, self.words_in(self.norms[0](x)).chunk(3, dim=-1))
        if past is not None:
            keys, values = torch.cat([past[0], keys], dim=2), torch.cat([past[1], values], dim=2)
        heard = functional.scaled_dot_product_attention(queries, keys, values, is_causal=past is None)
        x = x + self.dropout(self.words_out(_joined(heard)))
        queries = _heads(self.query(self.norms[1](x)))
        x = x + self.dropout(self.seen_out(_joined(functional.scaled_dot_product_attention(queries, *seen))))
        hidden = functional.gelu(self.forward_in(self.norms[2](x)))
        return x + self.dropout(self.forward_out(hidden)), (keys, values)


class Decoder(nn.Module):
    """`words` numbers, `length` steps; the width is a multiple of HEAD_WIDTH."""

    def __init__(self, words: int, length: int, width: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.length = length
        self.embedding = nn.Embedding(words, width)
        self.places = nn.Parameter(torch.empty(length, width))
        self.norm_seen, self.norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.layers = nn.ModuleList(Layer(width, dropout) for _ in range(layers))
        self.bias = nn.Parameter(torch.zeros(words))  # learns how frequent a word is
        self.dropout = nn.Dropout(dropout)
        nn.init.normal_(self.embedding.weight, std=SIGMA)
        nn.init.normal_(self.places, std=SIGMA)

    def forward(
        self, memory: Float[Tensor, "b p d"], numbers: Int64[Tensor, "n t"], image: Int64[Tensor, " n"]
    ) -> Float[Tensor, "n t words"]:
        """Scores of every next word after the words `numbers`, of sentences about the photographs `image`."""
        x = self._read(numbers, 0)
        for layer, (keys, values) in zip(self.layers, self._see(memory), strict=True):
            x, _ = layer(x, (keys[image], values[image]))
        return self._scores(x)

    def write(self, memory: Float[Tensor, "b p d"]) -> tuple[Int64[Tensor, "b t"], Float[Tensor, " b"]]:
        """The words of greatest chance, one after the other, and the geometric mean of the chances up to the end."""
        seen = self._see(memory)
        word = torch.full_like(memory[:, 0, 0], BEGIN, dtype=torch.long)
        going = torch.ones_like(memory[:, 0, 0])
        chances, counted, pasts = going * 0, going * 0, list[Cache | None]([None] * len(self.layers))
        numbers = list[Tensor]()
        for step in range(self.length):
            x = self._read(word[:, None], step)
            for i, layer in enumerate(self.layers):
                x, pasts[i] = layer(x, seen[i], pasts[i])
            chance, word = _sayable(self._scores(x)[:, 0]).log_softmax(-1).max(-1)
            word = torch.where(going > 0, word, END)
            chances, counted = chances + chance * going, counted + going
            going = going * (word != END)
            numbers.append(word)
        return torch.stack(numbers, dim=1), (chances / counted).exp()

    def _see(self, memory: Tensor) -> Sequence[Cache]:
        memory = self.norm_seen(memory)
        return [layer.see(memory) for layer in self.layers]  # type: ignore[operator]

    def _read(self, numbers: Tensor, start: int) -> Tensor:
        # scaled so that a step of the optimiser, which moves both uses of the matrix, fits either
        read = self.embedding(numbers) * self.embedding.embedding_dim**0.5
        read = read + self.places[start : start + numbers.shape[1]]
        dropped: Tensor = self.dropout(read)
        return dropped

    def _scores(self, x: Tensor) -> Tensor:
        return functional.linear(self.norm(x), self.embedding.weight, self.bias)


def _sayable(scores: Float[Tensor, "b words"]) -> Float[Tensor, "b words"]:
    """Without the numbers that are no words; only END may be said of them."""
    numbers = torch.arange(scores.shape[1], device=scores.device)
    return scores.masked_fill((numbers < SPECIAL) & (numbers != END), float("-inf"))


def _heads(x: Float[Tensor, "b n d"]) -> Float[Tensor, "b heads n c"]:
    batch, count, width = x.shape
    return x.reshape(batch, count, width // HEAD_WIDTH, HEAD_WIDTH).transpose(1, 2)


def _joined(x: Float[Tensor, "b heads n c"]) -> Float[Tensor, "b n d"]:
    return x.transpose(1, 2).flatten(2)
