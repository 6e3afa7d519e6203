"""Durations as people write them: a number and its unit."""

from __future__ import annotations

import math
import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
DURATION = r"\d+(\.\d+)?\s?(ms|s|m|h|d)"


def parse_duration(text: str) -> float:
    """The seconds that "500ms", "2s", "15m", "24h" or "7d" stand for.

    Raises:
        ValueError: it is not a number with one of these units; the message says how to write it.
    """
    found = re.fullmatch(DURATION, text.strip(), re.ASCII)
    seconds = float(text.strip().removesuffix(found[2])) * _UNITS[found[2]] if found else math.inf
    if not math.isfinite(seconds):
        raise ValueError(f"'{text:.40}' is not a duration: write a number and ms, s, m, h or d, for example 2s or 24h")
    return seconds


def format_duration(seconds: float) -> str:
    """The shortest way to write a duration, in the largest unit that gives a whole number: 86400.0 → "1d"."""
    for unit in ("d", "h", "m", "s", "ms"):
        count = round(seconds / _UNITS[unit], 9)
        if count == int(count) and (count or unit == "s"):
            return f"{int(count)}{unit}"
    return f"{seconds}s"
