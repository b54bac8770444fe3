"""What the page of prediction says of the code is so."""

from test_readme import ROOT

from tacit.predict.pipeline import BATCH, KEPT, LARGE, MARGIN, READERS
from tacit.predict.writers import DRAWERS

PAGE = (ROOT / "docs/learn/predict.md").read_text(encoding="utf-8")


def test_the_numbers_are_the_code_s():
    assert f"`--batch` is {BATCH} unless" in PAGE
    assert f"more than {KEPT / 1e6:.1f} million pixels" in PAGE
    assert MARGIN == 2
    assert "twice the pixels of the network's input" in PAGE
    assert f"more than {LARGE:.0f} GFLOPs" in PAGE
    assert (READERS, DRAWERS) == (2, 2)
    assert "Two threads read" in PAGE
    assert "two more draw" in PAGE
