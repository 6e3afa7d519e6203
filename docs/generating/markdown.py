"""Tables, docstrings and signatures as Markdown."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterable
from typing import Any

_WIDTH = 88  # of code in the docs, as ruff formats it
_LISTED, _WORDED = ("Args:", "Raises:"), ("Returns:", "Source:", "Example:")


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table; a bar in a cell is escaped."""
    cells = [head, tuple("---" for _ in head), *rows]
    return "\n".join(
        "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in row) + " |" for row in cells
    )


def one_line(thing: object) -> str:
    """The docstring in one line."""
    return " ".join((inspect.getdoc(thing) or "").split())


def docstring(thing: object, hidden: tuple[str, ...] = ()) -> str:
    """A docstring as Markdown: its sections become lists, its examples code. `hidden` arguments are left out."""
    return "\n\n".join(_block(block, hidden) for block in (inspect.getdoc(thing) or "").split("\n\n"))


def signature(name: str, function: Callable[..., Any], hidden: tuple[str, ...] = ()) -> str:
    """`name(…)` as code; a default that is a function is shown as three dots."""
    found = inspect.signature(function)
    shown: list[str] = []
    for parameter in found.parameters.values():
        if parameter.name in (*hidden, "self"):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in shown:
            shown.append("*")
        told = "" if parameter.annotation is parameter.empty else f": {parameter.annotation}"
        default = "" if parameter.default is parameter.empty else f" = {literal(parameter.default)}"
        shown.append(f"{parameter.name}{told}{default}")
    gives = "" if found.return_annotation in (found.empty, "None", None) else f" -> {found.return_annotation}"
    line = f"{name}({', '.join(shown)}){gives}"
    if len(line) > _WIDTH:
        line = "\n".join([f"{name}(", *(f"    {part}," for part in shown), f"){gives}"])
    return f"```python\n{line}\n```"


def literal(value: object) -> str:
    """A default as code writes it."""
    if inspect.isfunction(value):
        return "..."
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _block(block: str, hidden: tuple[str, ...]) -> str:
    head, _, rest = block.partition("\n")
    if head in _LISTED and rest:
        entries: list[str] = []
        for line in textwrap.dedent(rest).splitlines():
            if line.startswith(" ") and entries:
                entries[-1] += f" {line.strip()}"
            else:
                entries.append(line)
        pairs = [entry.partition(": ") for entry in entries]
        items = [f"- {_named(name)}: {said}" for name, _, said in pairs if name not in hidden]
        return f"{head}\n\n" + "\n".join(items)
    if head in _WORDED and rest:
        return f"{head} {' '.join(rest.split())}"
    if block.startswith(">>>"):
        return f"```python\n{block}\n```"
    if block.startswith("    "):
        return f"```\n{textwrap.dedent(block)}\n```"
    return " ".join(block.split())


def _named(names: str) -> str:
    return ", ".join(name if name == "…" else f"`{name}`" for name in names.split(", "))
