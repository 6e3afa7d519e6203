"""errors.md: the tree of errors, what each means, how a shell sees it, and who raises it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from pathlib import Path

import trilho
from generating.markdown import one_line, table
from trilho import errors
from trilho.cli.exits import exit_code_of

_HEAD = """# Errors

Every error that trilho raises on purpose is a `trilho.TrilhoError`. Its text says what happened, what state things are
in now, why, and what to do; these are its attributes `what`, `state`, `why` and `remedy`. Anything else that is raised
is a mistake in trilho."""


def errors_page() -> str:
    tree = textwrap.dedent(inspect.cleandoc(errors.__doc__ or "").split("\n\n")[1])
    rows = [
        (
            f"`{name}`",
            one_line(getattr(errors, name)),
            f"`{exit_code_of(getattr(errors, name)('', remedy=''))}`",
            ", ".join(sorted(rooms)),
        )
        for name, rooms in made_in().items()
    ]
    return "\n\n".join([_HEAD, f"```\n{tree}\n```", table(("error", "means", "exit code", "raised by"), rows)])


def made_in() -> dict[str, set[str]]:
    """Error → the rooms whose code makes one, in the order of errors.py; the root is left out."""
    found: dict[str, set[str]] = {
        name: set()
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.TrilhoError) and kind is not errors.TrilhoError
    }
    source = Path(trilho.__file__).parent
    for file in source.rglob("*.py"):
        room = file.relative_to(source).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in found:
                found[node.func.id].add(room)
    return found
