"""The published weights by name: what they are, where they lie, what their authors say of them.

Figures are those of the authors, nobody here has measured them: COCO AP (IoU 0.50 to 0.95) in percent on val2017 and on
test-dev, and photographs a second on a V100, one at a time, from end to end. A figure that no source gives is None.

Sources: official_models, section 1 (names, release tag); papers, sections 1.3 (Tables A1 to A3) and 1.5 (README).
No file could be fetched where this was written, so no size and no checksum is known yet.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from tacit.errors import ConfigError

RELEASE = "https://github.com/WongKinYiu/yolor/releases/download/weights/"


@dataclass(frozen=True)
class Counted:
    """What a network takes, so that it can be listed without being built; tests hold it to the networks themselves."""

    parameters: int
    """With 80 classes."""
    knowledge: int
    """Those of them that are implicit knowledge."""
    gflops: float
    """Two for every multiplication and addition of the convolutions, at the input size, in thousands of millions."""
    last_stride: int
    """Pixels; the first is 8 everywhere."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """One published network, with its file if there is one."""

    name: str
    """What `tacit download` and `tacit.load` call it."""
    model: str | None
    """Its builder in the zoo; None where the structure stands in the file alone."""
    input_size: int
    """Long side in pixels that the figures were measured at."""
    counted: Counted | None = None
    """Of the models that `tacit models` lists."""
    licence: str = "GPL-3.0"
    """Licence of the weights."""
    file: str | None = None
    """Name of the file; None where no published file is known to fit."""
    address: str | None = None
    """Where it can be fetched; None where it is not, or only through a page for people."""
    size: int | None = None
    """Bytes of the file."""
    sha256: str | None = None
    """Its checksum, in hexadecimal."""
    ap_val: float | None = None
    ap_test: float | None = None
    fps: float | None = None
    source: str = ""
    """Where the figures are printed."""
    bundled: bool = False
    """It comes with the package."""


README = "README of the authors' repository"
LARGE = "YOLOR paper, Tables A2 and A3"
SHARED = f"{LARGE}, which have one row for both lines"
SCALED = f"{LARGE}, rows of Scaled-YOLOv4"
SMALL = "YOLOR paper, Table A1"


_TABLE = (
    # our own, which comes with the package
    Published(
        name="nano", model="nano", input_size=416, licence="Apache-2.0", bundled=True,
        counted=Counted(2_316_026, 1_213, 1.84, 32),
    ),
    # trained from configuration files
    Published(
        name="yolor-csp", model="yolor-csp", input_size=640,
        counted=Counted(52_923_994, 2_557, 120.24, 32),
        file="yolor_csp.pt", address=RELEASE + "yolor_csp.pt",
        ap_val=49.2, source=README,
    ),
    Published(
        name="yolor-csp-x", model="yolor-csp-x", input_size=640,
        counted=Counted(99_754_058, 3_005, 221.88, 32),
        file="yolor_csp_x.pt", address=RELEASE + "yolor_csp_x.pt",
        ap_val=51.1, source=README,
    ),
    Published(
        name="yolor-p6", model="yolor-p6", input_size=1280,
        counted=Counted(37_265_016, 2_812, 325.12, 64),
        file="yolor_p6.pt", address=RELEASE + "yolor_p6.pt",
        ap_val=52.5, ap_test=52.6, fps=49, source=SHARED,
    ),
    Published(  # of this one only a page of Google Drive was ever told
        name="yolor-w6", model="yolor-w6", input_size=1280,
        counted=Counted(79_873_400, 3_580, 452.65, 64),
        file="yolor_w6.pt",
        ap_val=54.0, ap_test=54.1, fps=47, source=SHARED,
    ),
    # of the paper's own branch, whose files have hyphens
    Published(
        name="yolor-p6-paper", model="yolor-p6-paper", input_size=1280,
        counted=Counted(37_270_264, 2_812, 325.12, 64),
        file="yolor-p6.pt", address=RELEASE + "yolor-p6.pt",
        ap_val=52.5, ap_test=52.6, fps=49, source=SHARED,
    ),
    Published(
        name="yolor-w6-paper", model="yolor-w6-paper", input_size=1280,
        counted=Counted(79_880_952, 3_580, 452.65, 64),
        file="yolor-w6.pt", address=RELEASE + "yolor-w6.pt",
        ap_val=54.0, ap_test=54.1, fps=47, source=SHARED,
    ),
    Published(
        name="yolor-e6", model="yolor-e6", input_size=1280,
        counted=Counted(115_909_400, 4_220, 682.12, 64),
        file="yolor-e6.pt", address=RELEASE + "yolor-e6.pt",
        ap_val=54.6, ap_test=54.8, fps=37, source=LARGE,
    ),
    Published(
        name="yolor-d6", model="yolor-d6", input_size=1280,
        counted=Counted(151_782_680, 4_220, 934.43, 64),
        file="yolor-d6.pt", address=RELEASE + "yolor-d6.pt",
        ap_val=55.4, ap_test=55.4, fps=30, source=LARGE,
    ),
    Published(
        name="yolor-s4-dwt", model="yolor-s4-dwt", input_size=640,
        counted=Counted(9_216_634, 1_661, 16.04, 32),
        file="yolor-ssss-dwt.pt", address=RELEASE + "yolor-ssss-dwt.pt",
        ap_val=36.8, source=SMALL,
    ),
    Published(
        name="yolor-s4-s2d", model="yolor-s4-s2d", input_size=640,
        counted=Counted(9_216_634, 1_661, 16.04, 32),
        file="yolor-ssss-s2d.pt", address=RELEASE + "yolor-ssss-s2d.pt",
    ),
    # baselines without knowledge: no published file is known to fit
    Published(
        name="yolov4-csp", model="yolov4-csp", input_size=640,
        counted=Counted(52_921_437, 0, 120.24, 32),
        ap_val=49.1, source=README,
    ),
    Published(
        name="yolov4-csp-x", model="yolov4-csp-x", input_size=640,
        counted=Counted(99_751_053, 0, 221.88, 32),
        ap_val=50.9, source=README,
    ),
    Published(
        name="yolov4-p6", model="yolov4-p6", input_size=1280,
        counted=Counted(127_585_200, 0, 717.02, 64),
        ap_val=54.4, ap_test=54.5, fps=30, source=SCALED,
    ),
    Published(
        name="yolov4-p7", model="yolov4-p7", input_size=1536,
        counted=Counted(287_566_300, 0, 1636.70, 128),
        ap_test=55.5, fps=16, source=SCALED,
    ),
    # other trainings of networks above
    Published(
        name="yolor-csp-star", model="yolor-csp", input_size=640,
        file="yolor_csp_star.pt", address=RELEASE + "yolor_csp_star.pt",
    ),
    Published(
        name="yolor-csp-x-star", model="yolor-csp-x", input_size=640,
        file="yolor_csp_x_star.pt", address=RELEASE + "yolor_csp_x_star.pt",
    ),
    # never described but in the file itself
    Published(name="yolor-s", model=None, input_size=640, file="yolor-s.pt", address=RELEASE + "yolor-s.pt"),
    Published(
        name="yolor-s-dwt", model=None, input_size=640,
        file="yolor-s-dwt.pt", address=RELEASE + "yolor-s-dwt.pt",
    ),
    Published(
        name="yolor-ss-dwt", model=None, input_size=640,
        file="yolor-ss-dwt.pt", address=RELEASE + "yolor-ss-dwt.pt",
    ),
    Published(
        name="yolor-sss-s2d", model=None, input_size=640,
        file="yolor-sss-s2d.pt", address=RELEASE + "yolor-sss-s2d.pt",
    ),
    Published(
        name="yolor-sss-dwt", model=None, input_size=640,
        file="yolor-sss-dwt.pt", address=RELEASE + "yolor-sss-dwt.pt",
        ap_val=39.3, source=SMALL,
    ),
)  # fmt: skip

PUBLISHED: dict[str, Published] = {each.name: each for each in _TABLE}


def published(name: str) -> Published:
    """What is known of the weights of that name. Raises ConfigError for an unknown one, naming what is near."""
    if name not in PUBLISHED:
        near = difflib.get_close_matches(name, PUBLISHED, n=1)
        raise ConfigError(
            f"nothing is published as {name!r}",
            allowed=", ".join(PUBLISHED),
            fix=f"did you mean {near[0]!r}?" if near else "",
        )
    return PUBLISHED[name]
