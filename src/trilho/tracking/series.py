"""Figures over time: one run for each subject, that stays open and gets a point now and then.

Points that the server could not be given wait in a file and go with the next one, oldest first. A point that was
acknowledged just before a kill may be sent twice; MLflow draws it on itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from trilho.errors import ServerRefused
from trilho.tracking.sending import experiment_id_of, json_number
from trilho.wire import Client, upload

SERIES = "trilho.series"

_AT_ONCE = 1000  # metrics in one call: MLflow's own limit
_MOST_WAITING = 1000  # points; the oldest are dropped


@dataclass(frozen=True, kw_only=True)
class Point:
    """Figures of one moment.

    Args:
        at: Seconds since 1970; MLflow's time, and its step in whole seconds.
    """

    at: float
    values: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Series:
    """A long-lived run of an experiment.

    Args:
        name: Of the run; it is known by this, whoever asks.
        waiting: The file of points that are not sent yet.
    """

    experiment: str
    name: str
    waiting: Path

    def add(self, point: Point) -> None:
        """Note a point. Nothing is sent. Raises OSError."""
        self.waiting.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self.waiting}.lock"):
            self._keep([*self.points(), point][-_MOST_WAITING:])

    def points(self) -> list[Point]:
        """Those that wait, oldest first. Half a line, and anything else that is none, is left out."""
        found = []
        for line in self.waiting.read_text(encoding="utf-8").splitlines() if self.waiting.exists() else []:
            try:
                found.append(Point(**json.loads(line)))
            except (ValueError, TypeError):
                continue
        return found

    def send(self, client: Client, files: Mapping[str, Path] | None = None) -> str:
        """Bring all that waits, and then files as artifacts under these paths. Returns MLflow's run id.

        Raises:
            ServerUnreachable, ServerRefused: what did not arrive waits on, except what the server calls invalid; files
                do not wait.
            OSError: the file of those that wait.
        """
        self.waiting.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self.waiting}.lock"):
            run_id, root = self._run(client)
            metrics = [
                {"key": key, "value": json_number(value), "timestamp": int(point.at * 1000), "step": int(point.at)}
                for point in self.points()
                for key, value in point.values.items()
            ]
            try:
                for start in range(0, len(metrics), _AT_ONCE):
                    client.post("runs/log-batch", {"run_id": run_id, "metrics": metrics[start : start + _AT_ONCE]})
            except ServerRefused as error:
                if error.error_code == "INVALID_PARAMETER_VALUE":  # it never will be: what comes after must not wait
                    self.waiting.unlink(missing_ok=True)
                raise
            self.waiting.unlink(missing_ok=True)
        for path, file in (files or {}).items():
            upload(client, root, path, file)
        return run_id

    def _run(self, client: Client) -> tuple[str, str]:
        experiment_id = experiment_id_of(client, self.experiment)
        query: dict[str, Any] = {"experiment_ids": [experiment_id], "order_by": ["attributes.start_time ASC"]}
        quoted = self.name.replace("'", "")
        found = client.post("runs/search", {**query, "filter": f"tags.`{SERIES}` = '{quoted}'", "max_results": 1})
        if found.get("runs"):
            info = found["runs"][0]["info"]
        else:
            first = min((point.at for point in self.points()), default=0.0)
            body = {"experiment_id": experiment_id, "run_name": self.name, "start_time": int(first * 1000)}
            info = client.post("runs/create", {**body, "tags": [{"key": SERIES, "value": quoted}]})["run"]["info"]
        return info["run_id"], info["artifact_uri"]

    def _keep(self, points: Sequence[Point]) -> None:
        partial = self.waiting.with_name(f".{self.waiting.name}.partial")
        partial.write_text("".join(json.dumps(asdict(point)) + "\n" for point in points), encoding="utf-8")
        partial.replace(self.waiting)
