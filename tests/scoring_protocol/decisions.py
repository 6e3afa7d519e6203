"""Where this server was decided to answer otherwise than MLflow's: the guide "serving" holds the same list.

A body that is answered otherwise and is not listed here fails the test; so does a line here that no body needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["refused", "different", "answered", "steady"]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One line of the guide.

    Args:
        what: The line's first words in the guide.
        kind: refused: MLflow answers and we do not. different: both answer, about different values. answered: only we
            do. steady: MLflow's server fails with 500, ours answers 400.
        bodies: How the names of the bodies begin.
        models: The ones it is about; empty for all.
    """

    what: str
    kind: Kind
    bodies: tuple[str, ...]
    models: tuple[str, ...] = ()


DECISIONS = (
    Decision(
        what="A null in a column of booleans",
        kind="different",
        bodies=("boolean nan",),
    ),
    Decision(
        what="A null text",
        kind="different",
        bodies=("text None", "text nan"),
    ),
    Decision(
        what="A text in a column of booleans",
        kind="different",
        bodies=("boolean 'false'", "boolean '0'"),
    ),
    Decision(
        what="A text in a column of booleans",
        kind="refused",
        bodies=("boolean ''", "boolean 'yes'", "boolean [True]", "boolean []"),
    ),
    Decision(
        what="A fraction in a column of whole numbers",
        kind="different",
        bodies=("whole 3.7", "whole 1e+30"),
    ),
    Decision(
        what="A number in a column of texts",
        kind="different",
        bodies=("text 10 ", "text 10.0"),
    ),
    Decision(
        what="Bytes in Parquet where texts are meant",
        kind="different",
        bodies=("Parquet: text as bytes",),
    ),
    Decision(
        what="A list or an object as a value",
        kind="refused",
        bodies=("text {'a': 1}", "number []"),
    ),
    Decision(
        what="A time that is not ISO 8601",
        kind="refused",
        bodies=(
            *("time '31/01/2026'", "time '01/02/2026'", "time 'Jan 31 2026'", "time 'now'", "time 'today'"),
            *("time True", "time '3000", "time '1500", "time '99999"),
        ),
    ),
    Decision(
        what="A time that is not ISO 8601",
        kind="different",
        bodies=("time '20260131'",),
    ),
    Decision(
        what="A row with fewer or more values than there are columns",
        kind="refused",
        bodies=("row too short in split", "CSV: row too short", "CSV: all rows too long"),
    ),
    Decision(
        what="An empty object as a row of `instances`",
        kind="different",
        bodies=("empty object as a row in instances",),
        models=("words", "times"),  # which take nulls
    ),
    Decision(
        what="An empty object as a row of `instances`",
        kind="refused",
        bodies=("empty object as a row in instances",),
        models=("numbers", "200 columns"),
    ),
    Decision(
        what="Columns at the top of the body",
        kind="refused",
        bodies=("columns at the top beside the language model key input",),
    ),
    Decision(
        what="No rows",
        kind="answered",
        bodies=(
            *("no rows in split", "columns without rows in", "nothing but [] in inputs", "nothing but [] in instances"),
            *("nothing but [] in dataframe_records", "CSV: header only", "Parquet: no rows"),
        ),
    ),
    Decision(
        what="A null, or a whole number of any size, in a column of whole numbers",
        kind="answered",
        bodies=(
            *("whole None", "whole nan", "whole '3.7'", "whole 118059162071741", "whole 1e+30"),
            *("CSV: whole", "Parquet: whole with a null"),
        ),
    ),
    Decision(
        what="Times of several forms in one column",
        kind="answered",
        bodies=(
            *("time '2026", "time ' 2026-01-31 '", "time 'nan'", "time nan", "time 1.7e+18", "time 1700000000"),
            *("Parquet: time as",),
        ),
    ),
    Decision(
        what="CSV with a column of times",
        kind="answered",
        bodies=("CSV: ",),
        models=("times",),
    ),
    Decision(
        what="CSV with 0 and 1, or with no value, in a column of booleans",
        kind="answered",
        bodies=("CSV: boolean '0'", "CSV: boolean '1'", "CSV: boolean ''", "CSV: boolean 'N", "CSV: boolean 'n"),
        models=("words",),
    ),
    Decision(
        what="CSV with a number as Python writes it",
        kind="answered",
        bodies=("CSV: number '1_000'",),
    ),
    Decision(
        what="Rows as lists under `inputs` and `instances`",
        kind="answered",
        bodies=("rows as lists in", "no columns in split", "null for columns in split"),
    ),
    Decision(
        what="Rows as objects with different keys",
        kind="answered",
        bodies=("key absent in one row in", "key more in one row in", "empty object as a row in"),
    ),
    Decision(
        what="Columns as objects",
        kind="answered",
        bodies=("objects in columns in",),
    ),
    Decision(
        what="An index, or an unread column, of another length",
        kind="answered",
        bodies=("index too short in split", "extra column too short in"),
    ),
    Decision(
        what="A language model's keys beside rows",
        kind="answered",
        bodies=("the language model key",),
    ),
    Decision(
        what="Other spellings of the content type",
        kind="answered",
        bodies=("content type 'application/JSON'", "content type 'application/json; charset"),
    ),
    Decision(
        what="Parquet with other types",
        kind="answered",
        bodies=("Parquet: number as", "Parquet: whole as", "Parquet: boolean as", "Parquet: text as category"),
    ),
    Decision(
        what="Parquet with other types",
        kind="answered",
        bodies=("Parquet: with a column as its index",),
    ),
    Decision(
        what="What makes MLflow's server fail",
        kind="steady",
        bodies=(
            "JSON: a number of 5,000 digits",
            "JSON: nested",
            "JSON: columns nested",
            "JSON: objects",
            "list as an extra column in split",
        ),
    ),
)
