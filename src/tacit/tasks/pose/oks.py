"""COCO's figures for poses: precision and recall by the similarity of keypoints.

COCO's rules (crowds and objects without labelled points are passed over, at most 20 poses of a class a photograph) are
faster-coco-eval's, which agrees with pycocotools but for the last bit of a float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster
from jaxtyping import Float64

Row = dict[str, Any]  # of COCO's lists: an image, a category, an object or a detection

_EVERY, _HALF, _THREE_QUARTERS = slice(None), slice(0, 1), slice(5, 6)  # of COCO's ten thresholds of similarity


def oks_figures(
    truth: dict[str, list[Row]], detections: Sequence[Row], sigmas: Float64[np.ndarray, " k"]
) -> dict[str, float]:
    """In [0, 1]: "oks_ap" (the mean over thresholds from 0.5 to 0.95), "oks_ap50", "oks_ap75" and "oks_ar"; none where
    no object has a labelled point.

    `truth` has COCO's "images", "categories" and "annotations"; `sigmas` say how far each point may be off, in parts of
    the root of the object's area.
    """
    if not any(row["num_keypoints"] and not row["iscrowd"] for row in truth["annotations"]):
        return {}
    labelled = COCO(truth)
    found = labelled.loadRes([dict(row) for row in detections])
    judge = COCOeval_faster(labelled, found, "keypoints", print_function=_say_nothing, kpt_oks_sigmas=sigmas.tolist())
    judge.evaluate()
    judge.accumulate()
    precision, recall = np.asarray(judge.eval["precision"]), np.asarray(judge.eval["recall"])
    figures = {
        "oks_ap": _mean(precision[_EVERY, ..., 0, 0]),  # of any area
        "oks_ap50": _mean(precision[_HALF, ..., 0, 0]),
        "oks_ap75": _mean(precision[_THREE_QUARTERS, ..., 0, 0]),
        "oks_ar": _mean(recall[..., 0, 0]),
    }
    return {name: value for name, value in figures.items() if value is not None}


def _mean(values: Float64[np.ndarray, "..."]) -> float | None:
    known = values[values > -1]
    return float(known.mean()) if known.size else None


def _say_nothing(*_: object) -> None:
    """Takes what the library would print."""
