"""What a source string means: which reader takes it and what that reader is to open. Opens nothing itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from trilho.data.problems import Problem, did_you_mean, listed, report
from trilho.errors import UnknownName
from trilho.shown_address import without_password

Format = Literal["csv", "parquet"]
Reader = Literal["sklearn", "csv", "parquet", "files", "sql", "function"]

SKLEARN_SETS = ("breast_cancer", "iris", "wine", "digits", "diabetes")
SUPPORTED = """A source is one of:
  sklearn:breast_cancer (or iris, wine, digits, diabetes)
  data/churn.csv, .csv.gz, .tsv, .tsv.gz        a table in text
  data/churn.parquet, data/*.parquet, data/     Parquet: one file, a pattern, a folder
  sqlite:///shop.db#orders, or any SQLAlchemy URL with #table or options: {query: "select …"}
  package.module:function                       your own function that returns a pandas DataFrame"""

ENDINGS_OF: Mapping[Format, tuple[str, ...]] = {
    "csv": (".csv", ".csv.gz", ".tsv", ".tsv.gz"),
    "parquet": (".parquet", ".pq"),
}
ENDINGS = ENDINGS_OF["csv"] + ENDINGS_OF["parquet"]

_LATER = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "hdfs", "http", "https", "ftp", "delta")
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "sklearn": (),
    "csv": ("columns", "decimal", "encoding", "names", "na_values", "quote", "separator", "thousands"),
    "parquet": ("columns",),
    "sql": ("columns", "query"),
}


@dataclass(frozen=True, kw_only=True)
class Source:
    """A source string, understood.

    `text` is the string as written, fit for messages (no password). `reader` is "files" for a pattern or a folder whose
    format only its files tell. `address` is what the reader opens: a set's name, an absolute path or pattern, a URL, an
    import string.
    """

    text: str
    reader: Reader
    name: str
    address: str


def parse(text: str, root: Path) -> Source:
    """The meaning of a source string.

    Args:
        text: As in `data.source` of trilho.yaml.
        root: The folder that relative paths start from.

    Raises:
        UnknownName: no reader takes it, or it names a scikit-learn set that does not exist.
    """
    scheme, separator, rest = text.partition(":")
    if scheme == "sklearn" and separator:
        return _sklearn_set(text, rest)
    if separator and scheme.lower() in _LATER:
        raise UnknownName(
            f"'{without_password(text)}': {scheme} sources are not supported yet.",
            why=SUPPORTED,
            remedy="Copy the data to a local file, or read it in a function of your own: data.source: module:function.",
        )
    if "://" in text:
        return Source(text=without_password(text), reader="sql", name=_sql_name(text), address=text)
    path = root / text
    if (_is_pattern(text) and not path.is_file()) or path.is_dir():
        name = next((part for part in reversed(Path(text).parts) if not _is_pattern(part)), path.resolve().name)
        return Source(text=text, reader="files", name=name or "data", address=str(path))
    ending = ending_of(text)
    if ending:
        reader: Format = "csv" if ending in ENDINGS_OF["csv"] else "parquet"
        return Source(text=text, reader=reader, name=Path(text).name[: -len(ending)], address=str(path))
    if re.fullmatch(r"[^\W\d][\w.]*:[^\W\d][\w.]*", text):
        return Source(text=text, reader="function", name=rest.rpartition(".")[2], address=text)
    reason = f"'{without_password(text)}' exists, but no reader takes a file of that kind." if path.exists() else ""
    raise UnknownName(
        f"'{without_password(text)}' is not a data source that trilho knows.",
        why=f"{reason}\n{SUPPORTED}".strip(),
        remedy="Correct data.source in trilho.yaml; for other formats write a function: data.source: module:function.",
    )


def ending_of(path: str) -> str:
    """The part of a file's name that says how to read it, ".csv.gz" whole; "" where no reader takes it."""
    lower = path.lower()
    return next((ending for ending in ENDINGS if lower.endswith(ending)), "")


def require_known_options(source: Source, reader: str, options: Mapping[str, Any]) -> None:
    """Refuse options that the reader does not have or cannot use; a function's options are its own arguments.

    Raises:
        UnknownName: names the near ones and what is allowed.
        BadData: a value is not what the option takes; lists all such values.
    """
    allowed = _OPTIONS.get(reader)
    if allowed is None:
        return
    unknown = [name for name in options if name not in allowed]
    if not unknown:
        require_option_values(source.text, options)
        return
    hints = "".join(did_you_mean(name, allowed) for name in unknown)
    raise UnknownName(
        f"data.options: '{source.text}' has no option {listed(repr(name) for name in unknown)}.{hints}",
        why=f"Its options are: {listed(allowed)}." if allowed else "It has no options.",
        remedy="Correct data.options in trilho.yaml.",
    )


def require_option_values(source: str, options: Mapping[str, Any]) -> None:
    """Refuse values that an option of a reader cannot take, as text where a list is due.

    Args:
        source: What to call the data in the message.
        options: The options of a reader, none of a function; those without a value stand for their default where they
            can.

    Raises:
        BadData: lists all such values.
    """
    problems = [
        Problem(
            what=f"data.options.{name} is {options[name]!r}; it must be {expected}.",
            remedy=f"Correct data.options.{name}, for example {name}: {example}",
        )
        for name, (fits, expected, example) in _VALUES.items()
        if name in options and not fits(options[name])
    ]
    if problems:
        report(source, problems)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_word(value: object) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


def _are_words(value: object) -> bool:
    return value is None or (isinstance(value, (list, tuple)) and all(map(_is_word, value)))


def _is_sign(value: object) -> bool:
    return isinstance(value, str) and len(value.replace("\\t", "\t")) == 1


# Option → whether it can take a value, what to say otherwise, an example in YAML.
_VALUES: Mapping[str, tuple[Callable[[object], bool], str, str]] = {
    "columns": (_are_words, "a list of column names, each a word or a number", '[age, "no"]'),
    "names": (_are_words, "a list of column names, each a word or a number", '[age, "no"]'),
    "na_values": (lambda value: _is_word(value) or _are_words(value), "a word or a list of words", '["-", "none"]'),
    "encoding": (_is_text, "a name in text", "cp1252"),
    "query": (lambda value: value is None or _is_text(value), "a query in text", '"select * from orders"'),
    "separator": (_is_sign, "one character", '";"'),
    "quote": (_is_sign, "one character", '"\'"'),
    "decimal": (_is_sign, "one character", '","'),
    "thousands": (lambda value: value is None or _is_sign(value), "one character", '"."'),
}


def _sklearn_set(text: str, name: str) -> Source:
    if name not in SKLEARN_SETS:
        raise UnknownName(
            f"scikit-learn brings no set '{name}' that trilho knows.{did_you_mean(name, SKLEARN_SETS)}",
            why=f"Its sets are: {listed(SKLEARN_SETS)}.",
            remedy="Correct data.source in trilho.yaml, for example sklearn:iris.",
        )
    return Source(text=text, reader="sklearn", name=name, address=name)


def _sql_name(text: str) -> str:
    """The table, else the database; never what lies before the host."""
    address, _, table = text.rpartition("#")
    if table and address and "@" not in table:
        return table
    return Path(re.split(r"[?#]", text.rpartition("@")[2])[0]).stem or "query"


def _is_pattern(text: str) -> bool:
    return any(sign in text for sign in "*?[")
