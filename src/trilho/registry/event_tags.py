"""An event of the history as tags of a version of NAME.history, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast, get_args

from trilho.registry.store import Entry
from trilho.registry.version import Event, Kind

HISTORY_SUFFIX = ".history"
SETTLED_TAG = "trilho.settled"
WRITING_TAG = "trilho.writing."  # followed by a name for the writer; since when, or DONE
DONE = "done"
ALIVE_TAG, OUTCOME_TAG = "trilho.alive", "trilho.outcome"  # of a retraining

_KIND, _BEFORE, _AFTER = "trilho.event", "trilho.before", "trilho.after"
_FOLLOWS, _RESUMES = "trilho.follows", "trilho.resumes"
_NOBODY = "none"
_YES = "true"

LONGEST_WHY = 4000  # characters; MLflow's description column holds 5000


def to_tags(event: Event) -> dict[str, str]:
    """The tags that `from_tags` reads. Whether an event is valid follows from the log, so it is not among them."""
    tags = {
        _KIND: event.kind,
        _BEFORE: _NOBODY if event.before is None else str(event.before),
        _AFTER: _NOBODY if event.after is None else str(event.after),
        "trilho.who": event.who,
        "trilho.when": repr(float(event.when)),
        "trilho.why": _cut(event.why),
        "trilho.forced": str(event.forced).lower(),
        "trilho.stages": str(event.stages).lower(),
        "trilho.verdicts": event.verdicts,
    }
    if event.kind == "retraining":
        tags |= {_FOLLOWS: str(event.follows), _RESUMES: str(event.resumes), ALIVE_TAG: repr(float(event.when))}
    return tags


def from_tags(number: int, tags: Mapping[str, str], created: float) -> Entry | None:
    """The event, or None where the tags do not say what moved: to the log that is as if it were deleted.

    Who, when and why may be missing: they explain an event, they do not decide anything.
    """
    kind = tags.get(_KIND, "")
    try:
        before, after = _number(tags[_BEFORE]), _number(tags[_AFTER])
        follows, resumes = int(tags.get(_FOLLOWS, 0)), int(tags.get(_RESUMES, 0))
    except (KeyError, ValueError):
        return None
    if kind not in get_args(Kind):
        return None
    event = Event(
        number=number,
        kind=cast("Kind", kind),
        before=before,
        after=after,
        who=tags.get("trilho.who", "unknown"),
        when=_seconds(tags.get("trilho.when", ""), created),
        why=tags.get("trilho.why", ""),
        forced=tags.get("trilho.forced") == _YES,
        verdicts=tags.get("trilho.verdicts", "[]"),
        stages=tags.get("trilho.stages") == _YES,
        follows=follows,
        resumes=resumes,
        outcome=tags.get(OUTCOME_TAG, ""),
    )
    marks = {tag: value for tag, value in tags.items() if tag.startswith(WRITING_TAG) and value != DONE}
    writing = {tag: _seconds(value, created) for tag, value in marks.items()}
    alive = _seconds(tags.get(ALIVE_TAG, ""), created)
    return Entry(event=event, created=created, settled=SETTLED_TAG in tags, writing=writing, alive=alive)


def sentence(name: str, event: Event) -> str:
    """The event in words, for people who look at it in MLflow."""
    before = f"v{event.before}" if event.before is not None else "none"
    after = f"v{event.after}" if event.after is not None else "none"
    if event.kind == "retraining":
        return f"{name} is trained again by {event.who}, champion stays {before}: {_cut(event.why)}"
    if event.kind == "refused":
        return f"{name} {after} was refused, champion stays {before}: {_cut(event.why)}"
    return f"{name} champion {before} → {after}, {event.kind} by {event.who}: {_cut(event.why)}"


def _cut(why: str) -> str:
    return why if len(why) <= LONGEST_WHY else why[: LONGEST_WHY - 1] + "…"


def _number(text: str) -> int | None:
    return None if text == _NOBODY else int(text)


def _seconds(text: str, otherwise: float) -> float:
    try:
        return float(text)
    except ValueError:
        return otherwise
