"""The exported file that the tests share: the small network of seven tasks, with suppression inside.

Exporting it takes half a minute. To write it anew, after a change of the format or the network:
`python -c "import small_export; small_export.write()"` with `tests` and `tests/runtime` on the path.
"""

from pathlib import Path

from seven import network_of_seven, record_of_seven

from tacit.runtime.export import Wish, export
from tacit.thresholds import Thresholds

SMALL = Path(__file__).parents[1] / "golden/export/seven.onnx"
LIMITS = Thresholds(confidence=0.3, iou=0.5, max_detections=50)


def write(path=SMALL):
    path.parent.mkdir(exist_ok=True)
    return export(network_of_seven(), record_of_seven(), path, Wish(suppression=LIMITS))
