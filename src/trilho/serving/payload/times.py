"""Texts and numbers that are moments, as MLflow's server reads them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import numpy as np

_ISO = re.compile(
    r"(?P<plain>\d{4}(-\d\d(-\d\d([T ]\d\d(:\d\d(:\d\d(\.\d{1,9})?)?)?)?)?)?)"
    r"\s?(?P<zone>Z|(?P<sign>[+-])(?P<hours>[01]\d|2[0-3])(:?(?P<minutes>[0-5]\d))?)?"
)
_WORDS = frozenset({"", "NaT", "NAT", "nat", "NaN", "NAN", "nan"})
_YEARS = range(1678, 2262)  # that 64 bits of nanoseconds reach
_MISSING = int(np.datetime64("NaT", "ns").astype("int64"))


def nanoseconds(value: Any) -> int:
    """Since 1970, UTC; what stands for NaT where `value` is None, NaN or an empty text.

    Args:
        value: ISO 8601 text, of UTC unless it names a zone, down to a year alone; or a number of nanoseconds, which is
            what pandas, and so MLflow's server, takes a number for.

    Raises:
        ValueError: it is neither, or beyond what 64 bits hold (the years 1678 to 2261).
    """
    if value is None or value != value:
        return _MISSING
    if isinstance(value, str):
        return _MISSING if value in _WORDS else _of_text(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 2**63:
        raise ValueError(value)
    return int(value)


# ----------------------------------------------------------------------------------------------------------------------


def _of_text(text: str) -> int:
    found = _ISO.fullmatch(text)
    if found is None:  # the forms without dashes, and weeks
        moment = datetime.fromisoformat(text)
        plain, shift = moment.replace(tzinfo=None).isoformat(), moment.utcoffset()
        ahead = 0 if shift is None else round(shift.total_seconds())
    else:
        plain = found["plain"]
        ahead = int(found["hours"] or 0) * 3600 + int(found["minutes"] or 0) * 60
        ahead = -ahead if found["sign"] == "-" else ahead
    if int(plain[:4]) not in _YEARS:
        raise ValueError(text)
    return int(np.datetime64(plain.replace(" ", "T"), "ns").astype("int64")) - ahead * 10**9
