"""The project's .env: environment names for this project, beside the environment itself.

What Docker Compose and other tools read from the same file: NAME=value, export NAME=value, quotes, # comments. `$NAME`
in a value stands for itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from trilho.project.mistakes import Mistake
from trilho.settings import SETTINGS, Origin

_ENTRY = re.compile(
    r"""[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*
        (?:'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|(?P<bare>[^\n'"][^\n]*?|))
        [ \t]*(?:(?<=[\s'"])\#[^\n]*)?(?:\n|\Z)""",
    re.VERBOSE | re.DOTALL,
)
_NOTHING = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}

# Settings are laid over each other by `load`, which says where each came from.
_SETTINGS = frozenset(name for setting in SETTINGS for name in setting.env) | {"TRILHO_PROFILE"}

_lent: dict[str, str] = {}  # what this process has from a .env


@dataclass(frozen=True, kw_only=True)
class EnvFile:
    """The names and values of a .env file, and the line of each."""

    values: Mapping[str, str]
    lines: Mapping[str, int]


def read_env_file(root: Path, mistakes: list[Mistake]) -> EnvFile:
    """The .env in a project's folder; nothing where there is none. Lines that are not understood become mistakes."""
    path = root / ".env"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return EnvFile(values={}, lines={})
    except (OSError, UnicodeError) as error:
        mistakes.append(Mistake(Origin(source=".env", detail=str(path)), f"cannot be read: {error}."))
        return EnvFile(values={}, lines={})
    return parse_env_file(text, mistakes)


def lend_env_file(root: Path, environment: MutableMapping[str, str] = os.environ) -> None:
    """Give this process, and those it starts, the names in a project's .env that are no settings: credentials mostly,
    such as AWS_SECRET_ACCESS_KEY, MLFLOW_TRACKING_PASSWORD, TRILHO_API_KEYS, or a ${NAME} in data.source.

    A name that the environment has already, and not empty, is left alone. What another project's .env lent before is
    taken back first.
    """
    for name, value in _lent.items():
        if environment.get(name) == value:
            del environment[name]
    _lent.clear()
    for name, value in read_env_file(root, []).values.items():
        if name not in _SETTINGS and value and "\0" not in value and not environment.get(name):
            environment[name] = _lent[name] = value


def parse_env_file(text: str, mistakes: list[Mistake]) -> EnvFile:
    """The entries of a .env text; where a name comes twice the last one counts."""
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    text = text.replace("\r\n", "\n")
    place = 0
    while place < len(text):
        line = text.count("\n", 0, place) + 1
        if nothing := _NOTHING.match(text, place):
            place = nothing.end()
        elif entry := _ENTRY.match(text, place):
            values[entry["name"]] = _value(entry)
            lines[entry["name"]] = line
            place = entry.end()
        else:
            end = text.find("\n", place)
            name, equals, _ = text[place : end if end >= 0 else len(text)].partition("=")
            origin = Origin(source=".env", detail=f"{name.strip():.30}=…" if equals else "…", line=line)  # no secrets
            mistakes.append(Mistake(origin, "write NAME=value; a value with a quote in it goes in quotes."))
            place = end + 1 if end >= 0 else len(text)
    return EnvFile(values=values, lines=lines)


def _value(entry: re.Match[str]) -> str:
    if entry["single"] is not None:
        return entry["single"]
    if entry["double"] is not None:
        return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), entry["double"], flags=re.DOTALL)
    return (entry["bare"] or "").strip()
