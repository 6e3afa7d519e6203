"""What the text of a column says: each different value is looked at once, with how often it stands there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

BOOLEAN_WORDS = {"true": True, "yes": True, "false": False, "no": False}

_ISO = re.compile(r"\s*\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?\s?(Z|[+-]\d{2}(:?\d{2})?)?)?\s*")
_COMMA = re.compile(r"\s*[+-]?(\d+(\.\d{3})*,\d+|\d{1,3}(,\d{3})+(\.\d+)?)\s*")
_THOUSANDS_COMMA = re.compile(r"\s*[+-]?\d{1,3}(,\d{3})+(\.\d+)?\s*")
# What people read as dates and numbers, and trilho as text: 31/01/2026, R$ 1.234,56, 1.8%.
_DATE = re.compile(
    r"\s*(\d{1,2}([/.-])\d{1,2}\2(\d{4}|\d{2})|\d{4}([/.])\d{1,2}\4\d{1,2})([ T]\d{1,2}:\d{2}.{0,15})?\s*"
)
_AMOUNT = re.compile(r"\s*[+-]?([A-Z]{0,3}[$€£¥₹]\s?[+-]?\d[\d.,]*|\d[\d.,]*\s?[%$€£¥₹])\s*")
# Mixed: at least half of the rows are numbers (or dates), and those that are not are few. More of them, and many
# different ones, are codes such as "A12" beside "112", which are text.
_LEAST_SHARE = 0.5
_FEW_STRANGERS = 10
_FEW_STRANGER_ROWS = 0.1
_SAMPLE = 1_000


@dataclass(frozen=True, kw_only=True)
class Mixed:
    """Most values are `most` ("numbers", "dates"), these `strangers` are not."""

    most: str
    strangers: tuple[str, ...]
    comma: bool = False  # all of them are numbers, written with a comma
    thousands: bool = False  # and each comma has three digits behind it, as in 1,045 or 2,129,151


@dataclass(frozen=True)
class Words:
    """The different values of a text column and how many rows have each; missing ones are not counted."""

    values: tuple[str, ...]
    counts: np.ndarray[Any, Any]

    @property
    def rows(self) -> int:
        return int(self.counts.sum())

    @property
    def distinct(self) -> int:
        return len(self.values)

    @cached_property
    def are_booleans(self) -> bool:
        seen = {value.strip().lower() for value in self.values[:9]} if self.distinct < 9 else set()
        return seen in ({"true", "false"}, {"yes", "no"})

    @cached_property
    def are_times(self) -> bool:
        return self.distinct > 0 and not self._plainly_text and bool(self._times.all())

    @cached_property
    def mixed(self) -> Mixed | None:
        """Numbers with a few words among them, dates with a few that are none, or numbers with a comma."""
        if self._plainly_text:
            return None
        comma = np.array([_COMMA.fullmatch(value) is not None for value in self.values], dtype=bool)
        if comma.any() and (comma | self._numbers).all():
            strangers = tuple(value for value, flag in zip(self.values, comma, strict=True) if flag)
            thousands = all(_THOUSANDS_COMMA.fullmatch(value) for value in strangers)
            return Mixed(most="numbers", strangers=strangers, comma=True, thousands=thousands)
        for most, flags in (("numbers", self._numbers), ("dates", self._times)):
            share = self.counts[flags].sum() / max(self.rows, 1)
            few = (~flags).sum() <= _FEW_STRANGERS or 1 - share <= _FEW_STRANGER_ROWS
            if _LEAST_SHARE <= share < 1 and few:
                return Mixed(most=most, strangers=tuple(v for v, ok in zip(self.values, flags, strict=True) if not ok))
        return None

    @cached_property
    def _plainly_text(self) -> bool:
        """None of 1,000 values spread over all looks like a number or a date; spares two million codes more looks."""
        step = self.distinct // _SAMPLE
        return step > 1 and not Words(self.values[::step], self.counts[::step])._like_anything

    @property
    def _like_anything(self) -> bool:
        comma = any(_COMMA.fullmatch(value) for value in self.values)
        return comma or bool(self._numbers.any()) or bool(self._times.any())

    @cached_property
    def _numbers(self) -> np.ndarray[Any, Any]:
        parsed = pd.to_numeric(pd.Series(self.values, dtype=object), errors="coerce")
        return parsed.notna().to_numpy()

    @cached_property
    def _times(self) -> np.ndarray[Any, Any]:
        looks = np.array([_ISO.fullmatch(value) is not None for value in self.values], dtype=bool)
        if looks.any():
            chosen = [value for value, flag in zip(self.values, looks, strict=True) if flag]
            looks[looks] = parsed_times(pd.Series(chosen, dtype=object)).notna().to_numpy()
        return looks


def words_of(column: pd.Series[Any]) -> Words:
    """Count the different values of a text column."""
    counts = column.value_counts()
    return Words(tuple(counts.index), counts.to_numpy(dtype="int64"))


def reads_as(values: Iterable[str]) -> str:
    """What a person takes the values of a text column for: "dates", "numbers", or "" for mere text.

    Dates in no order that is proved (31/01/2026, 1.2.26), and numbers with a currency or a percent sign.
    """
    values = list(values)
    for name, way in (("dates", _DATE), ("numbers", _AMOUNT)):
        if values and all(map(way.fullmatch, values)):
            return name
    return ""


def parsed_times(texts: pd.Series[Any]) -> pd.Series[Any]:
    """ISO 8601 text as datetime64 in UTC without a zone; NaT where it is none."""
    return pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True).dt.tz_localize(None)
