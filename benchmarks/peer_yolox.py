"""Score an ONNX YOLOX with Tacit's own evaluation, as a peer on the same photographs.

    python benchmarks/peer_yolox.py path/to/yolox_nano.onnx path/to/everyday --split dev

The network takes BGR 0-255 at a fixed size, the photograph at the top left on grey 114, and answers rows of
grid-relative xywh, objectness and class probabilities (arXiv:2107.08430). Needs onnxruntime; uses one thread.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import torch

from tacit.data.read import read
from tacit.evaluate import evaluate
from tacit.geometry.boxes import clip
from tacit.geometry.nms import non_maximum_suppression
from tacit.results import Result

STRIDES = (8, 16, 32)


class Yolox:
    """An ONNX YOLOX as a predictor: RGB photographs to results."""

    def __init__(self, weights: Path, names: tuple[str, ...], confidence: float, iou: float) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0]
        self.size = int(self.input.shape[2])
        self.names, self.confidence, self.iou = names, confidence, iou
        self.grid, self.stride = self._cells()

    def __call__(self, images: list[np.ndarray]) -> list[Result]:
        return [self._predict(image) for image in images]

    def _predict(self, image: np.ndarray) -> Result:
        height, width = image.shape[:2]
        ratio = min(self.size / height, self.size / width)
        (rows,) = self.session.run(None, {self.input.name: self._prepare(image, ratio)})
        rows = torch.from_numpy(self._decode(rows))
        (found,) = non_maximum_suppression(rows, confidence=self.confidence, iou=self.iou)
        return Result(
            boxes=clip(found[:, :4].numpy() / np.float32(ratio), width=width, height=height),
            scores=found[:, 4].numpy(),
            classes=found[:, 5].long().numpy(),
            names=self.names,
            width=width,
            height=height,
        )

    def _prepare(self, image: np.ndarray, ratio: float) -> np.ndarray:
        height, width = int(image.shape[0] * ratio), int(image.shape[1] * ratio)
        framed = np.full((self.size, self.size, 3), 114, np.uint8)
        framed[:height, :width] = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
        bgr = framed[:, :, ::-1].transpose(2, 0, 1)
        return np.ascontiguousarray(bgr[None], dtype=np.float32)

    def _decode(self, rows: np.ndarray) -> np.ndarray:
        centre = (rows[..., :2] + self.grid) * self.stride
        size = np.exp(rows[..., 2:4]) * self.stride
        return np.concatenate([centre, size, rows[..., 4:]], -1).astype(np.float32)

    def _cells(self) -> tuple[np.ndarray, np.ndarray]:
        """Column and row (rows, 2) and stride (rows, 1) of every cell, level by level."""
        sides = [self.size // stride for stride in STRIDES]
        grid = [np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(-1, 2) for side in sides]
        strides = [np.full((side * side, 1), stride) for side, stride in zip(sides, STRIDES, strict=True)]
        return np.concatenate(grid), np.concatenate(strides)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--confidence", type=float, default=0.001)
    parser.add_argument("--iou", type=float, default=0.65)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    dataset = read(arguments.data, arguments.split)
    predictor = Yolox(arguments.weights, dataset.classes, arguments.confidence, arguments.iou)
    done = evaluate(predictor, dataset)
    scores, person = done.scores, done.scores.of("person")
    print(f"{done.images} photographs, {len(done.faults)} unreadable, {done.seconds:.1f} s")
    print(f"AP {scores.ap:.4f}  AP50 {scores.ap50:.4f}  AP75 {scores.ap75:.4f}  AR {scores.ar100:.4f}")
    print(f"small {scores.ap_small:.4f}  medium {scores.ap_medium:.4f}  large {scores.ap_large:.4f}")
    print(f"person AP {person.ap:.4f}  AP50 {person.ap50:.4f}  AR {person.ar:.4f}  ({person.labels} boxes)")


if __name__ == "__main__":
    main()
