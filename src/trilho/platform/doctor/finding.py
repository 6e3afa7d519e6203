"""What a check found, as a value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from trilho.platform.service import Say

State = Literal["ok", "trouble", "unknown"]

_NAMED = 5  # of many things of one kind; the rest is counted


@dataclass(frozen=True, kw_only=True)
class Fix:
    """What `trilho doctor --fix` offers for a finding: shown, and done with --yes only."""

    does: str  # what would be done, and to what
    act: Callable[[Say], str]  # does it, and says what was done


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One check's answer. `expected` and `remedy` are empty where all is well."""

    name: str = ""  # of the check; filled in by who runs it
    state: State
    measured: str
    expected: str = ""
    remedy: str = ""
    fix: Fix | None = None  # where the remedy is one that a program may apply


def ok(measured: str) -> Finding:
    """All is well, as `measured` shows."""
    return Finding(state="ok", measured=measured)


def trouble(measured: str, *, expected: str, remedy: str, fix: Fix | None = None) -> Finding:
    """Something is wrong, and `remedy` is the way out: commands to paste, or what to change."""
    return Finding(state="trouble", measured=measured, expected=expected, remedy=remedy, fix=fix)


def unknown(measured: str, *, remedy: str = "") -> Finding:
    """It could not be found out, because of `measured`."""
    return Finding(state="unknown", measured=measured, remedy=remedy)


def counted(number: int, thing: str) -> str:
    """ "1 run", "12 runs"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}".replace(",", " ")


def some(names: Iterable[str]) -> str:
    """The first few, and how many more there are."""
    found = list(names)
    shown = ", ".join(found[:_NAMED])
    return shown if len(found) <= _NAMED else f"{shown} and {len(found) - _NAMED} more"
