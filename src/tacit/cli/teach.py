"""`tacit teach`: a new task for a frozen network, as a small file that can be added to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from tacit.cli.screen import parse, say
from tacit.cli.train import Screen
from tacit.errors import ConfigError
from tacit.training.course import Course


@dataclass(frozen=True, kw_only=True)
class Options:
    """Teach a frozen network a new task: only knowledge and a small head learn, and go into a file of their own."""

    course: Annotated[Course, arg(name="")]
    weights: Path | None = None
    """Weights file, or the name of published weights such as nano, which is also what is taken without it."""
    output: Path | None = None
    """The knowledge file to write; without it NAME.safetensors."""

    def chosen_output(self) -> Path:
        """Where the file goes. Raises ConfigError where it could not, before any work is done."""
        path = self.output or Path(f"{self.course.name}.safetensors")
        if path.is_dir() or not path.parent.is_dir():
            raise ConfigError(f"no file can be written to {path}", fix="name a file in a folder that is there")
        return path


def run(arguments: Sequence[str]) -> int:
    """Teaches, and tells the figures before and after."""
    options = parse(Options, arguments, "teach")
    from tacit.training.teach import teach
    from tacit.weights.download import located
    from tacit.weights.files import load
    from tacit.weights.knowledge_file import write

    path = options.chosen_output()
    weights = load(None if options.weights is None else located(options.weights))
    with Screen(options.course.epochs, options.course.batch) as screen:
        taught = teach(weights, options.course, screen)
    size = write(taught, path)
    say(f"{path}: {size / 1000:.0f} kB; use it so: tacit predict PHOTOGRAPHS --knowledge {path}")
    return 0
