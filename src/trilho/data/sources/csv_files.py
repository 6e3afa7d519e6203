"""Tables in text: .csv and .tsv, plain or gzipped, one file or many with the same columns."""

from __future__ import annotations

import csv
import gzip
import re
import warnings
import zlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from trilho.data.files import Files
from trilho.data.problems import Problem, did_you_mean, listed, report
from trilho.data.sources.csv_lines import Layout, header_of, line_numbers, undecodable
from trilho.data.sources.table import Table
from trilho.errors import BadData, SourceUnreadable

# A zero in front, a plus, or more digits than a float keeps.
_MORE_THAN_A_NUMBER = re.compile(r"^\s*(?:\+|-?0\d|-?\d{16,})")


def read_csv(files: Files, options: Mapping[str, Any], words: Collection[str] = ()) -> Table:
    """All rows of all files, one after the other.

    Args:
        files: At least one file.
        options: separator (","; tab for .tsv), encoding ("utf-8", with or without a byte order mark), decimal ("."),
            thousands, quote ('"'), na_values (further words for a missing value), names (the columns of a file without
            a header), columns (those to read).
        words: Columns that shall hold words. Those that look like numbers are read as they are written where a number
            would lose some of it (00123, +351, 12345678901234567890) or make one value of two (1.1 and 1.10).

    Raises:
        SourceUnreadable: wrong encoding (names the byte and the line), damaged archive, lines of different lengths.
        BadData: an empty file, duplicate columns, the wrong separator, files with different columns.
    """
    layouts = [Layout.of(path, options) for path in files.paths]
    headers = [_checked_header(layout, options) for layout in layouts]
    for layout, header in zip(layouts, headers, strict=True):
        _require_same(layouts[0], headers[0], layout, header)
    frames = [_parsed(layout, header, options) for layout, header in zip(layouts, headers, strict=True)]
    frames = _with_words(frames, layouts, headers, options, words)
    frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    sizes = [len(part) for part in frames]

    def where(rows: Sequence[int]) -> list[str]:
        return line_numbers(layouts, sizes, rows)

    return Table(frame=frame, where=where)


