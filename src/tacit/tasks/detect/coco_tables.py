"""COCO's figures as tables for people: over all classes, and for each."""

from __future__ import annotations

from tacit.tasks.detect.coco_scores import DetectionScores
from tacit.tasks.metric import Table, percent

FIGURES = {
    "ap": "AP (IoU 0.50 to 0.95)",
    "ap50": "AP50",
    "ap75": "AP75",
    "ap_small": "AP, objects under 32 x 32 pixels",
    "ap_medium": "AP, objects between",
    "ap_large": "AP, objects over 96 x 96 pixels",
    "ar1": "AR, 1 detection a photograph",
    "ar10": "AR, 10 detections",
    "ar100": "AR, 100 detections",
}


def coco_tables(scores: DetectionScores, what: str) -> list[Table]:
    """Over all classes, then by class, the commonest first; `what` was scored, for the titles: "boxes" or "masks"."""
    labelled = sorted((row for row in scores.per_class if row.labels), key=lambda row: -row.labels)
    return [
        Table(what, ("figure", ""), [(text, percent(getattr(scores, name))) for name, text in FIGURES.items()]),
        Table(
            f"{what} by class",
            ("class", "labels", "AP", "AP50", "AR"),
            [(row.name, f"{row.labels:,}", percent(row.ap), percent(row.ap50), percent(row.ar)) for row in labelled],
        ),
    ]
