"""Numbers, shares and times as people write them."""

from __future__ import annotations

import math
import time


def number(value: float) -> str:
    """Four digits, or all before the point.

    Example:
        >>> number(0.123456), number(12345.6), number(1e12), number(-0.0)
        ('0.1235', '12,346', '1e+12', '0')
    """
    if not math.isfinite(value):
        return str(value)
    if value == 0:
        return "0"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.4g}"


def share(value: float) -> str:
    """A share in percent; what is not nothing is not called 0%.

    Example:
        >>> share(0.314), share(0.0004), share(0), share(0.9996)
        ('31%', '<0.1%', '0%', '>99.9%')
    """
    if 0 < value < 0.001:
        return "<0.1%"
    if 0.999 < value < 1:
        return ">99.9%"
    return f"{value:.1%}" if 0 < value < 0.1 or 0.9 < value < 1 else f"{value:.0%}"


def moment(seconds: float, *, beside: float | None = None) -> str:
    """A time in UTC: the hour alone where it is in the 24 hours before `beside`.

    Example:
        >>> moment(1_767_268_800), moment(1_767_268_800, beside=1_767_270_000)
        ('1 Jan 12:00', '12:00')
    """
    when = time.gmtime(seconds)
    hour = time.strftime("%H:%M", when)
    if beside is not None and 0 <= beside - seconds <= 86_400:
        return hour
    return f"{when.tm_mday} {_MONTHS[when.tm_mon - 1]} {hour}"


def duration(seconds: float) -> str:
    """About how long.

    Example:
        >>> duration(40), duration(5400), duration(200_000)
        ('40 seconds', '90 minutes', '2.3 days')
    """
    for unit, length in (("days", 86_400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{number(round(seconds / length, 1))} {unit}"
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"


def cut(text: str, length: int = 120) -> str:
    """So much of a name as there is room for."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


# ----------------------------------------------------------------------------------------------------------------------

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
