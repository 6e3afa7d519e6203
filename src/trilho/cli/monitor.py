"""trilho monitor: has production moved away from training?"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
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
    port: Annotated[int | None, typer.Option(hidden=True)] = None,
    service_id: Annotated[str, typer.Option("--id", hidden=True)] = "",
    record: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Compare what was asked and answered with the training data. Exit code 4: drift.

    Each version that answered in the window is compared with its own training data; the verdict is on the one in
    charge. Every report is kept in the journal's folder, below reports/.

    Example: trilho monitor --window 7d
    """
    from trilho.cli.exits import DONE, DRIFT
    from trilho.platform.heartbeat import Heartbeat, answering

    if window:
        overrides = [*(overrides or ()), f"monitor.window={window}"]
    file = load_project(project, profile, overrides)
    if not every:
        reports = look(file, model)
        _say(reports, file, json=json)
        raise typer.Exit(DRIFT if reports[0].enough and reports[0].drift else DONE)
    pause, heartbeat = _seconds(every), Heartbeat(record, service_id)
    with nullcontext() if port is None else answering(port, service_id):
        while True:
            _look_again(file, model, json=json)
            if not heartbeat.wait(pause):
                return


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


def _say(reports: tuple[Report, ...], file: ProjectFile, *, json: bool) -> None:
    from trilho.cli import output, watched

    if json:
        output.as_json({**reports[0].facts(), "versions": [report.facts() for report in reports[1:]]})
    else:
        watched.show(reports, file.monitor.window)
    sys.stdout.flush()


def _look_again(file: ProjectFile, model: str, *, json: bool) -> None:
    """One look of many: what is wrong now may be right the next time, such as that there is no champion yet."""
    from trilho.cli import output
    from trilho.cli.worded import moment
    from trilho.errors import TrilhoError

    if not json:
        output.plain(moment(time.time()))
    try:
        _say(look(file, model), file, json=json)
    except TrilhoError as error:
        output.progress(f"{error}\nThis is tried again.")


def _seconds(every: str) -> float:
    from trilho.settings import parse_duration

    try:
        seconds = parse_duration(every)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if seconds < 1:
        raise typer.BadParameter("look at most once a second: --every 1s")
    return seconds
