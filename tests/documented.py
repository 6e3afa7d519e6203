"""The pages of the documentation, the blocks in them, and the command line that they speak of."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import typer

ROOT = Path(__file__).parents[1]
READMES = (ROOT / "README.md", ROOT / "README.pt-BR.md")
PAGES = (*READMES, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))


def blocks(text: str, *languages: str) -> list[str]:
    """The code blocks of a page in these languages ("" for blocks without one), in their order."""
    found = re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [body for language, body in found if language in languages]


def commands(text: str) -> Iterator[list[str]]:
    """The words of every trilho command that a page tells its reader to type."""
    for block in blocks(text, "sh", "", "console"):
        for line in block.replace("\\\n", " ").splitlines():
            typed = line.strip().removeprefix("$ ")
            if typed.startswith("trilho ") and (line.startswith("$ ") or block in blocks(text, "sh")):
                yield shlex.split(typed.partition(" && ")[0], comments=True)


def parses(words: list[str]) -> str:
    """Would the command line take these words? "" if so, else what it says. Nothing is run."""
    from typer.testing import CliRunner

    done = CliRunner().invoke(_command_line(), words[1:])
    return "" if done.exit_code == 0 else f"{shlex.join(words)}\n{done.output}"


@functools.cache
def _command_line() -> typer.Typer:
    """The real one with verbs that do nothing."""
    from trilho.cli.main import application

    empty = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    for info in application().registered_commands:
        assert info.callback is not None
        empty.command()(functools.wraps(info.callback)(lambda **_: None))

    @empty.callback(invoke_without_command=True)
    def _options(version: bool = False) -> None: ...

    return empty
