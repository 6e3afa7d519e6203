"""How results are worded: facts to stdout, progress to stderr, no colour or spinner where nobody looks.

Rich draws tables and the spinner; lines need no more than a colour, and so most commands do without importing it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import typer

_COLOURS: dict[str, dict[str, Any]] = {
    "pass": {"fg": "green"},
    "fail": {"fg": "red"},
    "not comparable": {"fg": "yellow"},
    "ran": {"fg": "cyan"},
    "reused": {"dim": True},
    "stale": {"fg": "yellow"},
}


def line(name: str, status: str, rest: str = "", *, width: int = 12, status_width: int = 9) -> None:
    """One fact a line: "  train        18.4 s    max_depth changed: 6 → 8"."""
    padded = f"{status:<{status_width}}" if rest else status
    coloured = typer.style(padded, **_COLOURS.get(status.strip(), {}))
    _echo(f"  {name:<{width}} {coloured}" + (f" {rest}" if rest else ""))


def state(name: str, rest: str) -> None:
    """A line of the new state: "Promoted   fraud v15 is champion, was v11"."""
    _echo(typer.style(f"{name:<10} ", bold=True) + rest)


def plain(text: str = "") -> None:
    """A line of text as it is, to stdout."""
    _echo(text)


def progress(text: str) -> None:
    """Something on the way, to stderr."""
    _echo(typer.style(text, dim=True), err=True)


def as_json(value: Any) -> None:
    """The facts as JSON, to stdout."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def table(columns: Mapping[str, str], rows: Iterable[Sequence[str]]) -> None:
    """Columns by their heading, each "left" or "right"; on a terminal long words are folded, in a pipe nothing is."""
    if not sys.stdout.isatty():
        _whole_table(columns, [tuple(row) for row in rows])
        return
    from rich.console import Console
    from rich.table import Table

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for heading, side in columns.items():
        drawn.add_column(heading, overflow="fold", justify="right" if side == "right" else "left")
    for row in rows:
        drawn.add_row(*row)
    Console(highlight=False, soft_wrap=True).print(drawn)


def _whole_table(columns: Mapping[str, str], rows: list[Sequence[str]]) -> None:
    lines = [[" ".join(cell.split()) for cell in row] for row in (tuple(columns), *rows)]
    widths = [max(len(row[place]) for row in lines) for place in range(len(columns))]
    for row in lines:
        cells = [
            f"{cell:>{width}}" if side == "right" else f"{cell:<{width}}"
            for cell, width, side in zip(row, widths, columns.values(), strict=True)
        ]
        _echo("  ".join(cells).rstrip())


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """A spinner while something runs; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status(Text(text, style="dim")):
        yield


def _echo(text: str, *, err: bool = False) -> None:
    typer.echo(text, err=err, color=False if os.environ.get("NO_COLOR") else None)
