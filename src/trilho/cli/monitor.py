"""trilho monitor: has production moved away from training?"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, load_project

if TYPE_CHECKING:
    from trilho.monitoring import ColumnDrift, Report

SHOWN = 5  # moved columns named on a terminal; --json names all


def monitor(
    window: Annotated[str, typer.Option(help="How far back, such as 24h (default: monitor.window).")] = "",
    model: Annotated[str, typer.Option("--model", "-m", help="As for trilho serve (default: the champion).")] = "",
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Compare what was asked and answered with the training data. Exit code 4: drift.

    Example: trilho monitor --window 7d
    """
    from trilho import bundle, journal, monitoring
    from trilho.cli import output
    from trilho.cli.exits import DONE, DRIFT
    from trilho.cli.serve import find_model

    if window:
        overrides = [*(overrides or ()), f"monitor.window={window}"]
    file = load_project(project, profile, overrides)
    found = find_model(file, model)
    if found.note:
        output.progress(found.note)
    until = time.time()
    since = until - file.monitor.window
    report = monitoring.watch(
        journal.read(file.state_dir / "journal", since=since, until=until),
        schema=bundle.read_schema(found.path),
        reference=bundle.read_profile(found.path),
        model=found.name,
        version=found.version,
        since=since,
        until=until,
        share=file.monitor.drift_share,
        min_rows=file.monitor.min_rows,
    )
    if json:
        output.as_json(report_json(report))
    else:
        show(report, file.monitor.window)
    raise typer.Exit(DRIFT if report.drift else DONE)


def show(report: Report, window: float) -> None:
    """The report on a terminal, the most moved columns by name."""
    from trilho.cli import output
    from trilho.settings import format_duration

    output.plain(f"{report.model} v{report.version}, the last {format_duration(window)}: {report.rows} predictions\n")
    if report.other_rows:
        output.line("others", str(report.other_rows), "answered by other versions, not looked at")
    if not report.enough:
        output.line("drift", "unknown", f"{report.min_rows} predictions are needed (monitor.drift.min_rows)")
        return
    moved = len(report.moved)
    verdict = f"{moved} of {len(report.columns)} columns moved, {report.share:.0%} are drift (monitor.drift.share)"
    output.line("drift", "yes" if report.drift else "no", verdict)
    for column in report.moved[:SHOWN] or report.columns[:1]:
        output.line("", "moved" if column.moved else "most", worded(column))
    if moved > SHOWN:
        output.line("", "", f"… and {moved - SHOWN} more: trilho monitor --json")
    for column in report.predicted:
        output.line(column.name, "moved" if column.moved else "steady", worded(column))


def worded(column: ColumnDrift) -> str:
    """Measured against required."""
    return f"{column.name}, stability index {column.index:.3f}, moved above {column.required:.3f}"


def report_json(report: Report) -> dict[str, Any]:
    """The report with all columns; `drift` is null where there are too few rows to say."""

    def facts(columns: tuple[ColumnDrift, ...]) -> list[dict[str, Any]]:
        return [{**vars(column), "moved": column.moved} for column in columns]

    drift = report.drift if report.enough else None
    return {**vars(report), "columns": facts(report.columns), "predicted": facts(report.predicted), "drift": drift}
