"""`tacit download`: published weights, fetched and checked, into the cache folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from tyro.conf import Positional, arg

from tacit.cli.screen import parse, say
from tacit.weights.download import checksum, download
from tacit.weights.fetch import Progress as Told
from tacit.weights.published import published


@dataclass(frozen=True, kw_only=True)
class Options:
    """Fetch published weights into the cache folder (TACIT_CACHE, or `tacit` where the platform keeps such files)."""

    name: Annotated[str, Positional, arg(metavar="NAME")]
    """Such as yolor-p6; 'tacit models' lists them."""


def run(arguments: Sequence[str]) -> int:
    """Fetches, and tells where the file is."""
    facts = published(parse(Options, arguments, "download").name)
    with _bar(facts.file or facts.name) as told:
        path = download(facts, progress=told)
    say(f"{path}\n{path.stat().st_size:,} bytes, licence {facts.licence}, SHA-256 {checksum(path)}")
    if facts.sha256 is None:
        say("its authors publish no checksum to compare this one with")
    return 0


@contextmanager
def _bar(name: str) -> Iterator[Told]:
    """A bar on stderr, none where that is no terminal; what it gives is told the bytes so far and in all."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
