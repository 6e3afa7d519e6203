"""trilho monitor: has production moved away from training?"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, load_project

if TYPE_CHECKING:
    from trilho.monitoring import Performance, Reference, Report, Sample, Shadow
    from trilho.project import ProjectFile
    from trilho.serving import Found
    from trilho.tracking import Point


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
    """Compare what was asked with the training data. Exit code 4: something calls for you.

    That is drift of the features, of the answers, of whole rows where monitor.whole_rows asks for it, or a metric that
    labels put below evaluate.thresholds. Each version that answered in the window is compared with its own training
    data; the verdict is on the one in charge. With monitor.shadow, @challenger is asked for some of the same rows, and
    where the two differ is said; nothing is decided by that. Reports are kept in the journal's folder, below reports/.

    Between the looks of --every it guards the version promoted last: one that fails, or answers much slower than the
    one before it, is rolled back (guard: in trilho.yaml).

    Example: trilho monitor --window 7d
    """
    from trilho.cli.exits import DONE, DRIFT
    from trilho.cli.guarding import Guard
    from trilho.cli.retrain import after_report
    from trilho.monitoring import alarms
    from trilho.platform.heartbeat import Heartbeat, answering

    if window:
        overrides = [*(overrides or ()), f"monitor.window={window}"]
    file = load_project(project, profile, overrides)
    if not every:
        reports, performance = look(file, model)
        _say(reports, performance, file, json=json)
        after_report(file, reports[0], performance, json=json)
        raise typer.Exit(DRIFT if alarms(reports[0], performance) else DONE)
    pause, heartbeat, guard = _seconds(every), Heartbeat(record, service_id), Guard(file, json=json)
    with nullcontext() if port is None else answering(port, service_id):
        while True:
            _look_again(file, model, json=json)
            if not guard.wait(pause, heartbeat):
                return


def look(file: ProjectFile, model: str = "") -> tuple[tuple[Report, ...], Performance]:
    """Watch the window that ends now, measure what labels say, keep both, and log them to MLflow.

    Returns:
        Reports, that on the version in charge first; and what labels say by now of all versions.

    Raises:
        VersionNotFound, BundleDamaged, JournalUnreadable, InvalidProject.
    """
    from msgspec.structs import replace

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
    find = cache(references(file, found))
    scores, drawn = monitoring.Scores(find), monitoring.Sample(found.name, found.version)
    reports = monitoring.watch(
        scores.passing(drawn.passing(journal.read(folder, since=since, until=until))),
        model=found.name,
        version=found.version,
        find=find,
        since=since,
        until=until,
        rule=file.monitor.drift,
    )
    page, charge = None, find(found.name, found.version)
    if file.monitor.whole_rows and charge is not None:
        whole = monitoring.compare_with_earlier(
            folder, drawn, reports[0], charge.schema, min_rows=file.monitor.drift.min_rows
        )
        reports = (replace(reports[0], whole_rows=whole), *reports[1:])
    if file.monitor.shadow and charge is not None:
        reports = (replace(reports[0], shadow=_shadow(file, found, drawn, charge)), *reports[1:])
    try:
        monitoring.keep(folder, reports)
    except JournalUnwritable as error:  # what was found is worth more than that it is kept
        output.progress(str(error))
    performance = monitoring.measure(
        folder,
        since=since,
        until=until,
        find=find,
        metrics=[file.primary_metric, *file.evaluate.metrics],
        floors=file.evaluate.thresholds,
        min_labels=file.evaluate.champion.min_rows,
    )
    metrics = [file.primary_metric, *file.evaluate.metrics, *file.evaluate.thresholds]
    guess = monitoring.estimate_metrics(drawn, charge, metrics=metrics, min_rows=file.monitor.drift.min_rows)
    performance = replace(performance, estimate=guess)
    try:
        page = monitoring.keep_for_people(folder, reports, performance)
    except JournalUnwritable as error:
        output.progress(str(error))
    figures = monitoring.point(reports[0], scores.of(found.name, found.version), performance)
    _log(file, found.name, figures, page)
    return reports, performance


def references(file: ProjectFile, found: Found) -> Callable[[str, str], Reference | None]:
    """Where monitoring gets training data from: the bundle of the version in charge is here, others are fetched."""
    from trilho import bundle
    from trilho.cli import output
    from trilho.cli.serve import find_model
    from trilho.errors import TrilhoError
    from trilho.monitoring import Reference, evidence_of

    def find(model: str, version: str) -> Reference | None:
        if (model, version) == (found.name, found.version):
            path = found.path
        else:
            try:
                path = find_model(file, f"models:/{model}/{version}").path
            except TrilhoError as error:
                output.progress(f"{model} v{version} is left out: {error.what}")
                return None
        calibration, importance = evidence_of(bundle.read_metadata(path))
        return Reference(
            schema=bundle.read_schema(path),
            profile=bundle.read_profile(path),
            calibration=calibration,
            importance=importance,
        )

    return find


# ----------------------------------------------------------------------------------------------------------------------


def _shadow(file: ProjectFile, found: Found, drawn: Sample, charge: Reference) -> Shadow | None:
    """How @challenger answers what the champion was asked; None where nobody is challenger."""
    from trilho import bundle, monitoring
    from trilho.cli import output
    from trilho.cli.serve import find_model
    from trilho.errors import TrilhoError, VersionNotFound

    try:
        challenger = find_model(file, f"models:/{found.name}@challenger")
        if challenger.version == found.version:
            return None
        model = bundle.open(challenger.path, trust_code=file.serve.trust_code, trusted=file.train.trusted_types)
    except VersionNotFound:
        return None
    except TrilhoError as error:
        output.progress(f"The challenger is not asked: {error.what}")
        return None
    rows = file.monitor.drift.min_rows
    return monitoring.ask_challenger(drawn, charge.schema, model, challenger.version, min_rows=rows)


def _log(file: ProjectFile, model: str, figures: Point, page: Path | None) -> None:
    """The window's figures and its page to MLflow, if it is there."""
    from trilho import monitoring
    from trilho.cli import output
    from trilho.errors import TrilhoError
    from trilho.platform.address import known_address
    from trilho.tracking import Series
    from trilho.wire import connect

    waiting = file.state_dir / "journal" / "reports" / f"{re.sub(r'[^A-Za-z0-9-]+', '_', model)[:80]}.unsent.jsonl"
    series = Series(experiment=file.experiment, name=f"monitor: {model}", waiting=waiting)
    try:
        with connect(known_address(file), seconds=10) as client:
            problem = monitoring.log_window(series, figures, client, page)
    except TrilhoError as error:  # nobody knows of a server
        problem = monitoring.log_window(series, figures, None, why=error.what)
    if problem:
        output.progress(problem)


def _say(reports: tuple[Report, ...], performance: Performance, file: ProjectFile, *, json: bool) -> None:
    from msgspec import to_builtins

    from trilho.cli import answered, output, watched
    from trilho.monitoring import alarms

    raised = alarms(reports[0], performance)
    if json:
        facts = {**reports[0].facts(), "versions": [report.facts() for report in reports[1:]]}
        output.as_json({**facts, "alarms": raised, "performance": to_builtins(performance)})
    else:
        watched.show(reports, file.monitor.window)
        answered.show(performance, reports[0])
        if raised:
            output.line("alarm", "yes", f"{', '.join(raised)}; exit code 4")
        output.line("page", "", str(file.state_dir / "journal" / "reports" / "latest.html"))
    sys.stdout.flush()


def _look_again(file: ProjectFile, model: str, *, json: bool) -> None:
    """One look of many: what is wrong now may be right the next time, such as that there is no champion yet."""
    from trilho.cli import output
    from trilho.cli.retrain import after_report
    from trilho.cli.worded import moment
    from trilho.errors import TrilhoError

    if not json:
        output.plain(moment(time.time()))
    try:
        reports, performance = look(file, model)
        _say(reports, performance, file, json=json)
        after_report(file, reports[0], performance, json=json)
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
