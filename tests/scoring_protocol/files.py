"""CSV and Parquet bodies for `/invocations`."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping

import pandas as pd

from scoring_protocol.values import CSV, PARQUET, Row, Sent, kind_of
from trilho.bundle import Schema

WORDS = (
    "", "NA", "null", "None", "nan", "inf", "-Infinity", "1.5", "3", "3.0", " 3", "3 ", "1_000", "0x10", "1e2", "true",
    "True", "FALSE", "TRUE", "yes", "0", "1", "abc", '"3"', '"a, b"', "2026-01-31", "1,5",
)  # fmt: skip
OTHER_TYPES: Mapping[str, tuple[str, ...]] = {
    "number": ("float32", "int32", "int64", "uint8", "Float64", "Int64", "str", "bool", "category"),
    "whole": ("float64", "int64", "int8", "uint64", "Int32", "str", "bool", "category"),
    "boolean": ("int64", "float64", "boolean", "str", "category"),
    "text": ("category", "object", "string"),
    "time": ("datetime64[ms]", "datetime64[us]", "datetime64[ns, UTC]", "int64", "str", "category"),
}


def every_csv(rows: list[Row], schema: Schema) -> Iterator[Sent]:
    frame = pd.DataFrame(rows)
    plain = frame.to_csv(index=False)
    header, *lines = plain.splitlines()
    wide = len(rows[0])
    made: dict[str, str | bytes] = {
        "plain": plain,
        "one row": f"{header}\n{lines[0]}\n",
        "no newline at the end": plain.rstrip("\n"),
        "CRLF": plain.replace("\n", "\r\n"),
        "CR": plain.replace("\n", "\r"),
        "a byte order mark": b"\xef\xbb\xbf" + plain.encode(),
        "in UTF-16": plain.encode("utf-16"),
        "not UTF-8": plain.encode() + b"\xff",
        "blank lines": "\n" + plain.replace("\n", "\n\n"),
        "lines of spaces": plain.replace("\n", "\n  \n"),
        "all quoted": frame.to_csv(index=False, quoting=1),
        "with its index": frame.to_csv(),
        "extra column": frame.assign(extra='a, "b"\nc').to_csv(index=False),
        "reordered columns": frame[frame.columns[::-1]].to_csv(index=False),
        "missing column": frame.drop(columns=frame.columns[-1]).to_csv(index=False),
        "column twice": pd.concat([frame, frame.iloc[:, :1]], axis=1).to_csv(index=False),
        "another value in the column's repetition": header + f",{frame.columns[0]}\n" + lines[0] + ",77\n",
        "header only": header + "\n",
        "nothing": "",
        "blank lines only": "\n\n",
        "row too short": f"{header}\n{lines[0]}\n{lines[1].rpartition(',')[0]}\n",
        "row too long": f"{header}\n{lines[0]}\n{lines[1]},1\n",
        "all rows too long": f"{header}\n{lines[0]},1\n{lines[1]},1\n",
        "semicolons": plain.replace(",", ";"),
        "spaces after commas": plain.replace(",", ", "),
        "open quote": plain + '"' + lines[0],
        "quote inside a value": f"{header}\n{lines[0]}\n" + lines[1].replace(",", 'a"b,', 1) + "\n",
        "comment": "# rows\n" + plain,
        "NUL": plain + "\x00",
        "quoted header": ",".join(f'"{name}"' for name in header.split(",")) + "\n" + "\n".join(lines),
        "spaces in the header": header.replace(",", " , ") + "\n" + "\n".join(lines),
    }
    for name, found in made.items():
        yield Sent(f"CSV: {name}", found if isinstance(found, bytes) else found.encode(), CSV)
    yield Sent("CSV: content type with charset", plain.encode(), f"{CSV}; charset=utf-8")
    first = {kind_of(name, schema): list(rows[0]).index(name) for name in reversed(schema.names)}
    for kind, place in first.items():
        for word in WORDS:
            cells = [str(value) for value in rows[1].values()]
            cells[place] = word
            if len(cells) == wide:
                yield Sent(f"CSV: {kind} {word!r}", f"{header}\n{lines[0]}\n{','.join(cells)}\n".encode(), CSV)


def every_parquet(rows: list[Row], schema: Schema) -> Iterator[Sent]:
    plain = pd.DataFrame(rows)
    typed = [field for field in schema.fields if field.kind in ("number", "time")]
    frame = plain.astype({field.name: field.dtype for field in typed}).copy()
    first = {kind_of(name, schema): name for name in reversed(schema.names)}
    made: dict[str, pd.DataFrame] = {
        "plain": frame,
        "one row": frame[:1],
        "no rows": frame[:0],
        "extra column": frame.assign(extra=1),
        "reordered columns": frame[frame.columns[::-1]],
        "missing column": frame[frame.columns[:-1]],
        "with an index": frame.set_index(pd.Index([5, 6, 7])),
        "with a column as its index": frame.set_index(frame.columns[0]),
    }
    for kind, name in first.items():
        for dtype in OTHER_TYPES[kind]:
            column = frame[name]
            if dtype.lower().startswith(("int", "uint", "bool")) and kind == "number":
                column = column.round()
            if dtype in ("bool", "int8", "uint8") and kind in ("number", "whole"):
                column = column * 0
            zoned = column.dt.tz_localize("UTC") if dtype.endswith("UTC]") else column.astype(dtype)  # type: ignore[call-overload]
            made[f"{kind} as {dtype}"] = frame.assign(**{name: zoned})
        holes = frame[name].astype(object if kind in ("boolean", "text", "time") else "float64")
        made[f"{kind} with a null"] = frame.assign(**{name: holes.where([True, False, True], None)})
    made["number as date32"] = frame.assign(**{frame.columns[0]: pd.Timestamp("2026-01-31").date()})
    made["number as bytes"] = frame.assign(**{frame.columns[0]: b"1.5"})
    if "text" in first:
        made["text as bytes"] = frame.assign(**{first["text"]: b"Recife"})
    made["number as lists"] = frame.assign(**{frame.columns[0]: [[1.0]] * 3})
    for shown, found in made.items():
        out = io.BytesIO()
        found.to_parquet(out)
        yield Sent(f"Parquet: {shown}", out.getvalue(), PARQUET)
    yield Sent("Parquet: nothing", b"", PARQUET)
    yield Sent("Parquet: CSV", frame.to_csv().encode(), PARQUET)
    yield Sent("Parquet: cut off", out.getvalue()[:-20], PARQUET)
    yield Sent("Parquet: damaged inside", out.getvalue()[:40] + b"\0" * 60 + out.getvalue()[100:], PARQUET)
