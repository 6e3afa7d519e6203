"""Columns → groups that a person can look through: by a word that their names share, else by number."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_ENOUGH = 12  # fewer columns than this are one group
_SHARED = 3  # columns that make a word a group
_LARGEST = 40  # a larger group is cut
_CUT = 25
_WORDS = re.compile(r"[^\W_]+")


@dataclass(frozen=True, kw_only=True)
class Group:
    """Columns shown together.

    Args:
        title: The word they share, or "26 – 50"; "" where the columns need no groups, or share nothing.
        places: Of the columns in the schema, rising.
    """

    title: str
    places: tuple[int, ...]


def grouped(names: Sequence[str]) -> tuple[Group, ...]:
    """Every column in one group; groups in the order of their first columns, what shares nothing at the end."""
    everything = tuple(range(len(names)))
    if len(names) < _ENOUGH:
        return (Group(title="", places=everything),)
    by_word = _by_word(names)
    rest = by_word.pop("", ())
    if len(by_word) < 2 or len(rest) > len(names) / 2:
        return _cut("", everything)
    found = [part for title, places in by_word.items() for part in _cut(title, places)]
    return (*found, *(_cut("", rest) if rest else ()))


# ----------------------------------------------------------------------------------------------------------------------


def _by_word(names: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Word → places: the first word of a name if others begin so too, else its last."""
    split = [_WORDS.findall(name) for name in names]
    first = Counter(words[0] for words in split if len(words) > 1)
    last = Counter(words[-1] for words in split if len(words) > 1)
    found: dict[str, list[int]] = {}
    for place, words in enumerate(split):
        title = ""
        if len(words) > 1:
            near = max((first[words[0]], words[0]), (last[words[-1]], words[-1]))
            title = near[1] if near[0] >= _SHARED else ""
        found.setdefault(title, []).append(place)
    return {title: tuple(places) for title, places in found.items()}


def _cut(title: str, places: tuple[int, ...]) -> tuple[Group, ...]:
    if len(places) <= _LARGEST:
        return (Group(title=title, places=places),)
    parts = [places[start : start + _CUT] for start in range(0, len(places), _CUT)]
    starts = range(0, len(places), _CUT)
    titles = [f"{title} {start + 1} – {start + len(part)}".strip() for start, part in zip(starts, parts, strict=True)]
    return tuple(Group(title=one, places=part) for one, part in zip(titles, parts, strict=True))
