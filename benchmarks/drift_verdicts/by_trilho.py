"""What trilho's watcher says of the simulated windows, with the default settings of monitor.drift.

Beside it stands what its parts alone would have said: any test at 0.05, unadjusted; any effect over its threshold.
"""

from __future__ import annotations

from collections.abc import Collection

from deployments import COLUMNS, NUMBERS, Look, Named, Window, judged

from trilho import bundle
from trilho.bundle import Field, Schema
from trilho.monitoring.judging import judge
from trilho.project.file import DriftRule

RULE = DriftRule()
SCHEMA = Schema(
    task="regression",
    target="y",
    fields=tuple(Field(name=name, kind="number" if name in NUMBERS else "category", nullable=True) for name in COLUMNS),
)


def learn(training: Window, size: int) -> Look:
    """Windows below min_rows would get no verdict at all; they are judged nevertheless, to see what it would be."""
    profile = bundle.profile(training, SCHEMA)
    rule = DriftRule(min_rows=min(size, RULE.min_rows))

    def look(window: Window, _asked: Collection[str]) -> Named:
        reports = judge(profile.columns, bundle.count(profile, window, SCHEMA).columns, rule)
        return {
            "trilho": {report.name for report in reports if report.moved},
            "tests alone": {one.name for one in reports if any(check.p_value <= 0.05 for check in one.checks)},
            "effects alone": {
                one.name for one in reports if any(effect.over for check in one.checks for effect in check.effects)
            },
        }

    return look


if __name__ == "__main__":
    judged(learn, share=RULE.share)