def _checked_header(layout: Layout, options: Mapping[str, Any]) -> list[str]:
    try:
        header = header_of(layout)
    except UnicodeError as error:
        raise undecodable(layout) from error
    except LookupError as error:
        raise SourceUnreadable(
            f"{layout.path}: '{layout.encoding}' is not an encoding that Python knows.",
            remedy="Correct data.options.encoding in trilho.yaml, for example utf-8, cp1252, latin-1 or utf-16.",
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(layout.path, error) from error
    except (csv.Error, OSError) as error:
        raise _unparsable(layout, error) from error
    if not header:
        raise BadData(f"{layout.path} is empty.", remedy="Put rows into it, or correct data.source in trilho.yaml.")
    if layout.names is not None and len(layout.names) != len(header):
        raise BadData(
            f"{layout.path} has {len(header)} columns, data.options.names has {len(layout.names)}.",
            remedy="Name every column in data.options.names.",
        )
    names = list(layout.names or header)
    if len(names) == 1:
        _require_separator(layout, names[0])
    wanted = [name for name in _columns(options) if name not in names]
    problems = [
        Problem(
            what=f"data.options.columns names '{name}', which is not in the file.{did_you_mean(name, names)}",
            remedy=f"Correct data.options.columns; the file has: {listed(names)}.",
        )
        for name in wanted
    ]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    problems += [
        Problem(
            what=f"column '{name}' appears {names.count(name)} times in the header.",
            remedy=f"Give each '{name}' a name of its own in the file's first line.",
        )
        for name in twice
    ]
    if problems:
        report(str(layout.path), problems)
    return names


def _require_separator(layout: Layout, line: str) -> None:
    signs = {";": ";", "\t": "\\t", "|": "|", ",": ","}
    likely = max(signs, key=line.count)
    if likely in line and likely != layout.separator:
        raise BadData(
            f"{layout.path} has one column only, called '{line}': its separator is not '{layout.shown_separator}'.",
            remedy=f'Set data.options.separator: "{signs[likely]}" in trilho.yaml.',
        )


def _require_same(first: Layout, expected: list[str], layout: Layout, header: list[str]) -> None:
    if set(expected) == set(header):
        return
    lost = [name for name in expected if name not in header]
    new = [name for name in header if name not in expected]
    facts = [f"lacks {listed(lost)}"] if lost else []
    facts += [f"has {listed(new)} besides"] if new else []
    raise BadData(
        f"{layout.path} {' and '.join(facts)}, compared with {first.path.name}.",
        remedy="Files that are read as one table need the same columns: correct them, or narrow data.source.",
    )


def _with_words(
    frames: list[pd.DataFrame],
    layouts: list[Layout],
    headers: list[list[str]],
    options: Mapping[str, Any],
    words: Collection[str],
) -> list[pd.DataFrame]:
    """The columns `words` as they are written, in all files, where one of them holds what a number would lose."""
    numeric = [name for name in words if any(name in part and part[name].dtype.kind in "iuf" for part in frames)]
    if not numeric:
        return frames
    written = [_parsed(layout, header, options, numeric) for layout, header in zip(layouts, headers, strict=True)]
    lost = [name for name in numeric if _is_lost([part[name] for part in written], [part[name] for part in frames])]
    return [frame.assign(**{name: part[name] for name in lost}) for frame, part in zip(frames, written, strict=True)]


def _is_lost(written: Sequence[pd.Series[Any]], read: Sequence[pd.Series[Any]]) -> bool:
    """Whether a column, a part of it from each file, says more as it is written than as it was read."""
    if any(part.astype("string").str.contains(_MORE_THAN_A_NUMBER, na=False).any() for part in written):
        return True
    pairs: set[tuple[str, Any]] = set()
    for texts, values in zip(written, read, strict=True):
        both = pd.DataFrame({"text": texts, "value": values}).dropna().drop_duplicates()
        # Blanks around a number are how a file is laid out, not another value.
        pairs.update((str(text).strip(), value) for text, value in zip(both["text"], both["value"], strict=True))
    return not len({text for text, _ in pairs}) == len({value for _, value in pairs}) == len(pairs)


def _columns(options: Mapping[str, Any]) -> list[str]:
    return [str(name) for name in options.get("columns") or ()]


def _parsed(
    layout: Layout, header: list[str], options: Mapping[str, Any], as_written: Sequence[str] = ()
) -> pd.DataFrame:
    """The columns asked for; or those of `as_written` as text, of a file that was read before."""
    na_values = options.get("na_values")
    reading: dict[str, Any] = {
        "sep": layout.separator,
        "encoding": layout.encoding,
        "quotechar": layout.quote,
        "decimal": str(options.get("decimal", ".")),
        "thousands": options.get("thousands"),
        "na_values": [str(word) for word in (na_values if isinstance(na_values, (list, tuple)) else [na_values])]
        if na_values is not None
        else None,
        "names": header if layout.names is not None else None,
        "header": None if layout.names is not None else 0,
        # With usecols pandas counts no fields: a line with one too many is read shifted. So all columns are read and
        # the rest is dropped below; a second reading may choose, because the first has refused such a file.
        "usecols": list(as_written) or None,
        "dtype": str if as_written else None,
        "index_col": False,  # else a first line that is one too short turns a column into the index
        "low_memory": False,  # one type per column, not one per chunk
    }
    if pd.__version__ < "3":  # later ones always read the nearest number
        reading["float_precision"] = "round_trip"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame: pd.DataFrame = pd.read_csv(layout.path, **reading)
    except UnicodeError as error:
        raise undecodable(layout) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(layout.path, error) from error
    except pd.errors.ParserWarning as error:
        raise SourceUnreadable(
            f"{layout.path}: its lines have more fields than its header has names ({len(header)}).",
            remedy="Complete the header, or remove the separator at the end of each line.",
        ) from error
    except (pd.errors.ParserError, OSError) as error:
        raise _unparsable(layout, error) from error
    wanted = _columns(options)
    return frame[wanted] if wanted and not as_written else frame


def _unparsable(layout: Layout, error: Exception) -> SourceUnreadable:
    counted = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
    if counted:
        expected, line, seen = counted.groups()
        return SourceUnreadable(
            f"{layout.path}, line {line} has {seen} fields, the header has {expected}.",
            remedy=f"Put values that contain '{layout.shown_separator}' into {layout.quote}quotes{layout.quote}, "
            "or set data.options.separator in trilho.yaml.",
        )
    return SourceUnreadable(
        f"{layout.path} cannot be read as text in columns: {str(error).strip()}",
        remedy="Look for an unclosed quote, or set data.options.quote and data.options.separator in trilho.yaml.",
    )


def _damaged(path: Path, error: Exception) -> SourceUnreadable:
    return SourceUnreadable(
        f"{path} is a damaged gzip file: {error}.",
        remedy="Fetch or write it again; `gzip -t` tells whether it is whole.",
    )
