"""What was decided on a version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trilho import registry

if TYPE_CHECKING:
    from trilho import gates


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What the gates said of a version, and what came of it."""

    version: registry.Version
    verdicts: tuple[gates.Verdict, ...] = ()
    event: registry.Event | None = None  # None: nothing was to be decided
    before: int | None = None  # the champion it was judged against
