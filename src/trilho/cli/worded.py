"""Deliveries, judgements and events in words and in JSON."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from trilho.cli import output

if TYPE_CHECKING:
    from trilho.delivery import Delivery
    from trilho.gates import Verdict
    from trilho.project import ProjectFile
    from trilho.registry import Event, Version
    from trilho.steps import Judgement, StepResult


def show_delivery(file: ProjectFile, done: Delivery) -> None:
    """What came of a run, after its steps: verdicts, the new state, the way back or on."""
    for judgement in done.judged:
        output.plain()
        show_judgement(file, judgement)
    if done.refused or (done.offline and done.steps[-1].step == "register"):
        output.plain()
        show_undelivered(done)
    elif done.receipt is not None and done.receipt.number not in [item.version.number for item in done.judged]:
        output.plain()
        show_champion(file, done)


def show_undelivered(done: Delivery) -> None:
    """How far a run came whose server is away, or refuses us; and how to go on."""
    receipt, go_on = done.receipt, "trilho sync"
    if receipt is None:
        state = "not judged yet; the run waits in the spool, the champion is unchanged."
    elif receipt.rule:
        state, go_on = f"{receipt.name} v{receipt.number} was judged before; the registry was not asked.", ""
    else:
        version = f"{receipt.name} v{receipt.number}"
        state, go_on = f"{version} is registered, but not judged yet; the champion is unchanged.", "trilho run"
    output.state("Refused" if done.refused else "Offline", f"{state} {done.offline}")
    if go_on:
        output.state("Go on", go_on)


def show_champion(file: ProjectFile, done: Delivery) -> None:
    """Who is champion where nothing was decided."""
    assert done.receipt is not None
    name, number = done.receipt.name, done.receipt.number
    if done.champion is not None and done.champion.number == number:
        output.state("Champion", f"{name} v{number}, unchanged")
    elif done.refusal is not None:
        still = f"v{done.champion.number} is champion" if done.champion else "there is no champion"
        output.state("Refused", f"{name} v{number}, on {moment(done.refusal.when)}; {still}")
        output.state("Why", done.refusal.why)
        if done.champion is not None:
            output.state("See more", f"trilho compare {done.champion.number} {number}")
        output.state("Ask again", f"trilho promote {number}")
    elif done.champion is not None:
        output.state("Champion", f"{name} v{done.champion.number}; this model is v{number}, judged before")
        output.state("See why", f"trilho compare {done.champion.number} {number}")
    else:
        output.state("Registered", f"{name} v{number}; there is no champion")
        output.state("Promote", f"trilho promote {number}")
    if file.register.promote == "never":
        output.state("Policy", "register.promote is never: promote by hand")


def show_judgement(file: ProjectFile, judgement: Judgement) -> None:
    """Verdicts first, then the new state, then the way back."""
    version = judgement.version
    show_verdicts(judgement.verdicts)
    if judgement.verdicts:
        output.plain()
    event = judgement.event
    was = f", was v{event.before}" if event is not None and event.before else ""
    if event is None:
        output.state("Version", f"{version.name} v{version.number}; nothing was promoted")
    elif event.kind == "refused":
        failed = [verdict for verdict in judgement.verdicts if not verdict.passed]
        still = f"v{event.before} is still champion" if event.before else "there is no champion"
        output.state(
            "Refused",
            f"{version.name} v{version.number} failed {len(failed)} of {len(judgement.verdicts)} gates; {still}",
        )
        for verdict in failed:
            output.state("Remedy", verdict.remedy)
        for setting in dict.fromkeys(verdict.setting for verdict in failed if verdict.setting):
            output.state("Change it", f"{setting} ({file.origins.get(setting, 'default')})")
        if event.before:
            output.state("See why", f"trilho compare {event.before} {version.number}")
    else:
        output.state(
            "Promoted", f"{version.name} v{version.number} is champion{was}" + (" (forced)" if event.forced else "")
        )
        output.state("Serve", "trilho serve")
        if event.before:
            output.state("Undo", "trilho rollback")


def show_verdicts(verdicts: Sequence[Verdict]) -> None:
    """Each in a line, in columns as wide as their longest word."""
    widest = max((len(verdict.outcome) for verdict in verdicts), default=0)
    for verdict in verdicts:
        output.line(verdict.gate, verdict.outcome, verdict.reason, width=10, status_width=widest + 1)


def delivery_json(done: Delivery) -> dict[str, Any]:
    """A delivery as plain values."""
    return {
        "steps": [step_json(result) for result in done.steps],
        "version": done.receipt.number if done.receipt else None,
        "run_id": done.receipt.run_id if done.receipt else None,
        "judged": [judgement_json(item) for item in done.judged],
        "champion": version_json(done.champion) if done.champion else None,
        "refusal": event_json(done.refusal) if done.refusal else None,
        "offline": done.offline or None,
        "refused": done.refused,
    }


def step_json(result: StepResult) -> dict[str, Any]:
    """A step's result as plain values."""
    found = {name: value for name, value in vars(result).items() if name != "folder"}
    return {**found, "folder": str(result.folder) if result.folder else None}


def judgement_json(item: Judgement) -> dict[str, Any]:
    """A judgement as plain values."""
    return {
        "version": item.version.number,
        "before": item.before,
        "decision": item.event.kind if item.event else None,
        "verdicts": [verdict_json(verdict) for verdict in item.verdicts],
    }


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as plain values."""
    return dict(vars(verdict))


def version_json(version: Version) -> dict[str, Any]:
    """A version as plain values."""
    return {
        "name": version.name,
        "version": version.number,
        "run_id": version.run_id,
        "aliases": list(version.aliases),
        "digest": version.digest,
    }


def event_json(event: Event) -> dict[str, Any]:
    """An event as plain values, its time as text."""
    return {**vars(event), "when": moment(event.when)}


def moment(seconds: float) -> str:
    """Seconds since 1970 as local time, to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
