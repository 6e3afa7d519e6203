"""Where in a file the row is that does not fit."""

from __future__ import annotations

from pathlib import Path

from trilho.errors import CannotPredict


def located(error: CannotPredict, source: Path, *, before: int, csv: tuple[str, str] | None) -> CannotPredict:
    """The error that names file, row and column.

    Args:
        error: Its row counts from 0 in the piece that was answered.
        before: Rows of the file before that piece.
        csv: Separator and encoding of a CSV, where a reader looks for a line; None for other files.
    """
    where, what = str(source), error.what
    row = None if error.row is None else before + error.row
    if row is not None:
        where = f"{source}, {_line(source, row, *csv) if csv else f'row {row + 1}'}"
        what = what.replace(f", row {error.row}:", ":", 1)  # counted in the piece, which nobody else knows of
    return CannotPredict(
        f"{where}: {what}",
        state="Nothing was written.",
        why=error.why,
        remedy=error.remedy,
        column=error.column,
        row=row,
    )


# ----------------------------------------------------------------------------------------------------------------------


def _line(source: Path, row: int, separator: str, encoding: str) -> str:
    from trilho.data.sources.csv_lines import Layout, line_numbers

    tabs = separator == "," and source.suffix.lower() == ".tsv"
    layout = Layout.of(source, {"separator": "\t" if tabs else separator, "encoding": encoding})
    [place] = line_numbers([layout], [row + 1], [row])
    return place
