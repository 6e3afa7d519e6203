"""How a number of things is worded in the lines of facts."""

from __future__ import annotations


def counted(number: int, thing: str) -> str:
    """1 row, 2 rows, 42,118 rows."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
