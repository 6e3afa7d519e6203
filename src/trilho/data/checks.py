"""The user's own rules for the data, checked by pandera, every broken one reported at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from trilho.data.columns import require_known_columns
from trilho.data.problems import Problem, did_you_mean, listed, report
from trilho.data.sources.table import Table
from trilho.errors import ChecksFailed
from trilho.importer import load_module

RULES = ("min", "max", "between", "in", "matches", "unique", "nullable")
_EXAMPLES = 3


def require(checks: Mapping[str, Any], frame: pd.DataFrame, table: Table, source: str) -> None:
    """Hold `frame` against the rules of `data.checks`.

    Args:
        checks: Column → {rule: value}: min and max (inclusive), between ([least, most], inclusive), in (a list),
            matches (a regular expression, from the beginning), unique (true), nullable (false: no missing value).
        frame: The prepared columns.
        table: The rows as read, to name their lines.
        source: What to call the data in messages.

    Raises:
        MissingExtra: pandera is not installed.
        BadData: `checks` names a column or a rule that does not exist, or gives a rule a value it cannot take.
        ChecksFailed: lists every broken rule with the column, how many rows break it, and the first of them.
    """
    pandera = load_module("pandera.pandas")
    problems = require_known_columns(checks, list(frame.columns), "data.checks")
    for column, rules in checks.items():
        problems += _rule_problems(column, rules)
    if problems:
        report(source, problems)
    schema = pandera.DataFrameSchema({column: _schema_of(pandera, rules) for column, rules in checks.items()})
    try:
        schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        broken = _broken(error.failure_cases, table)
        raise ChecksFailed(
            f"{source}: {len(broken)} {'check' if len(broken) == 1 else 'checks'} of data.checks failed.",
            why="\n".join(f"  {line}" for line in broken),
            remedy="Correct the rows, or the rules in data.checks of trilho.yaml.",
        ) from None


def _schema_of(pandera: Any, rules: Mapping[str, Any]) -> Any:
    makers = {
        "min": pandera.Check.ge,
        "max": pandera.Check.le,
        "between": lambda ends: pandera.Check.in_range(*ends),
        "in": pandera.Check.isin,
        "matches": pandera.Check.str_matches,
    }
    made = []
    for rule, maker in makers.items():
        if rule in rules:
            check = maker(rules[rule])
            check.error = f"{rule} {rules[rule]}"
            made.append(check)
    return pandera.Column(checks=made, unique=bool(rules.get("unique")), nullable=bool(rules.get("nullable", True)))


def _broken(failures: pd.DataFrame, table: Table) -> list[str]:
    """One line for each column and rule, from pandera's one line for each value."""
    own_words = {"not_nullable": "nullable false", "field_uniqueness": "unique true"}
    lines = []
    for (column, check), cases in failures.groupby(["column", "check"], sort=False):
        name = own_words.get(str(check), str(check))
        if cases["index"].isna().any():  # the rule itself could not be applied
            lines.append(f"{column}   {name}   cannot be applied to this column: {cases['failure_case'].iloc[0]}")
            continue
        flags = np.zeros(len(table.frame), dtype=bool)
        flags[cases["index"].astype("int64").to_numpy()] = True
        values = dict.fromkeys(repr(_plain(value)) for value in cases["failure_case"])
        count = int(flags.sum())
        rows = f"{count} {'row' if count == 1 else 'rows'}"
        lines.append(f"{column}   {name}   {rows}: {listed(list(values)[:_EXAMPLES])} on {table.first_of(flags)}")
    return lines


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _rule_problems(column: str, rules: Any) -> list[Problem]:
    if not isinstance(rules, Mapping):
        what = f"data.checks.{column} is {rules!r}; it must be a mapping of rules."
        return [Problem(what=what, remedy=f"Write it as {column}: {{min: 0, max: 120}}.")]
    problems = []
    for rule, value in rules.items():
        if rule not in RULES:
            problems.append(
                Problem(
                    what=f"data.checks.{column} has no rule '{rule}'.{did_you_mean(rule, RULES)}",
                    remedy=f"The rules are: {listed(RULES)}.",
                )
            )
        elif wrong := _wrong_value(rule, value):
            problems.append(
                Problem(what=f"data.checks.{column}.{rule} is {value!r}; {wrong}.", remedy="Correct it in trilho.yaml.")
            )
    return problems


def _wrong_value(rule: str, value: Any) -> str:
    if rule in ("unique", "nullable"):
        return "" if isinstance(value, bool) else "it must be true or false"
    if rule == "in":
        return "" if isinstance(value, (list, tuple)) and value else "it must be a list of values"
    if rule == "between":
        return "" if isinstance(value, (list, tuple)) and len(value) == 2 else "it must be [least, most]"
    if rule == "matches":
        try:
            re.compile(value)
        except (re.error, TypeError) as error:
            return f"it must be a regular expression ({error})"
    return "" if not isinstance(value, (list, tuple, Mapping)) and value is not None else "it must be one value"
