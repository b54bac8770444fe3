"""Small films for the tests."""

from fractions import Fraction

import av
import numpy as np


def write_film(path, pictures, rate=25, gaps=None):
    """H.264 with the index in front; `gaps` are the moments of the frames in seconds, else they are even."""
    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as film:
        stream = film.add_stream("libx264", rate=Fraction(rate), options={"crf": "12", "preset": "veryfast", "g": "8"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 90_000)
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts = round(90_000 * (number / rate if gaps is None else gaps[number]))
            frame.time_base = Fraction(1, 90_000)
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
    return path


def read_film(path):
    """Its frames in RGB, their moments in seconds, and the frames a second that it says."""
    with av.open(str(path)) as film:
        rate = film.streams.video[0].average_rate
        found = [(frame.to_ndarray(format="rgb24"), frame.time) for frame in film.decode(video=0)]
    return [pixels for pixels, _ in found], [time for _, time in found], rate
