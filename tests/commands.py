"""How the tests call the command line: in this process, or in one of its own."""

import os
import subprocess
import sys

from tacit.cli import main


def run(*arguments):
    """`main` with these arguments; a usage error of the option parser counts as its exit code."""
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as stop:
        return stop.code


def child(*arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
