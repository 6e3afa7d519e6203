"""The reference is complete and says what the code says."""

from __future__ import annotations

import shlex
import subprocess
import sys

from documented import ROOT, parses

REFERENCE = ROOT / "docs" / "reference"


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def test_reference_pages_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_setting_is_documented() -> None:
    from trilho.settings import SETTINGS

    text = page("settings.md")
    assert [setting.name for setting in SETTINGS if f"| `{setting.name}` |" not in text] == []


def test_every_verb_has_an_example() -> None:
    from trilho.cli.main import application

    text = page("commands.md")
    verbs = [info.callback.__name__.replace("_", "-") for info in application().registered_commands if info.callback]
    for verb in verbs:
        section = text.partition(f"### trilho {verb}")[2].partition("\n##")[0]
        assert f"```sh\ntrilho {verb}" in section, f"trilho {verb} has no example in docs/generating/commands.py"
    examples = [line for line in text.splitlines() if line.startswith("trilho ")]
    assert len(examples) == len(verbs)
    assert [problem for line in examples if (problem := parses(shlex.split(line)))] == []


def test_every_error_is_documented() -> None:
    from trilho import errors

    text = page("errors.md")
    names = [
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.TrilhoError) and kind is not errors.TrilhoError
    ]
    assert [name for name in names if f"| `{name}` |" not in text] == []
    assert [name for name in names if name not in (errors.__doc__ or "")] == [], "missing in the tree of errors.py"


def test_every_public_name_is_documented() -> None:
    import trilho

    assert [name for name in trilho.__all__ if f"## trilho.{name}\n" not in page("python.md")] == []
