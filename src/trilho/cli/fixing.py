"""trilho doctor --fix: what can be put right, shown first, done with --yes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from trilho.cli import output
from trilho.errors import TrilhoError

if TYPE_CHECKING:
    from trilho.platform.doctor import Experiment, Finding, Relocated, Relocation, Site
    from trilho.platform.doctor.finding import Fix

LOCATIONS = "artifact-roots"  # the check whose fix is the relocation
SCHEMA = "database-schema"

_DATABASE = ("database-unreachable", "database-locked", "database-damaged")  # nothing is read or copied before these

_BY_LOCATIONS = (LOCATIONS, "artifacts-unwritable")  # what the relocation puts right


def run_fixes(
    site: Site,
    found: Sequence[Finding],
    moved: Mapping[str, str],
    *,
    without_files: bool,
    only: Collection[str],
    act: bool,
    json: bool,
) -> None:
    """Show, or do, what the findings offer, and put artifact locations behind the server.

    Args:
        moved: Path in the locations → where those files are on this machine.
        without_files: Locations without a file here are rewritten, too.
        only: The checks whose fixes are wanted; empty for all.

    Raises:
        TrilhoError: a fix failed; those after it were not begun. What was done and what is left is told before.
        BackupFailed: there is nothing else to fix, and database or artifacts are not known.
        typer.Exit: with 1, where something stays to be done.
    """
    from trilho.cli.exits import FAILED

    wanted = [finding for finding in found if not only or finding.name in only]
    offers = {finding.name: finding.fix for finding in wanted if finding.fix}
    done, failed = _do(offers, act=act, json=json)
    plan, moves, why_not = None, None, ""
    if failed is None and (not only or LOCATIONS in only):
        why_not = _why_not(site, found, wanted, offers)
        if why_not and not json:
            output.state(LOCATIONS, f"not looked at: {why_not}")
        if not why_not and _has_to_look(site, found, offers):
            try:
                plan, moves = _relocate(site, moved, without_files=without_files, act=act, json=json)
            except TrilhoError as error:
                failed = error
    told = {*(done if act else offers), *(_BY_LOCATIONS if plan and plan.experiments else ())}
    left = [finding.name for finding in wanted if finding.state == "trouble" and finding.name not in told]
    if left and not json:
        output.state("Left", f"{', '.join(left)}: trilho doctor says what to do")
    if json:
        fixes = [{"check": name, "does": fix.does, "done": done.get(name)} for name, fix in offers.items()]
        facts = {"fixes": fixes, "relocation": plan and _plan_json(plan, moves), "relocation_waits": why_not}
        output.as_json({**facts, "left": left, "error": failed and _error_json(failed)})
    if failed is not None:
        raise failed
    if not json:
        _show_next(plan, offers=offers, act=act, stays=bool(left or why_not))
    waits = why_not and SCHEMA not in done
    if left or waits or (plan and (plan.staying or (plan.moved and moves is None))) or (offers and not act):
        raise typer.Exit(FAILED)


# ---------------------------------------------------------------------------------------------------------------------


def _do(offers: Mapping[str, Fix], *, act: bool, json: bool) -> tuple[dict[str, str], TrilhoError | None]:
    """Show the fixes, or do them until one fails: what was done by each, and why the last was not."""
    done: dict[str, str] = {}
    for name, fix in offers.items():
        if not json:
            output.state(name, fix.does)
        if not act:
            continue
        try:
            done[name] = fix.act(output.progress)
        except TrilhoError as error:
            return done, error
        if not json:
            output.state("Done", done[name])
    return done, None


def _why_not(site: Site, found: Sequence[Finding], wanted: Sequence[Finding], offers: Collection[str]) -> str:
    """What has to come before artifact locations are looked at; "" where nothing has to."""
    named = {finding.name: finding for finding in found}
    states = {finding.name: finding.state for finding in found}
    before = [name for name in _DATABASE if states.get(name) == "trouble"]
    if before:
        return f"first {', '.join(before)}, then the same command again"
    if states.get(SCHEMA) == "trouble":
        first = f"the migration ({SCHEMA})" if named[SCHEMA].fix else SCHEMA
        return f"first {first}, then the same command again"
    if states.get(SCHEMA) == "unknown":
        return f"{SCHEMA} could not tell whether the tables fit. {named[SCHEMA].measured}"
    others = any(one.state == "trouble" and one.name not in (LOCATIONS, *offers) for one in wanted)
    # Where there is nothing else to tell, that they are not known is an error of its own, with the way out.
    beside = (offers and states.get(LOCATIONS) == "trouble") or (others and states.get(LOCATIONS) != "ok")
    if beside and not (site.database and site.artifacts):
        return "--backend-store-uri and --artifacts-destination are not known"
    return ""


def _has_to_look(site: Site, found: Sequence[Finding], offers: Collection[str]) -> bool:
    """Whether the stores are known; or are not, and nothing else says that all is well or has a fix."""
    fine = any(finding.name == LOCATIONS and finding.state == "ok" for finding in found)
    return bool(site.database and site.artifacts) or not (fine or offers)


def _relocate(
    site: Site,
    moved: Mapping[str, str],
    *,
    without_files: bool,
    act: bool,
    json: bool,
) -> tuple[Relocation, Relocated | None]:
    """The plan for artifact locations, shown, and what was done."""
    from trilho.platform.doctor import plan_relocation, relocate

    plan = plan_relocation(site, elsewhere=moved, without_files=without_files)
    if not json:
        _show_plan(plan)
    if not act or not plan.moved:
        return plan, None
    file = plan.database.file
    done = relocate(plan, backup_in=file.parent if file else site.root, say=output.progress)
    if not json:
        _show_done(plan, done)
    return plan, done


def _show_next(plan: Relocation | None, *, offers: Collection[str], act: bool, stays: bool) -> None:
    if not act and (offers or (plan and plan.moved)):
        some_of_it = "; for some of it, with --only CHECK, too" if offers else ""
        output.state("Do it", f"the same command with --yes. Databases are copied first{some_of_it}")
    elif offers:  # all of them are done
        output.state("Next", "trilho doctor")
    elif not stays and (plan is None or not plan.experiments):
        known = f": every artifact location in {plan.database.shown} is behind the server" if plan else ""
        output.plain(f"Nothing to fix{known}.")


def _show_plan(plan: Relocation) -> None:
    if not plan.experiments:
        return
    for found in plan.experiments:
        _show_experiment(found)
    if any(found.without_files for found in plan.staying):
        output.state(
            "Stays", "what has no files here. Were they written on another machine? Bring them here first, or say"
        )
        output.state("", "where they are: --files OLD=NEW. If there are none, or they are lost: --without-files")
    if any(found.files for found in plan.moved):
        output.state("Copies go", f"to {plan.destination}; the files that are there now stay")
    output.plain()


def _show_experiment(found: Experiment) -> None:
    from trilho.platform.doctor.finding import counted, some

    after = f"→ {found.after}" if found.before != found.after else "stays" if not found.moved else "is there"
    output.state(found.name, f"{found.before} {after}")
    if found.moved:
        facts = f"{counted(found.runs, 'run')}, {counted(found.files, 'file')}, {found.bytes / 1e6:.1f} MB"
        output.line("", facts, width=8)
    for kind in ("run", "model", "trace", "version"):
        places = [place.before for place in found.without_files if place.kind == kind]
        if places:
            output.line("", f"{counted(len(places), kind)} without files here: {some(places)}", width=8)
    if found.unreadable:
        output.line("", f"not readable, and left as it is: {some(found.unreadable)}", width=8)


def _show_done(plan: Relocation, done: Relocated) -> None:
    from trilho.platform.doctor.finding import counted

    output.state("Done", f"{done.rows} locations rewritten, {done.files} files copied to {plan.destination}")
    output.state("Backup", f"{done.backup}: the database as it was, and moves.json")
    if done.left:
        folders = f"{counted(done.left, 'folder')} with the old files"
        output.state("Left", f"{folders}, listed in old-folders.txt there: remove them when all is well")
    output.state("Next", f"start the server with --artifacts-destination {plan.destination}, and without")
    output.state("", "--default-artifact-root; then, for what was begun meanwhile, too: trilho doctor --fix")


def _error_json(error: TrilhoError) -> dict[str, str]:
    return {"what": error.what, "state": error.state, "why": error.why, "remedy": error.remedy}


def _plan_json(plan: Relocation, done: Relocated | None) -> dict[str, Any]:
    return {
        "database": plan.database.shown,
        "destination": plan.destination,
        "experiments": [asdict(found) for found in plan.experiments],
        "done": asdict(done) if done else None,
    }
