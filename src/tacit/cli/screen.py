"""What the commands share on the screen: options from dataclasses, progress on stderr, tables on stdout."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import tyro
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from tacit.data.sample import Fault

T = TypeVar("T")


def parse(options: type[T], arguments: Sequence[str], command: str) -> T:
    """`arguments` as an instance of the dataclass `options`; a wrong one ends the program with code 2 and a hint."""
    return tyro.cli(
        options,
        args=list(arguments),
        prog=f"tacit {command}",
        config=(tyro.conf.FlagCreatePairsOff, tyro.conf.EnumChoicesFromValues),
    )


def gathered(arguments: Sequence[str], lists: Collection[str]) -> list[str]:
    """`--data A --data B` as `--data A B`, for the options that are `lists`."""
    taken, rest, current = {name: list[str]() for name in lists}, list[str](), ""
    for argument in arguments:
        current = argument if argument.startswith("--") else current
        if current not in taken:
            rest.append(argument)
        elif argument != current:
            taken[current].append(argument)
    return rest + [part for name, values in taken.items() if name in arguments for part in (name, *values)]


@contextmanager
def progress(total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """A bar on stderr (none where that is no terminal); call what it gives with how many more are done."""
    with progress_bar() as bar:
        task = bar.add_task(unit, total=total, rate="")

        def advance(more: int) -> None:
            speed = bar.tasks[task].speed
            bar.update(task, advance=more, rate=f"{speed:.1f}/s" if speed else "")

        yield advance


def with_progress(items: Iterable[T], total: int, unit: str) -> Iterator[T]:
    """The items, with a bar while they are taken."""
    with progress(total, unit) as advance:
        for item in items:
            yield item
            advance(1)


def progress_bar() -> Progress:
    """What every command's bar looks like; its tasks have a field `rate`."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        speed_estimate_period=300,  # seconds; of steps slower than this, no time left could be told
        redirect_stdout=sys.stdout.isatty(),  # a pipe gets its lines, whatever stderr is
        disable=not sys.stderr.isatty(),
    )


def show_table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A title and a table on stdout: the first column to the left, the others (figures) to the right."""
    say(title)
    table = Table()
    for index, name in enumerate(header):
        table.add_column(name, justify="left" if index == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    # a name in brackets or colons is a name, no markup
    Console(width=None if sys.stdout.isatty() else 120, markup=False, emoji=False).print(table)


def warn_of(faults: Sequence[Fault]) -> bool:
    """A line for each fault, once; whether anything was left out for one."""
    for fault in dict.fromkeys(faults):
        warn(fault.line())
    return any(fault.lost != "nothing" for fault in faults)


def counted(number: int, noun: str) -> str:
    """`1 photograph`, `2 photographs`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def warn(text: str) -> None:
    """A line on stderr."""
    print(text, file=sys.stderr)


def say(text: str) -> None:
    """A line on stdout."""
    print(text)
