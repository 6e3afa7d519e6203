"""One file for each kind of source; `read` picks it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from trilho.data.files import Files
from trilho.data.source import Source
from trilho.data.sources.table import Table


def read(
    source: Source, files: Files | None, *, root: Path, options: Mapping[str, Any], words: Collection[str] = ()
) -> Table:
    """The rows of `source`, as its reader gives them.

    Args:
        source: What to read.
        files: Its files, for a source that has some.
        root: The project's folder: where a function is imported from and a relative database lies.
        options: The reader's options, known to be allowed.
        words: Columns that shall hold words, even where a text file's digits look like numbers.

    Raises:
        SourceUnreadable: it cannot be opened, or not be decoded.
        BadData: it was read and holds no table.
        MissingExtra: a database driver is not installed.
    """
    if files is not None and files.reader == "csv":
        from trilho.data.sources.csv_files import read_csv

        return read_csv(files, options, words)
    if files is not None:
        from trilho.data.sources.parquet_files import read_parquet

        return read_parquet(files, options)
    if source.reader == "sklearn":
        from trilho.data.sources.sklearn_sets import read_sklearn

        return read_sklearn(source.name)
    if source.reader == "sql":
        from trilho.data.sources.sql_tables import read_sql

        return read_sql(source, root, options)
    from trilho.data.sources.functions import call

    return call(source.address, root, options)
