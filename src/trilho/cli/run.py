"""trilho run: make what is stale, then judge and promote what came of it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, load_project

if TYPE_CHECKING:
    from trilho.delivery import Delivery
    from trilho.steps import StepResult


def run(
    step: Annotated[str, typer.Argument(help="Run up to this step (default: all six, then judge and promote).")] = "",
    force: Annotated[bool, typer.Option("--force", help="Run it even if nothing changed.")] = False,
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Run what is stale and reuse the rest. Then register, judge and promote the model."""
    from trilho import delivery, steps
    from trilho.cli import output
    from trilho.cli.worded import delivery_json, show_delivery
    from trilho.errors import UnknownName
    from trilho.platform.address import server_address

    if step and step not in steps.STEPS:
        raise UnknownName(
            f"There is no step '{step}'.", why=f"Steps: {', '.join(steps.STEPS)}.", remedy="trilho run STEP"
        )
    file = load_project(project, profile, overrides)
    if not json:
        output.plain(f"{file.name}, profile {file.profile}\n")
    forced = frozenset(([step] if step else steps.STEPS) if force else ())
    with ExitStack() as spinner:

        def watch(result: StepResult) -> None:
            spinner.close()
            if result.status == "running":
                spinner.enter_context(output.waiting(f"{result.step} … {result.reason}"))
            elif not json:
                show_step(result)

        done = delivery.deliver(
            file,
            server=lambda say: server_address(file, say),
            until=step or "register",
            force=forced,
            watch=watch,
            say=output.progress,
        )
    if json:
        output.as_json(delivery_json(done))
    else:
        show_delivery(file, done)
    raise typer.Exit(exit_code(done))


def show_step(result: StepResult) -> None:
    """One step that is done: how long it took, or that it was reused, and why it ran."""
    from trilho.cli import output

    status = f"{result.seconds:6.1f} s" if result.status == "ran" else result.status
    reason = f" ({result.reason})" if result.reason and result.reason != "first run" else ""
    output.line(result.step, status, f"{result.facts}{reason}")


def exit_code(done: Delivery) -> int:
    """1 if the server would not have us, 3 if a gate refused this run's own version, now or before, else 0.

    Versions of other runs have told theirs.
    """
    from trilho.cli.exits import FAILED, REFUSED, exit_code_after

    if done.refused:
        return FAILED
    mine = [item for item in done.judged if done.receipt and item.version.number == done.receipt.number]
    return REFUSED if done.refusal is not None else exit_code_after(mine)
