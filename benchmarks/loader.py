"""Training pictures a second on one core: mosaics of four, perspective and colours, 640 px from photographs of 640 px.

    python benchmarks/loader.py PHOTOGRAPHS [--count 64] [--rounds 6]        half a minute

PHOTOGRAPHS is a COCO, YOLO or VOC dataset; some of its photographs are enlarged to a long side of 640 px and written as
JPEG of quality 85 first. "plain" decodes four whole photographs, lays them on a canvas and warps that, as training code
does that has no care for speed, and without labels. Ours carries boxes; then with masks too; with the photographs in
memory and without. The contestants take turns; figures are medians over the rounds, ratios medians of the rounds'
ratios. `--profile` shows where the time goes.
"""

from __future__ import annotations

import argparse
import cProfile
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from tacit.data import compose, follow
from tacit.data.augment import Augment
from tacit.data.images import load_image
from tacit.data.loader import TrainingPhotos, training_loader
from tacit.data.read import read, training_splits
from tacit.data.sample import Sample
from tacit.data.tickets import TicketSampler

SIZE, BATCH, TARGET = 640, 8, 100
AUGMENT = Augment(degrees=5.0, shear=2.0, perspective=0.0002)  # beside the recipe's shifts, zooms and colours


def enlarged(sample: Sample, folder: Path) -> Sample:
    """The sample with its photograph written anew, its long side SIZE."""
    image = load_image(sample.path)
    scale = SIZE / max(image.shape[:2])
    height, width = round(image.shape[0] * scale), round(image.shape[1] * scale)
    path = folder / f"{sample.id}.jpg"
    Image.fromarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)).save(path, quality=85)
    boxes = sample.boxes * np.array([width / sample.width, height / sample.height] * 2, np.float32)
    labels = follow.moved(sample.labels, follow.resized((sample.height, sample.width), (height, width)))
    return replace(sample, path=path, width=width, height=height, boxes=boxes, labels=labels)


def plain(samples: Sequence[Sample], seed: int) -> np.ndarray:
    """One picture the plain way, from the same chances as ours."""
    drawn = compose.draw(AUGMENT, np.random.default_rng(seed), seed % len(samples), np.arange(len(samples)))
    view = drawn.views[0]
    assert view.layout is not None
    images = [cv2.imread(str(samples[index].path)) for index in view.photos]
    canvas = np.full((2 * SIZE, 2 * SIZE, 3), 114, np.uint8)
    for image, (x, y) in zip(images, view.layout.corners([one.shape[:2] for one in images], SIZE), strict=True):
        top, left = max(y, 0), max(x, 0)
        canvas[top : y + len(image), left : x + image.shape[1]] = image[top - y :, left - x :][
            : 2 * SIZE - top, : 2 * SIZE - left
        ]
    matrix = view.moved.matrix((2 * SIZE, 2 * SIZE), (SIZE, SIZE))
    shown = cv2.warpPerspective(canvas, matrix, (SIZE, SIZE), borderValue=(114, 114, 114))
    hsv = cv2.cvtColor(shown, cv2.COLOR_BGR2HSV)
    gains = (drawn.hsv.hue, drawn.hsv.saturation, drawn.hsv.value)
    table = np.stack([np.arange(256) * gain for gain in gains], 1).clip(0, 255).astype(np.uint8)
    shown = cv2.cvtColor(cv2.LUT(hsv, table[None]), cv2.COLOR_HSV2RGB)
    return np.ascontiguousarray(shown[:, ::-1] if drawn.flips.left_right else shown)


def ours(photos: TrainingPhotos) -> Callable[[int], None]:
    """The epoch of that number, batch by batch."""
    sampler = TicketSampler(len(photos), BATCH, seed=0, size=SIZE)
    loader = training_loader(photos, sampler, {})

    def epoch(number: int) -> None:
        sampler.begin(number)
        for _ in loader:
            pass

    return epoch


def contestants(samples: Sequence[Sample]) -> dict[str, Callable[[int], None]]:
    """By name, what makes as many pictures as there are photographs."""
    boxes = [replace(sample, labels={}) for sample in samples]

    def theirs(number: int) -> None:
        for index in range(len(samples)):
            plain(samples, number * len(samples) + index)

    return {
        "plain": theirs,
        "in memory": ours(TrainingPhotos(boxes, SIZE, AUGMENT, seed=0)),
        "in memory, with masks": ours(TrainingPhotos(samples, SIZE, AUGMENT, seed=0)),
        "decoded each time": ours(TrainingPhotos(boxes, SIZE, AUGMENT, seed=0, cache=False)),
    }


def profile(samples: Sequence[Sample]) -> None:
    """Shows where the time goes."""
    run = contestants(samples)["in memory"]
    run(0)
    with cProfile.Profile() as seen:
        run(1)
    seen.print_stats("tottime")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        found = read(options.photographs, training_splits(options.photographs)[0]).samples[: options.count]
        samples = [enlarged(sample, Path(folder)) for sample in found]
        if options.profile:
            profile(samples)
            return
        runs = contestants(samples)
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for number in range(options.rounds + 1):
            for name, run in runs.items():
                start = time.perf_counter()
                run(number)
                seconds[name].append(time.perf_counter() - start)
    print(f"OpenCV {cv2.__version__}, {len(samples)} photographs, one thread; the target is {TARGET} images a second")
    for name, times in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(seconds["plain"][1:], times[1:], strict=True))
        print(
            f"{name:<24}{len(samples) / statistics.median(times[1:]):>8.1f} images/s{ratio:>8.2f} x plain", flush=True
        )


if __name__ == "__main__":
    main()
