"""What a table of one's own is about: task, positive class, metric, columns to leave out, each with the reason why.

Sees facts about the columns, never the rows, so it needs no pandas. What it decides is written into trilho.yaml beside
its reason, where a person can change it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trilho.errors import BadData
from trilho.project.names import DEFAULT_METRICS

FEW_VALUES = 20  # a number with more different values is predicted as a number, not as a class
FEW_FRACTIONS = 10  # the same for numbers with decimals
MANY_ROWS = 20_000  # from here on a forest is kept small
LEAST_TEST_LABELS = 10  # fewer expected rows of a label in the test part: split by strata

_YES = ("yes", "true", "1", "y", "t", "sim", "positive", "pos")
_IDENTIFIER = re.compile(r"(?i)(^|[_\-. ])(id|ids|uuid|guid|key|index|row|rownum|nr|no)$|^unnamed|(?-i:[a-z]I[Dd]$)")


@dataclass(frozen=True, kw_only=True)
class ColumnFacts:
    """What is known of a column.

    Args:
        kind: number, category, boolean, text, time or image.
        distinct: Number of different values, missing ones not counted.
        missing: Number of rows without a value.
        whole: A number without decimals in every row.
        rising: A whole number one greater in every row: a row number.
        deviation: Standard deviation of a number.
        reads_as: Of text and categories: "dates" or "numbers" where a person would read them so.
        example: One of its values, as it is written.
        labels: Of the target alone: label → rows, as the data holds them.
    """

    name: str
    kind: str
    distinct: int
    missing: int = 0
    whole: bool = False
    rising: bool = False
    deviation: float | None = None
    reads_as: str = ""
    example: str = ""
    labels: Mapping[Any, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A value for a setting, and why."""

    value: Any
    why: str


@dataclass(frozen=True, kw_only=True)
class Inferred:
    """The settings that the data suggests; `positive_class` is None where there is none to choose."""

    task: Choice
    positive_class: Choice | None
    primary_metric: Choice
    metrics: tuple[str, ...]
    margin: Choice
    drop: Mapping[str, str]  # column → why
    kinds: Mapping[str, str]  # features that are no numbers → kind
    numbers: int  # features that are
    split: Choice
    estimator: Choice
    params: Choice
    notes: tuple[str, ...]  # what the person should know before the first run


def infer(columns: Sequence[ColumnFacts], *, target: str, rows: int) -> Inferred:
    """Decide what a table's owner would otherwise have to write.

    Args:
        columns: Every column of the table, target included.
        target: The column to predict.
        rows: Number of rows.

    Raises:
        BadData: the target is free text, a time or an image, or no column is left to learn from.
    """
    facts = next(column for column in columns if column.name == target)
    task = _task(facts, rows)
    regression = task.value == "regression"
    features = [column for column in columns if column.name != target]
    drop = {column.name: why for column in features if (why := _useless(column, rows))}
    kept = [column for column in features if column.name not in drop]
    if not kept:
        raise BadData(
            "No column is left to learn from.",
            why="\n".join(f"  {name}: {why}" for name, why in drop.items()),
            remedy="Bring columns that say something about the target.",
        )
    split, notes = _split(facts, rows, regression)
    notes += tuple(_as_words(column) for column in kept if column.reads_as)
    return Inferred(
        task=task,
        positive_class=None if regression else _positive(facts.labels),
        primary_metric=Choice(
            value="rmse" if regression else "f1",
            why="the usual error, in the target's unit" if regression else "counts both misses and false alarms",
        ),
        metrics=DEFAULT_METRICS[task.value],
        margin=_margin(facts, regression),
        drop=drop,
        kinds={column.name: column.kind for column in kept if column.kind != "number"},
        numbers=sum(column.kind == "number" for column in kept),
        split=split,
        estimator=Choice(
            value=f"sklearn.ensemble.RandomForest{'Regressor' if regression else 'Classifier'}",
            why="good without tuning, and compiles to ONNX exactly",
        ),
        params=_params(rows),
        notes=notes,
    )


