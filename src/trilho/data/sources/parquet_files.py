"""Parquet: one file, or many that are read as one table; folders like year=2026/ become columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from trilho.data.files import Files
from trilho.data.problems import Problem, did_you_mean, listed, report
from trilho.data.sources.table import Table
from trilho.errors import BadData, SourceUnreadable


def read_parquet(files: Files, options: Mapping[str, Any]) -> Table:
    """All rows of all files, one after the other; number types are widened to hold every file's.

    Args:
        files: At least one file.
        options: columns (those to read).

    Raises:
        SourceUnreadable: a file is damaged or no Parquet; it is named.
        BadData: the files differ in their columns or in what a column holds; file and column are named.
    """
    footers = [_footer(path) for path in files.paths]
    schemas = [footer.schema.to_arrow_schema() for footer in footers]
    sizes = [int(footer.num_rows) for footer in footers]
    wanted = [str(name) for name in options["columns"]] if options.get("columns") else None
    schema = _unified(files, schemas, wanted)
    try:
        table = _dataset(files, schema).to_table(columns=wanted)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(files, error) from error
    # Column by column, each given free once it is converted: two million rows do not lie in memory twice.
    frame: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True, ignore_metadata=True)
    del table

    def where(rows: Sequence[int]) -> list[str]:
        return _places(files, sizes, rows)

    return Table(frame=frame, where=where)


def _dataset(files: Files, schema: Any) -> Any:
    """All files with one schema, and with a column for each folder like year=2026/."""
    known: dict[str, Any] = {"format": "parquet", "partition_base_dir": files.folder.as_posix()}
    known["partitioning"] = ds.partitioning(flavor="hive")
    paths = [path.as_posix() for path in files.paths]
    folders = _hive_columns(files)
    if folders:
        seen = ds.dataset(paths, **known).schema
        schema = pa.schema([*schema, *(seen.field(name) for name in folders if name not in schema.names)])
    return ds.dataset(paths, schema=schema, **known)


def _hive_columns(files: Files) -> list[str]:
    folders = {part for name in files.names for part in name.split("/")[:-1] if "=" in part}
    return sorted({part.partition("=")[0] for part in folders})


def _footer(path: Path) -> Any:
    try:
        return pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        empty = path.stat().st_size == 0
        raise SourceUnreadable(
            f"{path} is {'empty' if empty else 'not a whole Parquet file'}.",
            why="" if empty else str(error).splitlines()[0],
            remedy="Write the file again; one that is still being written has no end yet.",
        ) from error


def _unified(files: Files, schemas: Sequence[Any], wanted: Sequence[str] | None) -> Any:
    """One schema for all files, or an error that names every file that does not fit the first."""
    problems = _twice(files, schemas)
    partitions = _hive_columns(files)
    expected = [name for name in schemas[0].names if wanted is None or name in wanted]
    for name in wanted or ():
        if name not in schemas[0].names and name not in partitions:
            known = [*schemas[0].names, *partitions]
            problems.append(
                Problem(
                    what=f"data.options.columns names '{name}', which is not there.{did_you_mean(name, known)}",
                    remedy=f"Correct data.options.columns; there are: {listed(known)}.",
                )
            )
    types = {name: schemas[0].field(name).type for name in expected} if not problems else {}
    for file, schema in list(zip(files.names, schemas, strict=True))[1:] if not problems else []:
        problems += _columns_differ(files.names[0], expected, file, schema, wanted)
        for name in expected:
            if name in schema.names:
                types[name], problem = _widened(name, types[name], schema.field(name).type, file)
                problems += [problem] if problem else []
    if problems:
        report(files.source, problems)
    return pa.schema(list(types.items()))


def _twice(files: Files, schemas: Sequence[Any]) -> list[Problem]:
    return [
        Problem(
            what=f"column '{name}' appears {schema.names.count(name)} times in {file}.",
            remedy=f"Write {file} again with names that differ.",
        )
        for file, schema in zip(files.names, schemas, strict=True)
        for name in sorted({name for name in schema.names if schema.names.count(name) > 1})
    ]


def _columns_differ(
    first: str, expected: Sequence[str], file: str, schema: Any, wanted: Sequence[str] | None
) -> list[Problem]:
    lost = [name for name in expected if name not in schema.names]
    new = [name for name in schema.names if name not in expected and wanted is None]
    remedy = "Write the files with the same columns, or list those that all have in data.options.columns."
    problems = [Problem(what=f"{file} lacks column {listed(lost)}, which {first} has.", remedy=remedy)] if lost else []
    if new:
        problems.append(Problem(what=f"{file} has column {listed(new)}, which {first} lacks.", remedy=remedy))
    return problems


def _widened(name: str, before: Any, here: Any, file: str) -> tuple[Any, Problem | None]:
    if before == here:
        return before, None
    try:
        both = pa.unify_schemas([pa.schema({name: before}), pa.schema({name: here})], promote_options="permissive")
        return both.field(name).type, None
    except pa.ArrowException:
        problem = Problem(
            what=f"column '{name}' is {here} in {file} and {before} in the files before it.",
            remedy=f"Write '{name}' with one type in all files, or leave it out of data.options.columns.",
        )
        return before, problem


def _places(files: Files, sizes: Sequence[int], rows: Sequence[int]) -> list[str]:
    places = []
    for row in rows:
        place, start = 0, 0
        while row - start >= sizes[place]:
            start += sizes[place]
            place += 1
        prefix = f"{files.names[place]} " if len(sizes) > 1 else ""
        places.append(f"{prefix}row {row - start + 1}")
    return places


def _damaged(files: Files, error: Exception) -> SourceUnreadable | BadData:
    """Look for the file that cannot be read: the error over all of them does not name it."""
    for path in files.paths:
        try:
            pq.read_table(path, partitioning=None)
        except (pa.ArrowException, OSError) as own:
            return SourceUnreadable(
                f"{path} is damaged.", why=str(own).splitlines()[0], remedy="Write the file again, or leave it out."
            )
    return BadData(
        f"{files.source}: the files do not fit together.",
        why=str(error).splitlines()[0],
        remedy="Write the files with the same columns and types.",
    )
