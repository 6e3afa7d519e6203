"""How a text table is written, as far as its content proves it: encoding, separator, the signs in its numbers.

For `trilho new`, which writes what it finds into trilho.yaml. A run reads a file as trilho.yaml says and never guesses.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trilho.data.files import files_of
from trilho.data.missing_words import MISSING_WORDS
from trilho.data.source import parse
from trilho.data.sources.csv_lines import Layout, likely_encoding, records_of
from trilho.errors import TrilhoError

RECORDS = 50_000  # looked at, from the beginning

_SIGNS = (",", ";", "\t", "|")
_THOUSANDS = {",": re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?"), ".": re.compile(r"[+-]?\d{1,3}(\.\d{3})+(,\d+)?")}
_PLAIN = re.compile(r"[+-]?(\d+|\d*[.,]\d+)")
# What only one way of writing numbers can mean: "1,045" and "1.045" prove nothing, "0.045" and "1,234,567" do.
_POINT_IS_DECIMAL = re.compile(
    r"[+-]?(\d*\.(\d{1,2}|\d{4,})|(0|\d{4,})?\.\d+|\d{1,3}(,\d{3})+\.\d+|\d{1,3}(,\d{3}){2,})"
)
_COMMA_IS_DECIMAL = re.compile(
    r"[+-]?(\d*,(\d{1,2}|\d{4,})|(0|\d{4,})?,\d+|\d{1,3}(\.\d{3})+,\d+|\d{1,3}(\.\d{3}){2,})"
)


def dialect(source: str, *, root: Path, options: Mapping[str, Any]) -> dict[str, str]:
    """The `data.options` that a source in text needs and nobody has given; nothing where the defaults read it.

    Args:
        source: As in `data.source`; of several files the first is looked at.
        root: Where relative paths start.
        options: What is given already; it is followed and not returned.

    Returns:
        Of encoding, separator, decimal and thousands those that differ from the defaults. Nothing for a source of
        another kind, and for one that cannot be read: reading it says why.
    """
    try:
        found = parse(source, root)
        files = files_of(found) if found.reader in ("csv", "files") else None
        if files is None or files.reader != "csv":
            return {}
        return _dialect(files.paths[0], options)
    except (TrilhoError, OSError, EOFError, UnicodeError, LookupError, csv.Error):
        return {}


def _dialect(path: Path, options: Mapping[str, Any]) -> dict[str, str]:
    made: dict[str, str] = {}
    if "encoding" not in options:
        encoding = likely_encoding(path)
        made |= {"encoding": encoding} if encoding != "utf-8" else {}
    layout = Layout.of(path, {**options, **made})
    header = next(iter(records_of(layout, 1)), [])
    if "separator" not in options and len(header) == 1:
        likely = max(_SIGNS, key=header[0].count)
        made |= {"separator": likely} if likely in header[0] else {}
    if "decimal" not in options and "thousands" not in options:
        made |= _signs(records_of(Layout.of(path, {**options, **made}), RECORDS)[0 if layout.names else 1 :])
    return made


def _signs(records: list[list[str]]) -> dict[str, str]:
    """Decimal and thousands sign, proved by the columns of nothing but numbers; {} where they contradict each other."""
    columns = [{value.strip() for value in column} - MISSING_WORDS for column in zip(*records, strict=False)]
    numbers = set().union(*filter(_are_numbers, columns))
    others = [column for column in columns if not _are_numbers(column)]
    point = any(map(_POINT_IS_DECIMAL.fullmatch, numbers))
    comma = any(map(_COMMA_IS_DECIMAL.fullmatch, numbers))
    if point == comma:
        return {}
    made = {} if point else {"decimal": ","}
    sign = "," if point else "."
    if any(map(_THOUSANDS[sign].fullmatch, numbers)) and not any(_would_be_numbers(column, sign) for column in others):
        made["thousands"] = sign
    return made


def _are_numbers(values: set[str]) -> bool:
    """Each is a number in some way of writing it."""
    ways = (_PLAIN, *_THOUSANDS.values())
    return all(any(way.fullmatch(value) for way in ways) for value in values)


def _would_be_numbers(values: set[str], thousands: str) -> bool:
    """Dates such as 31.12.2026 and lists such as 1,2,3 would be read as numbers without this sign."""
    return all(_PLAIN.fullmatch(value.replace(thousands, "")) for value in values)
