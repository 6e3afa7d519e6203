""".env of a team's server: settings and secrets, written once. A line that is there never changes."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from trilho.deploy.folder import Written
from trilho.private_files import write_private

NAME = PurePosixPath(".env")

# What the options of trilho deploy compose decide. All other lines are for people alone to change.
_OF_OPTIONS = (
    "PUBLISH",
    "MLFLOW_SERVER_ALLOWED_HOSTS",
    "TRILHO_AUTH",
    "TRILHO_API_KEYS",
    "PROJECT_FOLDER",
)
_SECRET = ("TRILHO_API_KEYS",)
_SECRET_BYTES = 20
_HIDDEN = "…"
_LINE = re.compile(r"(?m)^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=(.*)$")


def write_env(folder: Path, render: Callable[[Callable[[], str]], str], *, complete: bool) -> Written:
    """Write .env into `folder`, for its owner's eyes only, or add to the one there what it lacks.

    Args:
        render: The text, from what makes a secret.
        complete: Add what is missing; not where compose.yml stays as it was, which has no use for it.
    """
    file = folder / NAME
    text = render(_new_secret)
    try:
        there = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        write_private(file, text)
        return Written(folder=folder, written=(NAME,))
    known, wanted = _values(there), _values(render(lambda: _HIDDEN))
    unlike = {
        name: (_HIDDEN if known[name] and name in _SECRET else known[name], wanted[name])
        for name in _OF_OPTIONS
        if name in known and name in wanted and _differs(known[name], wanted[name])
    }
    missing = [line for line in text.splitlines() if (name := _LINE.match(line)) and name[1] not in known]
    if not missing or not complete:
        return Written(folder=folder, same=(NAME,), unlike=unlike)
    write_private(file, there.rstrip("\n") + "\n\n# Added for a later compose.yml\n" + "\n".join(missing) + "\n")
    return Written(folder=folder, written=(NAME,), unlike=unlike)


# ----------------------------------------------------------------------------------------------------------------------


def _new_secret() -> str:
    return secrets.token_hex(_SECRET_BYTES)  # no sign that an address or a shell reads in its own way


def _values(text: str) -> dict[str, str]:
    return {name: value.strip().strip("\"'") for name, value in _LINE.findall(text)}


def _differs(known: str, wanted: str) -> bool:
    return not known if wanted == _HIDDEN else known != wanted
