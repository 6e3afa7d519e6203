"""How results are worded: facts to stdout, progress to stderr, no colour or spinner where nobody looks."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.text import Text

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

_COLOURS = {
    "pass": "green",
    "fail": "red",
    "not comparable": "yellow",
    "ran": "cyan",
    "reused": "dim",
    "stale": "yellow",
}


def line(name: str, status: str, rest: str = "", *, width: int = 12) -> None:
    """One fact a line: "  train        18.4 s    max_depth changed: 6 → 8"."""
    text = Text(f"  {name:<{width}} ")
    text.append(f"{status:<9}", style=_COLOURS.get(status.strip(), ""))
    text.append(f" {rest}" if rest else "")
    text.rstrip()
    out.print(text)


def state(name: str, rest: str) -> None:
    """A line of the new state: "Promoted   fraud v15 is champion, was v11"."""
    out.print(Text.assemble((f"{name:<10} ", "bold"), rest))


def plain(text: str = "") -> None:
    out.print(Text(text))


def progress(text: str) -> None:
    """Something on the way, to stderr."""
    err.print(Text(text, style="dim"))


def as_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """A spinner while something runs; nothing where stderr is no terminal."""
    if err.is_terminal:
        with err.status(Text(text, style="dim")):
            yield
    else:
        yield
