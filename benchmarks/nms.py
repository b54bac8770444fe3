"""Suppression at the threshold that scoring uses: ours against a plain greedy one, on the same crowd.

    python benchmarks/nms.py [--rounds 30]        half a minute

25,200 rows of 85 numbers, as yolor-csp gives for 640 px; 3,448 of them are above 0.001 in objectness, with 43,194 pairs
of box and class. Plain: sort all pairs, take the best, drop what it covers, until 300 are kept. The contestants take
turns; both give the same boxes, or the script says how many differ.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from tacit.geometry.boxes import xywh_to_xyxy
from tacit.geometry.iou import box_iou
from tacit.geometry.nms import suppress

ROWS, CLASSES, OBJECTS, PAIRS, PLACES = 25_200, 80, 3_448, 43_194, 60
CONFIDENCE, IOU, MOST, TARGET = 0.001, 0.65, 300, 20.0


def crowd() -> Tensor:
    """Boxes around PLACES places, PAIRS of them with a class above the threshold."""
    generator = torch.Generator().manual_seed(0)
    rows = torch.zeros(ROWS, 5 + CLASSES)
    busy = torch.randperm(ROWS, generator=generator)[:OBJECTS]
    places = torch.rand(PLACES, 4, generator=generator) * torch.tensor([500.0, 500.0, 150.0, 150.0]) + 40
    around = torch.randn(OBJECTS, 4, generator=generator) * 8
    rows[busy, :4] = (places[torch.randint(PLACES, (OBJECTS,), generator=generator)] + around).clamp(min=4)
    rows[busy, 4] = torch.rand(OBJECTS, generator=generator) * 0.98 + 0.02
    pairs = torch.randperm(OBJECTS * CLASSES, generator=generator)[:PAIRS]
    rows[busy[pairs // CLASSES], 5 + pairs % CLASSES] = torch.rand(PAIRS, generator=generator) * 0.9 + 0.1
    return rows


def plain(rows: Tensor) -> Tensor:
    """Greedy suppression as it is told: rows [x0, y0, x1, y1, score, class], best first."""
    scores = rows[:, 5:] * rows[:, 4:5]
    row, label = (scores > CONFIDENCE).nonzero().T
    found = torch.cat([xywh_to_xyxy(rows[row, :4]), scores[row, label, None], label[:, None].float()], 1)
    left, kept = found[found[:, 4].argsort(descending=True, stable=True)], list[Tensor]()
    while len(left) and len(kept) < MOST:
        best, left = left[0], left[1:]
        kept.append(best)
        left = left[(box_iou(best[None, :4], left[:, :4])[0] <= IOU) | (left[:, 5] != best[5])]
    return torch.stack(kept)


def ours(rows: Tensor) -> Tensor:
    return suppress(rows, confidence=CONFIDENCE, iou=IOU, max_detections=MOST)[0]


def milliseconds(run: Callable[[Tensor], Tensor], rows: Tensor) -> float:
    start = time.perf_counter()
    run(rows)
    return (time.perf_counter() - start) * 1e3


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    rounds, rows = parser.parse_args().rounds, crowd()
    candidates = int((rows[:, 5:] * rows[:, 4:5] > CONFIDENCE).sum())
    print(f"{int((rows[:, 4] > CONFIDENCE).sum())} rows above {CONFIDENCE}, {candidates} candidates, ", end="")
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads; the target is {TARGET:g} ms")
    differ = int((plain(rows) != ours(rows)).any(1).sum())
    pairs = [(milliseconds(plain, rows), milliseconds(ours, rows)) for _ in range(rounds + 1)][1:]
    slow, quick = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"plain {slow:.1f} ms, ours {quick:.1f} ms (best {min(b for _, b in pairs):.1f}), {ratio:.0f} x")
    print(f"{differ} of {MOST} boxes differ")


if __name__ == "__main__":
    main()