def _task(target: ColumnFacts, rows: int) -> Choice:
    countless = target.kind == "category" and target.distinct > max(FEW_VALUES, rows / 2)
    if countless or target.kind in ("text", "time", "image"):
        raise BadData(
            f"Column '{target.name}' cannot be predicted.",
            why=f"It holds {target.distinct:,} different values of kind {target.kind} in {rows:,} rows.",
            remedy="Name a column of numbers or of a few categories: --target COLUMN",
        )
    several = target.distinct > (FEW_VALUES if target.whole else FEW_FRACTIONS)
    if target.kind == "number" and several:
        return Choice(value="regression", why=f"{target.name} is a number with {target.distinct} different values")
    return Choice(value="classification", why=f"{target.name} holds {target.distinct} different values")


def _positive(labels: Mapping[Any, int]) -> Choice | None:
    """Of two labels the one that says yes, else the rarer one."""
    if len(labels) != 2:
        return None
    words = {_word(label) for label in labels}
    yes = (
        _YES if words & {"0", "-1"} else tuple(word for word in _YES if word != "1")
    )  # 1 says yes beside 0, not beside 2
    saying_yes = [label for label in labels if _word(label) in yes]
    if len(saying_yes) == 1:
        return Choice(value=saying_yes[0], why="the label that says yes")
    (rare, few), (_, many) = sorted(labels.items(), key=lambda item: item[1])
    if few == many:
        return Choice(value=max(labels, key=str), why="both labels are as frequent; choose the one you look for")
    return Choice(value=rare, why=f"the rarer label ({few:,} of {few + many:,} rows)")


def _word(label: Any) -> str:
    """A label as a word to compare: 1.0 reads "1"."""
    return str(int(label) if isinstance(label, float) and label.is_integer() else label).strip().lower()


def _useless(column: ColumnFacts, rows: int) -> str:
    """Why a column cannot help; "" where it can."""
    if column.distinct == 0:
        return "no value in any row"
    if column.distinct == 1 and not column.missing:
        return "the same value in every row"
    written = f"{column.reads_as} such as {column.example}: text, which only a transform of your own can read"
    if column.reads_as == "dates" and column.distinct > FEW_VALUES:
        return written
    if column.reads_as and column.kind == "text":
        return written
    unique = column.distinct == rows - column.missing and column.distinct > FEW_VALUES
    named = _IDENTIFIER.search(column.name) is not None
    if unique and (column.kind == "text" or column.rising or (named and (column.whole or column.kind == "category"))):
        return "another value in every row: it names the row, no more"
    if column.kind == "text":
        return "free text, which only a transform of your own can read"
    if column.kind == "time":
        return "a time, which only a transform of your own can read; split: {method: time} can order by it"
    if column.kind == "image":
        return "images, which only a transform of your own can read"
    return ""


def _as_words(column: ColumnFacts) -> str:
    return (
        f"{column.name} holds {column.reads_as} such as {column.example}. They are taken as words, without order or "
        "size; a function as data.source can turn them into numbers."
    )


def _margin(target: ColumnFacts, regression: bool) -> Choice:
    if regression and target.deviation:
        return Choice(value=float(f"{target.deviation / 100:.1g}"), why=f"1% of the deviation of {target.name}")
    return Choice(value=0.01, why="")


def _split(target: ColumnFacts, rows: int, regression: bool) -> tuple[Choice, tuple[str, ...]]:
    test_size = 0.2 if rows * 0.2 >= 50 else 0.3
    notes = []
    if rows * test_size < 50:
        notes.append(
            f"{rows} rows leave about {rows * test_size:.0f} to test on; comparing a new version with the champion "
            "asks for 50 (evaluate.champion.min_rows): bring more rows, or promote by force."
        )
    rarest = min(target.labels.values(), default=rows)
    if not regression and rarest * test_size < LEAST_TEST_LABELS:
        why = f"the rarest label has {rarest} rows; this way each label is in both parts"
        return Choice(value={"method": "stratified", "test_size": test_size, "random_state": 42}, why=why), tuple(notes)
    why = "by a hash of the row: rows once tested on are never trained on"
    return Choice(value={"test_size": test_size, "random_state": 42}, why=why), tuple(notes)


def _params(rows: int) -> Choice:
    if rows <= MANY_ROWS:
        return Choice(value={"n_estimators": 200, "n_jobs": 1}, why="")
    leaf = rows // 5_000
    return Choice(
        value={"n_estimators": 100, "min_samples_leaf": leaf, "n_jobs": -1},
        why=f"{rows:,} rows: leaves of {leaf} rows or more keep the model small",
    )
