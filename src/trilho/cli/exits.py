"""Exit codes: the one table from errors to what a shell or a scheduler sees."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from trilho.errors import (
    InvalidProject,
    ProjectNotFound,
    PromotionContested,
    PromotionRefused,
    TrilhoError,
    UnknownName,
)

if TYPE_CHECKING:
    from trilho.steps import Judgement

DONE, FAILED, WRONG_USAGE, REFUSED, DRIFT = 0, 1, 2, 3, 4
INTERRUPTED = 130  # the shell's own number for Ctrl-C

EXITS: dict[type[TrilhoError], int] = {
    ProjectNotFound: WRONG_USAGE,
    InvalidProject: WRONG_USAGE,
    UnknownName: WRONG_USAGE,
    PromotionRefused: REFUSED,
    PromotionContested: REFUSED,
}


def exit_code_of(error: TrilhoError) -> int:
    """1 for every error that the table does not name."""
    return EXITS.get(type(error), FAILED)


def exit_code_after(judged: Iterable[Judgement]) -> int:
    """3 if one of the versions was refused, else 0."""
    return REFUSED if any(item.event is not None and item.event.kind == "refused" for item in judged) else DONE
