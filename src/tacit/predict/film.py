"""From the results of a film's frames to a drawn film: H.264 in .mp4, each frame at its own moment, without sound."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from jaxtyping import UInt8

from tacit.atomic import replacing, unwritable
from tacit.errors import TacitError
from tacit.predict.background import Background
from tacit.predict.video import header, library
from tacit.predict.writers import Names, Writer, make_folder
from tacit.results import Result

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

CLOCK = Fraction(1, 90_000)  # of a second; every usual frame rate fits into it
QUALITY = {"crf": "20", "preset": "veryfast"}
REC_709, NARROW = 1, 1  # what the colours mean, in the numbering of FFmpeg and ISO 23091-2
WAITING = 4  # frames that may wait to be drawn


class Films(Writer):
    """Drawn films in one folder under their own names (`clip.mp4`); photographs are left to others."""

    def __init__(self, folder: Path, only: tuple[str, ...] | None = None) -> None:
        self.folder, self.only, self.names = folder, only, Names()
        self.film: Film | None = None

    def __enter__(self) -> Films:
        make_folder(self.folder)
        self.background = Background(threads=1, waiting=WAITING)  # one: a film is encoded in its order
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self.background.stop()
            if self.film is not None:
                self.film.discard()

    def write(self, result: Result) -> None:
        if result.moment is None or result.path is None:
            return
        if self.film is None or self.film.source != result.path:
            self._finish()
            self.film = Film(result.path, self.folder / self.names.free(result.path.stem, ".mp4"))
        self.background.do(partial(self._draw, self.film, result))

    def _draw(self, film: Film, result: Result) -> None:
        film.add(result.draw(self.only), 0.0 if result.moment is None else result.moment.seconds)

    def _finish(self) -> None:
        self.background.finish()
        if self.film is not None:
            film, self.film = self.film, None
            film.finish()


class Film:
    """A film that is being written; it gets its name when it is finished. Raises TacitError where that is not possible.

    The first frame sets its size: an odd side gets one row or column more, its last once again.
    """

    def __init__(self, source: Path, target: Path) -> None:
        self.source, self.target = source, target
        self._rate = header(source).rate
        self._files = ExitStack()
        self._stream: VideoStream | None = None
        self._last = -1

    def add(self, picture: UInt8[np.ndarray, "h w 3"], seconds: float) -> None:
        """The next frame, RGB, at its moment."""
        av = library()
        height, width = picture.shape[:2]
        picture = cv2.copyMakeBorder(picture, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace=REC_709, dst_color_range=NARROW)
        frame.pts = self._last = max(self._last + 1, round(seconds / CLOCK))
        frame.time_base = CLOCK
        with self._told():
            if self._stream is None:
                self._stream = self._begin(frame.width, frame.height)
            self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Gives the film its name."""
        with self._told(), self._files:
            if self._stream is not None:
                self._container.mux(self._stream.encode())

    def discard(self) -> None:
        """Leaves nothing of it."""
        with suppress(OSError, library().FFmpegError), self._files:
            raise InterruptedError  # so that the file that is replaced stays as it was

    def _begin(self, width: int, height: int) -> VideoStream:
        file = self._files.enter_context(replacing(self.target, durable=False))
        self._container: OutputContainer = self._files.enter_context(library().open(file, "w", format="mp4"))
        stream: VideoStream = self._container.add_stream("libx264", rate=self._rate, options=QUALITY)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        codec = stream.codec_context
        codec.time_base = CLOCK
        codec.colorspace = codec.color_primaries = codec.color_trc = REC_709
        codec.color_range = NARROW
        return stream

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise unwritable(self.target, error) from error
        except library().FFmpegError as error:
            raise TacitError(f"{self.target} cannot be written as a video: {error.strerror}") from error
