"""How steps word a number in their one line of facts."""

from __future__ import annotations


def count(number: int) -> str:
    """42118 → "42 118": readable in every language, no comma to take for a fraction."""
    return f"{number:,}".replace(",", " ")
