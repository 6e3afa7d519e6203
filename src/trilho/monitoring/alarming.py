"""What of all that was found calls for somebody: the one place that decides it, for exit codes and whoever asks."""

from __future__ import annotations

from typing import Literal

from trilho.monitoring.measured import Performance
from trilho.monitoring.report import Report

Alarm = Literal["drift", "prediction drift", "performance", "whole rows"]


def alarms(report: Report, performance: Performance | None = None) -> tuple[Alarm, ...]:
    """The alarms of a report on one version; () where all is well, or nobody knows.

    drift              enough of the features moved
    prediction drift   the answers moved
    performance        labels put a metric below evaluate.thresholds, with its whole interval
    whole rows         a classifier tells this window's rows from the version's first ones

    An estimate raises none.
    """
    raised: dict[Alarm, bool] = {
        "drift": report.enough and report.drift,
        "prediction drift": report.enough and report.prediction_drift,
        "performance": performance is not None and performance.dropped(report.model, report.version),
        "whole rows": report.whole_rows is not None and report.whole_rows.moved,
    }
    return tuple(name for name, on in raised.items() if on)
