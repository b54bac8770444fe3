"""The cache's photographs: what is decoded in part, and its labels."""

from pathlib import Path

import numpy as np
from PIL import Image

from tacit.data.cache import Photographs
from tacit.data.sample import Sample


def test_value_large_photographs_are_decoded_in_part_with_their_boxes(tmp_path: Path) -> None:
    """A white rectangle, four times as large as training asks for: its box follows, kept in memory or not."""
    pixels = np.zeros((300, 402, 3), np.uint8)
    pixels[100:200, 120:320] = 255
    Image.fromarray(pixels).save(tmp_path / "a.jpg", quality=95)
    box = np.array([[120, 100, 320, 200]], np.float32)
    area = np.array([20000], np.float32)
    boxed = Sample(tmp_path / "a.jpg", 402, 300, 1, box, np.zeros(1, np.int64), np.zeros(1, np.bool_), area)
    kept, read = (Photographs([boxed], 96, keep=keep).find(0, 96).scene for keep in (1 << 20, 0))
    np.testing.assert_array_equal(kept.image, read.image)
    assert kept.image.shape == (72, 96, 3)
    rows, columns = np.nonzero(kept.image[..., 0] > 127)
    seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    np.testing.assert_allclose(kept.boxes[0], seen, atol=1)
