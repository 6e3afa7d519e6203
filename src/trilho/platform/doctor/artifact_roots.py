"""Where experiments keep their artifacts: behind the server, or at a path that only one machine has."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from pathlib import Path

from trilho.platform.doctor.finding import Finding, counted, ok, some, trouble
from trilho.platform.doctor.local_path import local_path
from trilho.platform.doctor.site import Site
from trilho.wire import connect

_EXPERIMENTS, _RUNS = 1000, 1000  # looked at; more are said as "at least"


def artifact_roots(site: Site) -> Finding | None:
    """Experiments whose `artifact_location` is a path: clients elsewhere write to their own disk, or fail."""
    if not site.answers:
        return None
    with connect(site.tracking_uri, environment=site.environment) as client:
        experiments = client.get("experiments/search", {"max_results": _EXPERIMENTS}).get("experiments", [])
        wrong = [found for found in experiments if local_path(found.get("artifact_location", "")) is not None]
        if not wrong:
            return ok(f"{counted(len(experiments), 'experiment')}, none at a path.")
        lines = []
        for found in wrong:
            question = {"experiment_ids": [found["experiment_id"]], "max_results": _RUNS}
            runs = len(client.post("runs/search", question).get("runs", []))
            least = "at least " if runs == _RUNS else ""
            lines.append(f"'{found['name']}' ({least}{counted(runs, 'run')}) at {found['artifact_location']}")
    return trouble(
        f"{len(wrong)} of {counted(len(experiments), 'experiment')} keep their artifacts at a path: {some(lines)}.",
        expected="mlflow-artifacts:/…, so that files go through the server and no client needs its paths.",
        remedy="On the server's machine: trilho doctor --fix (shows what it would do; --yes does it, after a backup)\n"
        "Then start the server with --artifacts-destination, and without --default-artifact-root.",
    )


def artifacts_unwritable(site: Site) -> Finding | None:
    """`PermissionError: [Errno 13] Permission denied: '/mlruns'`: the path of an experiment is not ours to write."""
    folders = dict(_folders(site))
    if not folders:
        return None
    refused = {folder: stop for folder in folders if (stop := _in_the_way(folder)) is not None}
    if not refused:
        return ok(f"{counted(len(folders), 'folder')} can be written to.")
    user = _user()
    told = [
        f"{folder} ({folders[folder]}): '{stop}' "
        + (f"is not writable for {user}" if stop.is_dir() else "is no folder")
        for folder, stop in refused.items()
    ]
    of_server = site.artifact_folder in refused
    return trouble(
        some(told) + ".",
        expected="Folders that the process which writes artifacts may write to.",
        remedy=(
            f"Give them to who runs the server: chown -R {user} {next(iter(refused.values()))}; in a container, to the "
            "user of the image."
            if of_server
            else "A path in an experiment is the server's own. Let artifacts go through the server:\n"
            "trilho doctor --fix on its machine, then start it with --artifacts-destination."
        ),
    )


# ---------------------------------------------------------------------------------------------------------------------


def _folders(site: Site) -> Iterator[tuple[Path, str]]:
    """Folders that this machine would write artifacts to, and who says so."""
    if site.artifact_folder is not None:
        yield site.artifact_folder, "the server's artifacts"
    if not site.answers:
        return
    with connect(site.tracking_uri, environment=site.environment) as client:
        for found in client.get("experiments/search", {"max_results": _EXPERIMENTS}).get("experiments", []):
            path = local_path(found.get("artifact_location", ""))
            if path is not None:
                yield path, f"experiment '{found['name']}'"


def _in_the_way(folder: Path) -> Path | None:
    """The folder that we would have to write to, if we may not: itself, or the first above it that exists."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    return None if place.is_dir() and os.access(place, os.W_OK) else place


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "this user"
