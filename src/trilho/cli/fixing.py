"""trilho doctor --fix: what can be put right, shown first, done with --yes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from trilho.cli import output

if TYPE_CHECKING:
    from trilho.platform.doctor import Finding, Relocated, Relocation, Site


def run_fixes(site: Site, found: Sequence[Finding], moved: Mapping[str, str], *, act: bool, json: bool) -> None:
    """Show, or do, what the findings offer, and put artifact locations behind the server.

    Args:
        moved: Path in the locations → where those files are on this machine.

    Raises:
        BackupFailed: there is nothing else to fix, and database or artifacts are not known.
        typer.Exit: with 1, where something stays to be done.
    """
    from trilho.cli.exits import FAILED

    offers = {finding.name: finding.fix for finding in found if finding.fix}
    done: dict[str, str] = {}
    for name, fix in offers.items():
        if not json:
            output.state(name, fix.does)
        if act:
            done[name] = fix.act(output.progress)
            if not json:
                output.state("Done", done[name])
    plan, moves = _relocate(site, found, moved, act=act, json=json)
    if json:
        fixes = [{"check": name, "does": fix.does, "done": done.get(name)} for name, fix in offers.items()]
        output.as_json({"fixes": fixes, "relocation": plan and _plan_json(plan, moves)})
    elif not act and (offers or (plan and plan.moved)):
        output.state("Do it", "the same command with --yes; databases are copied first")
    elif done:
        output.state("Next", "trilho doctor")
    elif plan is None or not plan.experiments:
        output.plain("Nothing to fix.")
    if (plan and (plan.lost or (plan.moved and moves is None))) or (offers and not act):
        raise typer.Exit(FAILED)


# ---------------------------------------------------------------------------------------------------------------------


def _relocate(
    site: Site, found: Sequence[Finding], moved: Mapping[str, str], *, act: bool, json: bool
) -> tuple[Relocation | None, Relocated | None]:
    """The plan for artifact locations, shown, and what was done; None where they cannot or need not be looked at."""
    from trilho.platform.doctor import plan_relocation, relocate

    states = {finding.name: finding.state for finding in found}
    known = site.database and site.artifacts
    if states.get("database-schema") == "trouble":
        return None, None  # an older MLflow's tables come first
    if not known and (states.get("artifact-roots") == "ok" or any(finding.fix for finding in found)):
        return None, None
    plan = plan_relocation(site, elsewhere=moved)
    if not json:
        _show_plan(plan)
    if not act or not plan.moved:
        return plan, None
    file = plan.database.file
    done = relocate(plan, backup_in=file.parent if file else site.root, say=output.progress)
    if not json:
        output.state("Done", f"{done.rows} locations rewritten, {done.files} files moved to {plan.destination}")
        output.state("Backup", f"{done.backup}: the database as it was, and moves.json")
        output.state("Next", f"start the server with --artifacts-destination {plan.destination}, and without")
        output.state("", "--default-artifact-root; then: trilho doctor")
    return plan, done


def _show_plan(plan: Relocation) -> None:
    from trilho.platform.doctor.finding import counted

    if not plan.experiments:
        output.plain(f"Every artifact location in {plan.database.shown} is behind the server.")
        return
    for found in plan.moved:
        facts = f"{counted(found.runs, 'run')}, {counted(found.files, 'file')}, {found.bytes / 1e6:.1f} MB"
        output.state(found.name, f"{found.before} → {found.after}")
        output.line("", facts, width=8)
    for found in plan.lost:
        output.state(found.name, f"{found.before} stays: there is no {found.lost} on this machine")
        output.line("", "say where its files are: --files OLD=NEW; if they are lost, name an empty folder", width=8)
    if plan.moved:
        output.state("Files go to", plan.destination)
    output.plain()


def _plan_json(plan: Relocation, done: Relocated | None) -> dict[str, Any]:
    return {
        "database": plan.database.shown,
        "destination": plan.destination,
        "experiments": [asdict(found) for found in plan.experiments],
        "done": asdict(done) if done else None,
    }
