"""What goes to MLflow of each window, so that it can be seen over time there.

One run for each model, "monitor: NAME" in the project's experiment, with the window's end as time and step:

    input_volume, prediction_mean, prediction_std     of the version in charge; the mean of what regression predicts,
                                                      of a classifier's score (see `counting.answers_of`)
    model_version, columns_moved                      which version, and how many features moved
    drift_effect/COLUMN                               of the worst five: 1 is what is allowed
    label_share/LABEL                                 of the answers; names as MLflow takes them, see `_name`
    shadow_agreement                                  of the challenger, where it is asked
    performance/METRIC, …_low, …_high, labels         where labels are enough, with the bounds of the interval
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trilho.errors import ServerRefused, ServerUnreachable
from trilho.journal import Rows
from trilho.monitoring.counting import answers_of
from trilho.monitoring.measured import Performance
from trilho.monitoring.report import Report
from trilho.monitoring.watching import Find
from trilho.tracking import Point, Series
from trilho.wire import Client

WORST = 5
_LONGEST = 100  # characters of a column's or a label's name


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Of numbers that were seen once: how many, their mean, and the sum of their squared distances from it."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    @property
    def deviation(self) -> float:
        return math.sqrt(self.squares / self.count) if self.count else math.nan

    def and_also(self, values: np.ndarray) -> Moments:
        """With these as well (Chan, Golub & LeVeque 1983, The American Statistician 37(3), 242-247)."""
        values = values[np.isfinite(values)]
        if not len(values):
            return self
        count, mean = self.count + len(values), float(values.mean())
        apart = mean - self.mean
        return Moments(
            count=count,
            mean=self.mean + apart * len(values) / count,
            squares=self.squares + float(((values - mean) ** 2).sum()) + apart**2 * self.count * len(values) / count,
        )


class Scores:
    """Mean and deviation of what versions answered, taken while rows pass on to somebody else.

    Args:
        find: As for `watch`; the answers of versions without a reference are left out.
    """

    def __init__(self, find: Find) -> None:
        self._find = find
        self._moments: dict[tuple[str, str], Moments] = {}

    def passing(self, parts: Iterable[Rows]) -> Iterator[Rows]:
        """The same rows."""
        for part in parts:
            for key in set(zip(part.models.tolist(), part.versions.tolist(), strict=True)):
                reference = self._find(*key)
                if reference is not None:
                    answers = answers_of(part.labels, part.probabilities, reference.schema)
                    values = answers["score"] if answers["score"] is not None else part.labels
                    mine = (part.models == key[0]) & (part.versions == key[1])
                    if np.issubdtype(values.dtype, np.number):
                        before = self._moments.get(key, Moments())
                        self._moments[key] = before.and_also(values[mine].astype(np.float64))
            yield part

    def of(self, model: str, version: str) -> Moments:
        """Of one version; without a mean where its answers are no numbers."""
        return self._moments.get((model, version), Moments())


def point(report: Report, scores: Moments, performance: Performance | None = None) -> Point:
    """The figures of a window."""
    values = {"input_volume": float(report.rows)}
    if scores.count:
        values |= {"prediction_mean": scores.mean, "prediction_std": scores.deviation}
    if report.version.isdecimal():
        values["model_version"] = float(report.version)
    if report.drift_known:
        values["columns_moved"] = float(len(report.moved))
        worst = sorted(report.judged, key=lambda column: -column.effect)[:WORST]
        values |= {f"drift_effect/{_name(column.name)}": column.effect for column in worst}
    if report.shadow is not None and report.shadow.agreement is not None:
        values["shadow_agreement"] = report.shadow.agreement
    for column in report.predicted:
        if column.histogram.labels and sum(column.histogram.current):
            shares = zip(column.histogram.labels, column.histogram.current, strict=False)
            values |= {f"label_share/{_name(name)}": n / sum(column.histogram.current) for name, n in shares}
    newest = performance.newest(report.model, report.version) if performance else None
    for one in newest.measured if newest else ():
        if newest and one.value is not None:
            values |= {f"performance/{one.metric}": one.value, "performance/labels": float(newest.labelled)}
            if one.interval:
                low, high = one.interval
                values |= {f"performance/{one.metric}_low": low, f"performance/{one.metric}_high": high}
    return Point(at=report.until, values={key: value for key, value in values.items() if math.isfinite(value)})


def log_window(
    series: Series, point: Point, client: Client | None, page: Path | None = None, *, why: str = ""
) -> str | None:
    """Add a window's figures, and send what waits. A server that is down, or a full disk, fails nothing.

    Args:
        client: None where it is known that no server is there, with `why`.
        page: The report as HTML; becomes the artifacts latest.html and one a day, and does not wait.

    Returns:
        None where all arrived, or else a line that says what did not.
    """
    try:
        series.add(point)
        if client is not None:
            day = re.sub(r"^(\d{8}).*", r"\1", page.name) if page else ""
            series.send(client, {f"reports/{day}.html": page, "reports/latest.html": page} if page else None)
            return None
    except (ServerUnreachable, ServerRefused) as error:
        why = error.what
    except OSError as error:
        return f"The figures of this window are not in MLflow: {error.strerror or error}."
    count = len(series.points())
    windows = "1 window" if count == 1 else f"{count} windows"
    return f"The figures of {windows} are not in MLflow yet; they go with the next ones. {why}".strip()


# ----------------------------------------------------------------------------------------------------------------------


def _name(text: str) -> str:
    """As MLflow takes the names of metrics: letters of any script, but few signs.

    One that must be changed ends in a hash of what it was, so that `<=50K` and `>50K` stay two. It does so whether the
    other is there or not: a series keeps its name from window to window.
    """
    name = re.sub(r"[^\w .:-]+", "_", text)[:_LONGEST].strip(" .")
    if name and name == text:
        return name
    mark = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{name[: _LONGEST - 9] or '_'}-{mark}"
