"""trilho retrain: train again now, or say whether it is time to."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, load_project

if TYPE_CHECKING:
    from trilho.delivery import Delivery
    from trilho.monitoring import Decision, Performance, Report
    from trilho.project import ProjectFile
    from trilho.steps import StepResult


def retrain(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what trilho monitor would do, and why.")] = False,
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Train again now, through the same gates.

    It learns from the answers whose truth is known by now, too (retrain.data). Of several who do it at once, one does;
    the others are told who. `retrain:` in trilho.yaml says when trilho monitor does it by itself.

    Example: trilho retrain --dry-run
    """
    from trilho.cli import output
    from trilho.cli.exits import DONE, FAILED, REFUSED
    from trilho.cli.worded import delivery_json

    file = load_project(project, profile, overrides)
    done = _retrain(file, asked="" if dry_run else "trilho retrain", act=not dry_run, quiet=json)
    assert done.decision is not None
    if json:
        facts = delivery_json(done) if done.steps else {}
        output.as_json({**decision_json(done.decision), "outcome": done.outcome or None, **facts})
    elif dry_run:
        show(file, done.decision)
    else:
        _show_outcome(file, done)
    began = dry_run or done.decision.action != "none"
    raise typer.Exit(REFUSED if done.outcome.startswith("refused") else DONE if began and not done.refused else FAILED)


def after_report(file: ProjectFile, report: Report, performance: Performance, *, json: bool) -> None:
    """What `trilho monitor` does after each look, where `retrain.on` says so: decide, and train again if it is time.

    What goes wrong is said, and tried again at the next look.
    """
    from trilho.cli import output
    from trilho.errors import TrilhoError

    if not file.retrain.on:
        return
    try:
        done = _retrain(file, report=report, performance=performance, quiet=json)
    except TrilhoError as error:
        output.progress(f"{error}\nWhether to train again is asked at the next look.")
        return
    assert done.decision is not None
    if not json:
        if done.decision.action == "none":
            output.line("retrain", "no", done.decision.why)
        else:
            _show_outcome(file, done)


def show(file: ProjectFile, decision: Decision) -> None:
    """What would be done, and every reason for and against it."""
    from trilho.cli import output

    output.plain(f"{decision.model} v{decision.version or '–'}\n")
    for reason in decision.reasons:
        output.line(reason.question, reason.answer, reason.text)
    output.plain()
    if decision.action == "none":
        output.state("Would", "leave it; trilho retrain trains again nevertheless")
        return
    rows = f"data.source and the answers whose truth is known ({decision.new_labels:,} of them new)"
    learned = "data.source" if file.retrain.data == "original" else rows
    doing = "go on with it" if decision.resumes else "train again"
    output.state("Would", f"{doing}, on {learned}, then judge by register.promote: {file.register.promote}")


def decision_json(decision: Decision) -> dict[str, Any]:
    """A decision as plain values."""
    from msgspec import to_builtins

    found: dict[str, Any] = to_builtins(decision)
    return found


# ----------------------------------------------------------------------------------------------------------------------


def _retrain(file: ProjectFile, *, quiet: bool, **known: Any) -> Delivery:
    from trilho import delivery
    from trilho.cli import output
    from trilho.cli.run import show_step
    from trilho.platform.address import server_address

    shown: list[str] = []
    with ExitStack() as spinner:

        def watch(result: StepResult) -> None:
            spinner.close()
            if not quiet and not shown:
                output.plain()
            shown.append(result.step)
            if result.status == "running":
                spinner.enter_context(output.waiting(f"{result.step} … {result.reason}"))
            elif not quiet:
                show_step(result)

        return delivery.retrain(
            file, server=lambda say: server_address(file, say), watch=watch, say=output.progress, **known
        )


def _show_outcome(file: ProjectFile, done: Delivery) -> None:
    from trilho.cli import output
    from trilho.cli.worded import show_delivery

    decision = done.decision
    assert decision is not None
    if decision.action == "none":
        output.state("Not done", decision.why)
        return
    show_delivery(file, done)
    output.plain()
    output.state("Retrained", f"because: {decision.why}")
    output.state("Outcome", done.outcome or "not yet; who looks next goes on with it")
    output.state("See all", "trilho history")
