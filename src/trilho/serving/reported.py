"""What `trilho monitor` found last, for /metrics: read from the files that it leaves in the journal's folder.

Of those files (`reports/latest.json`, `reports/performance.json`) only the fields named here are read, so that serving
needs nothing of monitoring but its form. What is said is about the version that answers now: a report on the one before
is no alarm about this one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

FOLDER, LATEST, PERFORMANCE = "reports", "latest.json", "performance.json"


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A feature, or the prediction: its greatest effect as a multiple of its threshold, and whether it moved."""

    name: str
    effect: float
    moved: bool
    checks: tuple[Any, ...] = ()


class Shadow(msgspec.Struct, frozen=True, kw_only=True):
    """How far the challenger `version` agrees with the version reported on: 1 is wholly; None where it is not known."""

    version: str
    agreement: float | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The newest report on drift.

    `drift` and `prediction_drift` are None where there is no verdict: too few rows, or no feature that could be judged.
    """

    model: str
    version: str
    until: float
    rows: int
    columns: tuple[Column, ...]
    predicted: tuple[Column, ...]
    drift: bool | None = None
    prediction_drift: bool | None = None
    shadow: Shadow | None = None


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One metric, its 95 % interval, and the floor it should keep to (the most, for errors)."""

    metric: str
    value: float | None
    interval: tuple[float, float] | None = None
    floor: float | None = None

    @property
    def below(self) -> bool:
        """Is it on the wrong side of its floor with the whole interval, so that chance does not explain it?"""
        from trilho.metrics import METRICS

        if self.value is None or self.floor is None or self.metric not in METRICS:
            return False
        low, high = self.interval or (self.value, self.value)
        return high < self.floor if METRICS[self.metric].greater_is_better else low > self.floor


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One version's answers in a window, beside the truth."""

    model: str
    version: str
    labelled: int
    min_labels: int
    measured: tuple[Measured, ...] = ()


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """What labels say: by window, the newest first, and over all windows."""

    windows: tuple[Measurement, ...] = ()
    whole: tuple[Measurement, ...] = ()

    def newest(self, model: str, version: str) -> Measurement | None:
        """The newest window of a version with labels enough, or else all its windows together."""
        known = [one for one in (*self.windows, *self.whole) if (one.model, one.version) == (model, version)]
        return next((one for one in known if one.labelled >= one.min_labels), None)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Both, each None where there is none or it cannot be read."""

    report: Report | None = None
    performance: Performance | None = None


class Reported:
    """Reads the files of one journal anew when they changed.

    Args:
        journal: Its folder; there need not be one.
    """

    def __init__(self, journal: Path) -> None:
        self._report = _Kept(journal / FOLDER / LATEST, Report)
        self._performance = _Kept(journal / FOLDER / PERFORMANCE, Performance)

    def __call__(self) -> Found:
        return Found(report=self._report.now(), performance=self._performance.now())


# ----------------------------------------------------------------------------------------------------------------------

_Value = TypeVar("_Value", Report, Performance)


class _Kept(Generic[_Value]):
    """The value of a file, decoded once for each time it is replaced."""

    def __init__(self, path: Path, kind: type[_Value]) -> None:
        self._path, self._seen = path, (0, 0, 0)
        self._value: _Value | None = None
        self._decode: Callable[[bytes], _Value] = msgspec.json.Decoder(kind).decode

    def now(self) -> _Value | None:
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen != self._seen:
                self._value, self._seen = self._decode(self._path.read_bytes()), seen
        except (OSError, msgspec.DecodeError):
            self._value, self._seen = None, (0, 0, 0)
        return self._value
