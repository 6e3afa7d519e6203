"""Is there room where the project, the database and the artifacts are written?"""

from __future__ import annotations

import shutil
from pathlib import Path

from trilho.platform.doctor.finding import Finding, ok, trouble
from trilho.platform.doctor.site import Site

LEAST_FREE = 1_000_000_000  # bytes: a few models and their bundles


def disk(site: Site) -> Finding | None:
    """`OSError: [Errno 28] No space left on device`, `database or disk is full`."""
    file = site.sqlite_file
    wanted = [site.state_dir or site.root, site.artifact_folder, file.parent if file else None]
    free = {place: shutil.disk_usage(place).free for place in map(_existing, wanted) if place is not None}
    place, least = min(free.items(), key=lambda item: item[1])
    if least >= LEAST_FREE:
        return ok(f"{least / 1e9:.0f} GB free.")
    return trouble(
        f"{least / 1e6:,.0f} MB are free where {place} is.",
        expected=f"At least {LEAST_FREE / 1e6:,.0f} MB.",
        remedy="Old runs, versions and their files: trilho gc --keep 20 shows them. Containers: docker system df, "
        "docker image prune\nJournal: journal.max_bytes and journal.keep in trilho.yaml.",
    )


# ---------------------------------------------------------------------------------------------------------------------


def _existing(place: Path | None) -> Path | None:
    """`place`, or the nearest folder above it that exists: there it would be made."""
    while place is not None and not place.exists():
        place = place.parent
    return place
