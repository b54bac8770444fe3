"""The wheel alone, away from this checkout, finds the astronaut with the weights that it brings along."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def done(*arguments, cwd, **environment):
    """What the command printed; its complaints if it fails."""
    ran = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.slow
def test_the_wheel_predicts_from_an_empty_folder(tmp_path):
    wheels, fresh, empty = (tmp_path / name for name in ("wheels", "fresh", "empty"))
    empty.mkdir()
    pip = ("-m", "pip", "--disable-pip-version-check")
    done(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, ROOT, cwd=empty)
    (wheel,) = wheels.glob("tacit-*.whl")
    done(*pip, "install", "--no-deps", "--no-index", "--target", fresh, wheel, cwd=empty)
    photograph = fresh / "tacit/samples/astronaut.jpg"
    assert done("-c", "import tacit; print(tacit.__file__)", cwd=empty, PYTHONPATH=str(fresh)).startswith(str(fresh))
    assert "x person" in done("-m", "tacit", "predict", photograph, cwd=empty, PYTHONPATH=str(fresh))
    assert (empty / "runs/predict/astronaut.jpg").is_file()
