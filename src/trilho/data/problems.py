"""What is wrong with the data, gathered so that one message can name all of it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from trilho.errors import BadData

SHOWN = 12  # names listed in a message before it says how many more there are


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong with the data; several are told in one error."""

    what: str  # one sentence that names the column
    remedy: str  # what to do about it, one line


def report(source: str, problems: Sequence[Problem]) -> NoReturn:
    """Raise one BadData for all `problems`; a single one is the headline itself."""
    if len(problems) == 1:
        raise BadData(f"{source}: {problems[0].what}", remedy=problems[0].remedy)
    raise BadData(
        f"{source} has {len(problems)} problems.",
        why="\n".join(f"  {number}. {item.what}\n     {item.remedy}" for number, item in enumerate(problems, 1)),
        remedy="Correct all of them, then run again.",
    )


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """ " Did you mean 'x'?", or nothing where no name is near."""
    by_lower = {known.lower(): known for known in names}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1)
    return f" Did you mean '{by_lower[near[0]]}'?" if near else ""


def listed(names: Iterable[str]) -> str:
    """The names in their order, cut to a length that can be read."""
    every = list(names)
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return ", ".join(every[:SHOWN]) + more
