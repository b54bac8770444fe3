"""A report with figures that nobody measured."""

from tacit.bench.machine import Machine
from tacit.bench.report import OFFICIAL, Line, Report, Spread
from tacit.runtime.agreement import Gap
from tacit.runtime.engine import Precision


def spread(value):
    return Spread(median=value, low=0.9 * value, high=1.1 * value)


def line(label, precision, seconds, **more):
    stages = {"preprocess": spread(0.001), "forward": spread(seconds - 0.002), "postprocess": spread(0.001)}
    return Line(label=label, precision=precision, stages=stages, total=spread(seconds), **more)


def report(**more):
    machine = Machine(
        processor="Abacus", cores=2, threads=2, bfloat16=True, system="Linux", libraries={"tacit": "1", "torch": "2.13"}
    )
    lines = (
        line(OFFICIAL, Precision.FP32, 0.102, ratio=spread(1.0), gflops=100.0, share_of_peak=0.5),
        line(
            "torch bf16", Precision.BF16, 0.052, ratio=spread(1.96), gflops=200.0, share_of_peak=0.25,
            memory=12_300_000, file_size=4_600_000, gaps={Gap.RAW: 0.01, Gap.BOXES: 0.04},
        ),
    )  # fmt: skip
    told = {
        "model": "debug", "weights": "random weights", "size": 64, "tasks": ("detect",), "gflops": 10.0,
        "candidates": 31.4, "date": "2026-11-23", "rounds": 8, "machine": machine,
        "peaks": {Precision.FP32: 200.0, Precision.BF16: 800.0}, "lines": lines,
    }  # fmt: skip
    return Report(**{**told, **more})
