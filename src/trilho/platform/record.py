"""What was started, on disk: written whole or not at all, and read without trusting it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from trilho.platform.service import Record


def read_record(path: Path) -> Record | None:
    """The record in `path`; None where there is none, or none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        pid = found["pid"]
        return Record(
            name=str(found["name"]),
            id=str(found["id"]),
            pid=None if pid is None else int(pid),
            port=int(found["port"]),
            health=str(found["health"]),
            started=float(found["started"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_record(path: Path, record: Record) -> None:
    """Replaces the record in `path` in one move, so that no reader sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")  # one writer at a time: who starts a service holds its lock
    fresh.write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")
    fresh.replace(path)


def recorded_names(state_dir: Path) -> list[str]:
    """The names of all services that were started and not stopped."""
    return sorted(path.stem for path in (state_dir / "services").glob("*.json"))
