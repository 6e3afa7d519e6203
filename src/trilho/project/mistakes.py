"""Mistakes in what the user wrote: collected first, then reported all at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from trilho.errors import InvalidProject
from trilho.settings import Origin

_RANK = {"file": 0, "profile": 0, "default": 0, "inferred": 0, ".env": 1, "environment": 2, "flag": 3}
_OUTSIDE = {".env": ".env", "environment": "the environment", "flag": "the flags"}


@dataclass(frozen=True)
class Mistake:
    """One mistake: where it is written, and a sentence that says what is wrong and what is allowed."""

    origin: Origin
    text: str

    def __str__(self) -> str:
        return f"{_place(self.origin)}: {self.text}"


def report(mistakes: Iterable[Mistake], file: Path) -> None:
    """Do nothing without mistakes; else raise InvalidProject that lists them in the order of the file, each once."""
    ordered = sorted(dict.fromkeys(mistakes), key=lambda one: (_RANK[one.origin.source], one.origin.line or 0))
    if not ordered:
        return
    sources = {one.origin.source for one in ordered}
    outside = [words for source, words in _OUTSIDE.items() if source in sources]
    inside = len(sources) > len(outside)
    count = "1 mistake" if len(ordered) == 1 else f"{len(ordered)} mistakes"
    raise InvalidProject(
        f"The settings of {file.parent} have {count}." if outside else f"{file} has {count}.",
        why="\n".join(f"  {mistake}" for mistake in ordered),
        remedy=f"Correct {', '.join([*([file.name] if inside else []), *outside])}; "
        "trilho config --schema prints every setting with what it takes.",
    )


def _place(origin: Origin) -> str:
    if origin.source in ("file", "profile"):
        return f"line {origin.line}" if origin.line is not None else "trilho.yaml"
    if origin.source == "flag":
        return origin.detail
    return str(origin) if origin.source in ("environment", ".env") else "trilho.yaml"
