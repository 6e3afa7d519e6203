"""From counts to a verdict on each column: all methods, Benjamini-Hochberg over them, thresholds.

A column has moved where a test and an effect of the same question both say so. The test alone finds, in a window of a
million rows, differences that matter to nobody; the effect alone finds, in one of two hundred, differences that are
chance.

Source:
    Benjamini & Hochberg (1995), Controlling the false discovery rate, Journal of the Royal Statistical Society B 57(1),
    289-300, doi:10.1111/j.2517-6161.1995.tb02031.x. It holds for tests that depend on each other positively, too
    (Benjamini & Yekutieli 2001), as those of related columns do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from trilho.bundle import CategoryCounts, NumberCounts
from trilho.monitoring.drift.chi_squared import chi_squared, pooled
from trilho.monitoring.drift.jensen_shannon import jensen_shannon
from trilho.monitoring.drift.kolmogorov_smirnov import kolmogorov_smirnov
from trilho.monitoring.drift.missing_share import all_rows, missing_share
from trilho.monitoring.drift.new_categories import new_categories
from trilho.monitoring.drift.out_of_range import out_of_range
from trilho.monitoring.drift.population_stability import population_stability_index, shared_bins
from trilho.monitoring.drift.wasserstein import wasserstein
from trilho.monitoring.histogram import histogram
from trilho.monitoring.report import Check, ColumnReport, Effect, Question
from trilho.project.file import DriftRule

Counts = NumberCounts | CategoryCounts


def judge(reference: Sequence[Counts], current: Sequence[Counts], rule: DriftRule) -> tuple[ColumnReport, ...]:
    """A report on each column, in their order; `since` is not known here.

    Args:
        reference, current: The same columns, counted at the same edges. Columns with fewer than `rule.min_rows` rows
            get no checks.
    """
    asked = [
        list(_asked(before, now, rule)) if all_rows(now) >= rule.min_rows else []
        for before, now in zip(reference, current, strict=True)
    ]
    adjusted = iter(_adjusted([answer.p_value for answers in asked for answer in answers]))
    reports = []
    for before, now, answers in zip(reference, current, asked, strict=True):
        pairs = zip(answers, islice(adjusted, len(answers)), strict=True)
        reports.append(_report(before, now, tuple(_check(answer, value, rule.alpha) for answer, value in pairs)))
    return tuple(reports)


# ----------------------------------------------------------------------------------------------------------------------


class _Answer(NamedTuple):
    question: Question
    test: str
    p_value: float
    effects: tuple[Effect, ...]


def _asked(before: Counts, now: Counts, rule: DriftRule) -> Iterator[_Answer]:
    missing = missing_share(before, now)
    effect = Effect(
        method="missing_share",
        value=missing.difference,
        threshold=rule.missing_share,
        interval=missing.interval,
    )
    yield _Answer("missing", "fisher", missing.p_value, (effect,))
    if isinstance(before, NumberCounts) and isinstance(now, NumberCounts):
        yield from _of_numbers(before, now, rule)
    elif isinstance(before, CategoryCounts) and isinstance(now, CategoryCounts):
        yield from _of_categories(before, now, rule)


def _of_numbers(before: NumberCounts, now: NumberCounts, rule: DriftRule) -> Iterator[_Answer]:
    tested, moved = kolmogorov_smirnov(before, now), wasserstein(before, now)
    old, new = shared_bins(before, now)
    index = population_stability_index(old[:-1], new[:-1])  # missing ones have a check of their own
    effects = (
        Effect(method="wasserstein", value=moved.distance, threshold=rule.wasserstein, error=moved.error),
        Effect(method="population_stability", value=index, threshold=rule.population_stability),
    )
    yield _Answer("values", "kolmogorov_smirnov", tested.p_value, effects)
    outside = out_of_range(before, now)
    effect = Effect(
        method="out_of_range",
        value=outside.difference,
        threshold=rule.out_of_range,
        interval=outside.interval,
    )
    yield _Answer("out of range", "wilks", outside.p_value, (effect,))


def _of_categories(before: CategoryCounts, now: CategoryCounts, rule: DriftRule) -> Iterator[_Answer]:
    distance = jensen_shannon(*pooled(before, now))
    effect = Effect(method="jensen_shannon", value=distance, threshold=rule.jensen_shannon)
    yield _Answer("values", "chi_squared", chi_squared(before, now).p_value, (effect,))
    new = new_categories(before, now)
    effect = Effect(
        method="new_categories",
        value=max(new.excess, 0.0),
        threshold=rule.new_categories,
        interval=new.interval,
    )
    yield _Answer("new categories", "fisher", new.p_value, (effect,))


def _adjusted(p_values: Sequence[float]) -> Sequence[float]:
    from scipy.stats import false_discovery_control

    found: list[float] = false_discovery_control(p_values).tolist() if p_values else []
    return found


def _check(answer: _Answer, adjusted: float, alpha: float) -> Check:
    return Check(
        question=answer.question,
        test=answer.test,
        p_value=answer.p_value,
        adjusted=adjusted,
        significant=adjusted <= alpha,
        effects=answer.effects,
    )


def _report(before: Counts, now: Counts, checks: tuple[Check, ...]) -> ColumnReport:
    rows = all_rows(now)
    return ColumnReport(
        name=before.name,
        kind="number" if isinstance(before, NumberCounts) else "category",
        rows=rows,
        reference_rows=all_rows(before),
        missing=now.missing / max(rows, 1),
        checks=checks,
        histogram=histogram(before, now),
    )
