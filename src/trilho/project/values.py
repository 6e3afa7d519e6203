"""One value against its setting: the right type, within its limits, one of the allowed words."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from trilho.importer import place_of
from trilho.project.mistakes import Mistake
from trilho.project.names import did_you_mean
from trilho.project.tree import Node
from trilho.settings import MAPPINGS, Setting, parse_duration
from trilho.shown_address import without_password

IMPORT_STRING = r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*|[^\W\d]\w*(\.[^\W\d]\w*)+"


def mistakes_in(setting: Setting, node: Node) -> Iterator[Mistake]:
    """What is wrong with a value; nothing where it is fine. No value (null) always means the default."""
    if node.content is None:
        return
    if setting.kind in MAPPINGS:
        yield from _in_mapping(setting, node)
        return
    if setting.kind == "list":
        yield from _in_list(setting, node)
        return
    try:
        convert(setting, node.content)
    except ValueError as error:
        yield Mistake(node.origin, f"{setting.name} {error}")


def convert(setting: Setting, value: Any) -> Any:
    """A plain value as the program uses it: durations in seconds, folders as Path, lists as tuples.

    Raises:
        ValueError: it does not fit; the message continues a sentence that starts with the setting's name.
    """
    kind = setting.kind
    if kind in MAPPINGS:
        return value if kind == "mapping" else {str(key): one for key, one in value.items() if one is not None}
    if kind == "list":
        return tuple(dict.fromkeys(value))
    if kind == "value":
        return _scalar(value)
    if kind == "boolean":
        if not isinstance(value, bool):
            raise ValueError(f"is {_shown(value)}; write true or false.")
        return value
    if kind in ("integer", "number", "share"):
        return _number(setting, value)
    if kind == "duration":
        return _duration(setting, value)
    text = _text(value)
    if kind == "choice" and text not in setting.choices:
        near = did_you_mean(text, setting.choices)
        raise ValueError(f"is '{text}'.{near} Allowed: {', '.join(setting.choices)}.")
    if kind == "import":
        _require_import(text, setting.choices)
    if kind == "address":
        return _address(text)
    return Path(text) if kind == "path" else text


def _in_mapping(setting: Setting, node: Node) -> Iterator[Mistake]:
    if not isinstance(node.content, dict):
        yield Mistake(node.origin, f"{setting.name} is {_shown(node.content)}; a mapping is expected: {{name: value}}.")
        return
    for key, child in node.content.items():
        name = f"{setting.name}.{key}"
        if setting.kind == "imports" and str(key) not in setting.choices:
            near = did_you_mean(str(key), setting.choices)
            yield Mistake(child.origin, f"{name}: there is no {key}.{near} Allowed: {', '.join(setting.choices)}.")
            continue
        if child.content is None and setting.kind != "mapping":  # taken out, by a profile or a flag
            continue
        try:
            if setting.kind == "numbers":
                _finite(child.content)
            elif setting.kind == "imports":
                _require_import(_text(child.content))
            elif setting.kind == "texts" and (text := _text(child.content)) not in setting.choices:
                near = did_you_mean(text, setting.choices)
                raise ValueError(f"is '{text}'.{near} Allowed: {', '.join(setting.choices)}.")
        except ValueError as error:
            yield Mistake(child.origin, f"{name} {error}")


def _in_list(setting: Setting, node: Node) -> Iterator[Mistake]:
    if not isinstance(node.content, list):
        example = setting.choices[0] if setting.choices else node.content if isinstance(node.content, str) else "name"
        yield Mistake(node.origin, f"{setting.name} is {_shown(node.content)}; a list is expected: [{example}].")
        return
    for item in node.content:
        try:
            text = _text(item.content)
        except ValueError as error:
            yield Mistake(item.origin, f"{setting.name}: an item {error}")
            continue
        if setting.choices and text not in setting.choices:
            near = did_you_mean(text, setting.choices)
            yield Mistake(
                item.origin, f"{setting.name}: there is no {text}.{near} Allowed: {', '.join(setting.choices)}."
            )


def _scalar(value: Any) -> Any:
    if isinstance(value, (list, dict)):
        raise ValueError(f"is {_shown(value)}; one value is expected.")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"is {value}; a label is expected.")
    return value


def _text(value: Any) -> str:
    if isinstance(value, str):
        if not value.strip():
            raise ValueError("is empty.")
        return value
    if isinstance(value, (bool, int, float)):
        raise ValueError(f'is {_shown(value)}; text is expected, so write it in quotes: "{_written(value)}".')
    raise ValueError(f"is {_shown(value)}; text is expected.")


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"is {_shown(value)}; a number is expected.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"is {_shown(value)}; a finite number is expected.")
    return number


def _number(setting: Setting, value: Any) -> Any:
    if setting.kind == "integer" and (isinstance(value, bool) or not isinstance(value, int)):
        raise ValueError(f"is {_shown(value)}; a whole number is expected.")
    number = _finite(value)
    _require_within(setting, number, _written(value))
    return value if setting.kind == "integer" else number


def _duration(setting: Setting, value: Any) -> float:
    try:
        seconds = parse_duration(value) if isinstance(value, str) else None
    except ValueError:
        seconds = None
    if seconds is None:
        raise ValueError(f"is {_shown(value)}; a number with ms, s, m, h or d is expected, for example 2s or 24h.")
    _require_within(setting, seconds, value)
    return seconds


def _require_within(setting: Setting, number: float, written: str) -> None:
    limits = {
        "at least": (setting.at_least, operator.ge),
        "above": (setting.above, operator.gt),
        "at most": (setting.at_most, operator.le),
        "below": (setting.below, operator.lt),
    }
    if any(limit is not None and not holds(number, limit) for limit, holds in limits.values()):
        words = " and ".join(f"{word} {limit:.12g}" for word, (limit, _) in limits.items() if limit is not None)
        raise ValueError(f"is {written}; it must be {words}.")


def _require_import(text: str, built_in: tuple[str, ...] = ()) -> None:
    if text in built_in or re.fullmatch(IMPORT_STRING, text):
        return
    allowed = f"Allowed: {', '.join(built_in)}, or an" if built_in else "Write it as an"
    place = place_of(text) if text[:1].isupper() and not built_in else ""
    near = f" Did you mean {place}?" if place else did_you_mean(text, built_in)
    raise ValueError(f"is '{text}'.{near} {allowed} import string such as package.module:name.")


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        (parts.hostname or "").encode("idna")  # an empty or too long part of a name ends a resolver, too
    except ValueError:
        fine = False
    if not fine or re.search(r"\s", text):
        raise ValueError(
            f"is '{without_password(text)}'; the address of a tracking server is expected, such as http://host:5000. "
            "Without one, trilho runs a local server over SQLite and a folder."
        )
    return text.rstrip("/")


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    try:
        return f"{value:.40}" if isinstance(value, str) else f"{value}"
    except ValueError:  # an integer of more digits than Python prints
        return "a very long number"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return _written(value)
    if isinstance(value, (int, float)):
        return f"the number {_written(value)}"
    return "empty" if value is None else f"the text '{value:.40}'"
