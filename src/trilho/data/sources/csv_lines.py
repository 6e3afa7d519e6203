"""A text table line by line: its header, the line on which a row stands, the byte that cannot be decoded."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from trilho.data.source import ending_of, require_option_values
from trilho.errors import SourceUnreadable


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How one file is written."""

    path: Path
    separator: str
    encoding: str
    quote: str
    names: tuple[str, ...] | None  # the columns of a file without a header

    @staticmethod
    def of(path: Path, options: Mapping[str, Any]) -> Layout:
        require_option_values(path.name, options)  # `trilho new` comes here before anything else looks at them
        tabs = ending_of(path.name).startswith(".tsv")
        names = options.get("names")
        separator = str(options.get("separator", "\t" if tabs else ",")).replace("\\t", "\t")
        quote = str(options.get("quote", '"'))
        return Layout(
            path=path,
            separator=separator,
            encoding=str(options.get("encoding", "utf-8")),
            quote=quote,
            names=tuple(str(name) for name in names) if names else None,
        )

    @property
    def shown_separator(self) -> str:
        return "\\t" if self.separator == "\t" else self.separator


def header_of(layout: Layout) -> list[str]:
    """The fields of the first line that is not blank; empty for a file without any."""
    return next(iter(records_of(layout, 1)), [])


def records_of(layout: Layout, most: int) -> list[list[str]]:
    """The first `most` lines that are not blank, the header among them, each as its fields."""
    with _opened(layout) as file:
        return [row for _, row in islice(_records(file, layout), most)]


def line_numbers(layouts: Sequence[Layout], sizes: Sequence[int], rows: Sequence[int]) -> list[str]:
    """Where rows stand, as "line 17", with the file's name where there are many.

    Args:
        layouts: The files, in the order they were read.
        sizes: How many rows each had.
        rows: Counted from 0 over all files.
    """
    places: dict[int, str] = {}
    start = 0
    for layout, size in zip(layouts, sizes, strict=True):
        mine = sorted(row - start for row in rows if start <= row < start + size)
        prefix = f"{layout.path.name} " if len(layouts) > 1 else ""
        for row, line in zip(mine, _lines(layout, mine), strict=True):
            places[start + row] = f"{prefix}line {line}" if line else f"{prefix}row {row + 1}"
        start += size
    return [places[row] for row in rows]


def undecodable(layout: Layout) -> SourceUnreadable:
    """The error for a file that is not in the encoding it was read with: which byte, on which line, what it may be."""
    raw = _bytes(layout.path)
    try:
        raw.decode(layout.encoding)
        at, reason = 0, "it begins with a byte order mark of another encoding"
    except UnicodeError as error:
        at = getattr(error, "start", 0)
        reason = f"byte {at} is 0x{raw[at]:02x}" if at < len(raw) else str(error)
    line = raw.count(b"\n", 0, at) + 1
    start = raw.rfind(b"\n", 0, at) + 1
    end = raw.find(b"\n", at)
    sample = raw[start : end if end >= 0 else len(raw)][:80]
    likely = _likely_encoding(raw)
    shown = (
        f" Read as {likely}, that line is: '{sample.decode(likely, 'replace').strip()}'." if likely[:3] != "utf" else ""
    )
    return SourceUnreadable(
        f"{layout.path}, line {line} is not {layout.encoding}: {reason}.{shown}",
        remedy=f"Set data.options.encoding: {likely} in trilho.yaml.",
    )


def likely_encoding(path: Path) -> str:
    """The encoding that decodes all of a file: utf-8 if it does, else the likeliest other one."""
    return _likely_encoding(_bytes(path))


def _lines(layout: Layout, rows: Sequence[int]) -> list[int]:
    """The line on which each row begins; 0 where it cannot be told."""
    found: list[int] = []
    if not rows:
        return found
    try:
        with _opened(layout) as file:
            offset = 0 if layout.names is not None else 1
            for number, (line, _) in enumerate(_records(file, layout)):
                if number - offset == rows[len(found)]:
                    found.append(line)
                    if len(found) == len(rows):
                        break
    except (csv.Error, OSError, UnicodeError):
        pass  # a message with a row number is better than another error in its place
    return found + [0] * (len(rows) - len(found))


def _records(file: TextIO, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """Records that are not blank, each with the number of its first line."""
    reader = csv.reader(file, delimiter=layout.separator, quotechar=layout.quote)
    line = 1
    for record in reader:
        if len(record) > 1 or (record and record[0].strip()):
            yield line, record
        line = reader.line_num + 1


def _opened(layout: Layout) -> TextIO:
    # "utf-8-sig" reads a file with a byte order mark and one without.
    plain = codecs.lookup(layout.encoding).name == "utf-8"
    encoding = "utf-8-sig" if plain else layout.encoding
    if layout.path.name.lower().endswith(".gz"):
        return io.TextIOWrapper(gzip.open(layout.path, "rb"), encoding=encoding, newline="")
    return layout.path.open(encoding=encoding, newline="")


def _bytes(path: Path) -> bytes:
    if path.name.lower().endswith(".gz"):
        with gzip.open(path, "rb") as file:
            return file.read()
    return path.read_bytes()


def _likely_encoding(raw: bytes) -> str:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8", "cp1252"):
        try:
            raw.decode(encoding)
            return encoding
        except UnicodeError:
            continue
    return "latin-1"
