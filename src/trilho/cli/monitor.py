"""trilho monitor: has production moved away from training?"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, load_project

if TYPE_CHECKING:
    from trilho.monitoring import Reference, Report
    from trilho.project import ProjectFile
    from trilho.serving import Found


def monitor(
    window: Annotated[str, typer.Option(help="How far back, such as 24h (default: monitor.window).")] = "",
    every: Annotated[str, typer.Option(help="Go on until stopped, looking this often, such as 1h.")] = "",
    model: Annotated[str, typer.Option("--model", "-m", help="As for trilho serve (default: the champion).")] = "",
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Compare what was asked and answered with the training data. Exit code 4: drift.

    Each version that answered in the window is compared with its own training data; the verdict is on the one in
    charge. Every report is kept in the journal's folder, below reports/.

    Example: trilho monitor --window 7d
    """
    from trilho.cli import output, watched
    from trilho.cli.exits import DONE, DRIFT

    if window:
        overrides = [*(overrides or ()), f"monitor.window={window}"]
    file = load_project(project, profile, overrides)
    pause = _seconds(every) if every else None
    while True:
        reports = look(file, model)
        if json:
            output.as_json({**reports[0].facts(), "versions": [report.facts() for report in reports[1:]]})
        else:
            watched.show(reports, file.monitor.window)
        if pause is None:
            raise typer.Exit(DRIFT if reports[0].enough and reports[0].drift else DONE)
        time.sleep(pause)


def look(file: ProjectFile, model: str = "") -> tuple[Report, ...]:
    """Watch the window that ends now and keep the reports; that on the version in charge comes first.

    Raises:
        VersionNotFound, BundleDamaged, JournalUnreadable, InvalidProject.
    """
    from trilho import journal, monitoring
    from trilho.cli import output
    from trilho.cli.serve import find_model
    from trilho.errors import JournalUnwritable

    found = find_model(file, model)
    if found.note:
        output.progress(found.note)
    until = time.time()
    since = until - file.monitor.window
    folder = file.state_dir / "journal"
    reports = monitoring.watch(
        journal.read(folder, since=since, until=until),
        model=found.name,
        version=found.version,
        find=references(file, found),
        since=since,
        until=until,
        rule=file.monitor.drift,
    )
    try:
        monitoring.keep(folder, reports)
    except JournalUnwritable as error:  # what was found is worth more than that it is kept
        output.progress(str(error))
    return reports


def references(file: ProjectFile, found: Found) -> Callable[[str, str], Reference | None]:
    """Where monitoring gets training data from: the bundle of the version in charge is here, others are fetched."""
    from trilho import bundle
    from trilho.cli import output
    from trilho.cli.serve import find_model
    from trilho.errors import TrilhoError
    from trilho.monitoring import Reference

    def find(model: str, version: str) -> Reference | None:
        if (model, version) == (found.name, found.version):
            path = found.path
        else:
            try:
                path = find_model(file, f"models:/{model}/{version}").path
            except TrilhoError as error:
                output.progress(f"{model} v{version} is left out: {error.what}")
                return None
        return Reference(schema=bundle.read_schema(path), profile=bundle.read_profile(path))

    return find


# ----------------------------------------------------------------------------------------------------------------------


def _seconds(every: str) -> float:
    from trilho.settings import parse_duration

    try:
        seconds = parse_duration(every)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if seconds < 1:
        raise typer.BadParameter("look at most once a second: --every 1s")
    return seconds
