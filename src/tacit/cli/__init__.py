"""The command line. Here only the names of the commands: each one's module is loaded when it is asked for.

tyro alone takes 0.2 s to import and torch more, so `tacit --help` is written out by hand; a test holds it to the
commands and to its time. Exit codes: 0 fine, 1 something of what was asked about was left out, 2 an error, 130
interrupted. A training that came to its end is fine; what it left out is said.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import TypeAlias, cast

from tacit import __version__
from tacit.errors import ConfigError, TacitError

COMMANDS = {
    "predict": "find objects in photographs and draw them",
    "data": "look at a dataset: what is there, what is wrong with it, a contact sheet",
    "train": "train a network on a dataset, or go on with a run",
    "teach": "teach a frozen network a new task, into a small knowledge file",
    "val": "score a network on a labelled dataset",
    "study": "compare variants of a recipe over seeds: ablations of the paper, tasks alone and together",
    "bench": "measure how fast this machine answers: every engine, every precision, stage by stage",
    "models": "list the published models",
    "info": "describe a model or a weights file, layer by layer and as a drawing",
    "download": "fetch published weights into the cache folder",
    "export": "turn weights into an ONNX, OpenVINO, TensorRT or torch model",
    "convert": "turn an official checkpoint into a file of ours",
}
CPU_IS_FULL = "DefaultCPUAllocator"  # how torch's error for it, a plain RuntimeError, begins its reason
BROKEN_PIPE = 141  # what a shell gives for a process that SIGPIPE ended

Run: TypeAlias = Callable[[Sequence[str]], int]  # what a command's module has: options in, exit code out


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs `tacit ARGUMENTS` (those of the process if None) and returns the exit code."""
    first, *rest = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if first in {"-h", "--help"}:
        print(_overview())
        return 0
    if first in {"-V", "--version"}:
        print(f"tacit {__version__}")
        return 0
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names need not be text
    try:
        code = _command(first)(rest)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader of our lines, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except (TacitError, OSError) as error:  # OSError: of the machine, as a full disk or a folder closed to writing
        return _fail(str(error))
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        what = str(error).partition("\n")[0]
        return _fail(f"the memory does not suffice: {what}. To do: a smaller --batch or --size.")
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return TacitError.exit_code


def _is_out_of_memory(error: MemoryError | RuntimeError) -> bool:
    """Of the CPU or the GPU; torch, which has an error of its own for it, need not be there to be asked."""
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or CPU_IS_FULL in str(error)


def _command(name: str) -> Run:
    if name not in COMMANDS:
        near = get_close_matches(name, COMMANDS, n=1)
        raise ConfigError(
            f"there is no command {name!r}",
            allowed=", ".join(COMMANDS),
            fix=f"perhaps you mean 'tacit {near[0]}'" if near else "see 'tacit --help'",
        )
    return cast(Run, import_module(f"tacit.cli.{name}").run)


def _overview() -> str:
    commands = "\n".join(f"  {name:<9} {help_line}" for name, help_line in COMMANDS.items())
    return (
        "usage: tacit COMMAND [OPTIONS]\n\nOne image, one forward pass, many answers.\n\n"
        f"commands:\n{commands}\n\n"
        "'tacit COMMAND --help' tells a command's options, 'tacit --version' the version."
    )
