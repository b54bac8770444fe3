"""From what a program holds in memory (arrays, Pillow images) to RGB, refusing what would be answered wrongly."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from tacit.data.images import to_rgb
from tacit.errors import ImageError

ALLOWED = "uint8 arrays of shape (height, width, 3) in RGB, or (height, width) in grey"


def from_array(array: np.ndarray, *, bgr: bool = False) -> UInt8[np.ndarray, "h w 3"]:
    """`array` as RGB, copied, since a camera may fill its buffer again; `bgr=True` says that it is in OpenCV's order.

    Raises `ImageError` for any other type or shape than `ALLOWED`: a float picture between 0 and 1 would otherwise be
    answered as a black one.
    """
    if array.size == 0:
        raise ImageError(f"this array is empty: its shape is {array.shape}", allowed=ALLOWED)
    if array.dtype != np.uint8:
        raise ImageError(f"this array holds {array.dtype}", allowed=ALLOWED, fix=_how_to_convert(array))
    if array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 1):
        return np.repeat(array.reshape(*array.shape[:2], 1), 3, axis=2)
    if array.ndim != 3 or array.shape[2] != 3:
        raise ImageError(f"this array has the shape {array.shape}", allowed=ALLOWED, fix=_how_to_shape(array))
    return np.ascontiguousarray(array[:, :, ::-1]) if bgr else array.copy()


def from_pillow(image: Image.Image) -> UInt8[np.ndarray, "h w 3"]:
    """`image` as RGB, with the pixels that its file would give by its path. Raises `ImageError`."""
    if 0 in image.size:
        raise ImageError(f"this image has no pixels: {image.width} x {image.height}")
    return to_rgb(image, "this image")


def _how_to_convert(array: np.ndarray) -> str:
    if array.dtype == np.uint16:
        return "(array // 257).astype(numpy.uint8) where white is 65535"
    if array.dtype == np.bool_:
        return "array.astype(numpy.uint8) * 255"
    if np.issubdtype(array.dtype, np.floating):
        if not np.isfinite(array).all():
            return "find out why it has values that are not finite, then scale it to 0..255 and round it to uint8"
        return "(array * 255).round().astype(numpy.uint8) where white is 1.0"
    return "array.astype(numpy.uint8) where white is 255"


def _how_to_shape(array: np.ndarray) -> str:
    if array.ndim == 4:
        return "give a list of pictures: list(array)"
    if array.ndim == 3 and array.shape[2] == 4:
        return "leave the alpha channel out: array[..., :3]"
    if array.ndim == 3 and array.shape[0] in {1, 3}:
        return "put the channels last: array.transpose(1, 2, 0)"
    return ""
