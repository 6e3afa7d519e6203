"""Reports, kept in the journal's folder: each under its time, and the newest once more where /metrics looks.

    reports/20260131T120000Z-NAME-v3.json     one report, named by the end of its window
    reports/latest.json                       the newest one of the version in charge
    reports/….html, reports/latest.html       the same for people
    reports/performance.json                  what labels said when the newest one was made

A file appears whole or not at all, whatever happens to its writer. A disk without room costs the report that is being
kept and none of those before it.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from trilho.errors import JournalUnreadable, JournalUnwritable
from trilho.monitoring.measured import Performance
from trilho.monitoring.report import Report

FOLDER, LATEST, PAGE, PERFORMANCE = "reports", "latest.json", "latest.html", "performance.json"
KEEP = 90 * 86_400.0  # seconds
_LEFT_OVER = 3600.0  # seconds after which a file half-written is nobody's any more


def keep(journal: Path, reports: Sequence[Report], *, keep_for: float = KEEP) -> list[Path]:
    """Write reports, and the first of them as the latest one; forget what is older than `keep_for` seconds.

    Args:
        journal: Folder of the journal; made if it is not there.
        reports: Of one window, that on the version in charge first.

    Returns:
        The files, in the order of the reports.

    Raises:
        JournalUnwritable: no room, or the folder is not ours. Reports kept before are as they were.
    """
    folder = journal / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for report in reports:
            path = folder / f"{_name(report)}.json"
            _write(path, report.to_json())
            paths.append(path)
        if reports:
            _write(folder / LATEST, reports[0].to_json())
        _forget(folder, before=time.time() - keep_for)
    except OSError as error:
        raise JournalUnwritable(
            f"The report could not be kept in {folder}: {error.strerror or error}.",
            state="Reports kept before are as they were.",
            remedy="Make room or correct the permissions of the folder, then: trilho monitor",
        ) from error
    return paths


def keep_for_people(journal: Path, reports: Sequence[Report], performance: Performance) -> Path:
    """Write the HTML of each report beside it, and what was measured; the file of the first is given back.

    Raises:
        JournalUnwritable: no room, or the folder is not ours.
    """
    from trilho.monitoring.html import render

    folder = journal / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / PERFORMANCE, performance.to_json())
        pages = [(f"{_name(report)}.html", render(report, performance)) for report in reports]
        for name, page in [*pages, (PAGE, pages[0][1])]:
            _write(folder / name, page)
    except OSError as error:
        raise JournalUnwritable(
            f"The page of the report could not be kept in {folder}: {error.strerror or error}.",
            state="Reports kept before are as they were.",
            remedy="Make room or correct the permissions of the folder, then: trilho monitor",
        ) from error
    return folder / pages[0][0]


def kept(journal: Path, *, since: float = 0.0) -> Iterator[Report]:
    """Reports whose window ended at or after `since` (seconds since 1970), oldest first; damaged ones are left out."""
    folder = journal / FOLDER
    for path in sorted(folder.glob("[0-9]*.json")) if folder.is_dir() else []:
        with suppress(JournalUnreadable, OSError):
            report = Report.from_json(path.read_bytes())
            if report.until >= since:
                yield report


def latest(journal: Path) -> Report | None:
    """The newest report on the version in charge; None where there is none. Raises JournalUnreadable: it is damaged."""
    try:
        return Report.from_json((journal / FOLDER / LATEST).read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise JournalUnreadable(
            f"The newest report in {journal / FOLDER} cannot be read: {error.strerror or error}.",
            remedy="Read it as the user who monitors, or correct the permissions of the folder.",
        ) from error


# ----------------------------------------------------------------------------------------------------------------------


def _name(report: Report) -> str:
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(report.until))
    name = re.sub(r"[^\w.-]+", "_", f"{report.model}-v{report.version}", flags=re.ASCII)[:100]
    return f"{moment}-{name}"


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")  # two monitors share no file
    try:
        with partial.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


def _forget(folder: Path, *, before: float) -> None:
    for path in folder.iterdir():
        with suppress(OSError):
            changed = path.stat().st_mtime
            left_over = path.name.endswith(".partial") and changed < time.time() - _LEFT_OVER
            if left_over or (path.name != LATEST and changed < before):
                path.unlink()
