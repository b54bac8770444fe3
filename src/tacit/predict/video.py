"""Films, frame by frame, through PyAV (the extra `video`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8

from tacit.data.images import MAX_PIXELS
from tacit.errors import ConfigError, ImageError
from tacit.results import Moment

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".3gp"})
USUAL_RATE = 25  # frames a second, where a file does not say
_FORMATS = "mov,mp4,matroska,webm,avi,mpeg,mpegts,asf,flv"  # none of them leads to other files, as playlists do
_ALLOWED = "a whole video that FFmpeg reads, such as H.264 in .mp4"


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a film, in RGB and upright."""

    pixels: UInt8[np.ndarray, "h w 3"]
    moment: Moment


@dataclass(frozen=True)
class Header:
    """Frames a second, and how many there are, as far as the file says."""

    rate: Fraction
    frames: int


def is_video(path: Path) -> bool:
    """By its name."""
    return path.suffix.lower() in SUFFIXES


def header(path: Path) -> Header:
    """What is known without decoding. Raises ImageError, and ConfigError without the extra `video`."""
    with _opened(path) as film:
        stream = film.streams.video[0]
        rate = Fraction(stream.average_rate or USUAL_RATE)
        seconds = 0.0 if film.duration is None else film.duration / 1e6
        return Header(rate, stream.frames or round(seconds * rate))


def frames(path: Path) -> Iterator[Frame]:
    """Every frame that can be read, one after the other. What is damaged in between is passed over; an ImageError then
    comes behind the last frame. Raises ConfigError without the extra `video`.
    """
    with _opened(path) as film:
        count, lost, start = 0, 0, None
        rate = float(film.streams.video[0].average_rate or USUAL_RATE)
        for frame in _decoded(film):
            if frame is None:
                lost += 1
                continue
            time = count / rate if frame.time is None else frame.time
            start = time if start is None else start
            yield Frame(_upright(frame, path), Moment(count, time - start))
            count += 1
        if lost or not count:
            raise ImageError(
                f"{path} is truncated or damaged, {count} of its frames could be read",
                allowed=_ALLOWED,
                fix="copy it again from its source",
            )


def library() -> Any:
    """PyAV, or the ConfigError that says how to get it."""
    try:
        import av
    except ImportError as error:
        raise ConfigError(
            "videos need the package av, which is not installed", fix="pip install 'tacit[video]'"
        ) from error
    return av


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    """The container with at least one film in it. FFmpeg gets an open file, and no name to make an address of."""
    av = library()
    try:
        with path.open("rb") as file, av.open(file, options={"format_whitelist": _FORMATS}) as film:
            if not film.streams.video:
                raise ImageError(f"{path} has no pictures in it", allowed=_ALLOWED)
            yield film
    except av.FFmpegError as error:
        raise ImageError(f"{path} is not a video ({error.strerror})", allowed=_ALLOWED) from error
    except OSError as error:
        raise ImageError(f"{path} cannot be opened: {error.strerror}", fix="check the path and permissions") from error


def _decoded(film: InputContainer) -> Iterator[av.VideoFrame | None]:
    """The frames of the first film inside; None stands where something was damaged."""
    stream, damage, count = film.streams.video[0], library().FFmpegError, 0
    packets = film.demux(stream)
    while True:
        try:
            packet = next(packets)
            count += packet.size > 0
            found = packet.decode()
        except StopIteration:
            break
        except damage:
            yield None
        else:
            yield from found
    if count < stream.frames:  # of a file that was cut between two of them
        yield None


def _upright(frame: av.VideoFrame, path: Path) -> UInt8[np.ndarray, "h w 3"]:
    if frame.width * frame.height > MAX_PIXELS:
        raise ImageError(f"{path} has frames of more than {MAX_PIXELS // 10**6} million pixels", allowed="smaller ones")
    pixels = frame.to_ndarray(format="rgb24")
    quarters = round(frame.rotation / 90) % 4  # telephones store how they were held
    return np.ascontiguousarray(np.rot90(pixels, quarters)) if quarters else pixels
