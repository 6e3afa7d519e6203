"""trilho new: a small installable project from a template, written beside what is there and over nothing."""

from __future__ import annotations

import keyword
import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from trilho.errors import InvalidProject, UnknownName
from trilho.project.names import did_you_mean
from trilho.project.quoting import quoted

_SUFFIX = ".tmpl"  # keeps linters, type checkers and test runners away from what is not a program yet
# What a folder may hold already, as a fresh repository does; it stays as it is.
MAY_EXIST = ("README.md", ".gitignore")
# Modules that every project imports: one of its own by such a name would hide them.
_TAKEN = ("trilho", "tests", "test", "src", "notebooks", "sklearn", "pandas", "numpy", "mlflow", "pytest", "yaml")


@dataclass(frozen=True, kw_only=True)
class Created:
    """A new project: its folder, the files that were written, and those that were there and stayed."""

    folder: Path
    written: tuple[Path, ...]
    kept: tuple[Path, ...]


def templates() -> tuple[str, ...]:
    """The names that `trilho new --template` takes."""
    return tuple(sorted(entry.name for entry in _home().iterdir() if entry.is_dir()))


def project_name(folder: Path) -> str:
    """A name for the project in `folder` that MLflow, pip and a URL take: its own, without strange letters."""
    plain = unicodedata.normalize("NFKD", folder.resolve().name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-")[:60].strip("-") or "project"


def module_name(name: str) -> str:
    """The name of the project's own Python package; it hides no other."""
    module = re.sub(r"\W+", "_", name.lower(), flags=re.ASCII).strip("_") or "project"
    if module[0].isdigit():
        module = f"project_{module}"
    taken = keyword.iskeyword(module) or module in sys.stdlib_module_names or module in _TAKEN
    return f"{module}_project" if taken else module


def create(folder: Path, *, template: str = "tabular", project_file: str | None = None) -> Created:
    """Write a new project into `folder`, which need not exist.

    A folder with other files in it is fine as long as none of them is in the way; README.md and .gitignore are left as
    they are. Nothing is ever overwritten.

    Args:
        folder: Where to.
        template: One of `templates()`.
        project_file: The text of trilho.yaml, where it is not the template's own.

    Raises:
        UnknownName: there is no such template.
        InvalidProject: files are in the way, all named; nothing was written.
    """
    if template not in templates():
        near = did_you_mean(template, templates())
        raise UnknownName(f"There is no template {template}.{near}", remedy=f"Choose one of: {', '.join(templates())}.")
    name = project_name(folder)
    texts = {
        path: render(text, name=name, distribution=name.lower(), module=module_name(name), quoted_name=quoted(name))
        for path, text in _files_of(template, module_name(name))
    }
    if project_file is not None:
        texts[PurePosixPath("trilho.yaml")] = project_file
    there = [path for path in texts if (folder / path).exists()]
    _refuse(folder, [path for path in there if str(path) not in MAY_EXIST])
    written: list[Path] = []
    try:
        for path, text in texts.items():
            if path in there:
                continue
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("x", encoding="utf-8", newline="\n") as file:
                written.append(target)
                file.write(text)
    except BaseException:
        for target in written:
            target.unlink(missing_ok=True)
        raise
    return Created(folder=folder, written=tuple(written), kept=tuple(folder / path for path in there))


def render(text: str, **values: str) -> str:
    """`text` with every {{placeholder}} replaced, in one pass: values are never looked into."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], text)


def template_text(name: str) -> str:
    """The text of a single template file, such as own-data.yaml."""
    return (_home() / f"{name}{_SUFFIX}").read_text(encoding="utf-8")


def _home() -> Traversable:
    return files("trilho.project") / "templates"


def _files_of(template: str, module: str) -> Iterator[tuple[PurePosixPath, str]]:
    names: Mapping[str, str] = {"__module__": module, "gitignore": ".gitignore"}

    def below(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, str]]:
        for entry in sorted(folder.iterdir(), key=lambda one: one.name):
            name = entry.name.removesuffix(_SUFFIX)
            place = path / names.get(name, name)
            if entry.is_dir():
                yield from below(entry, place)
            elif entry.name.endswith(_SUFFIX):
                yield place, entry.read_text(encoding="utf-8")

    return below(_home() / template, PurePosixPath())


def _refuse(folder: Path, in_the_way: list[PurePosixPath]) -> None:
    if folder.exists() and not folder.is_dir():
        raise InvalidProject(f"{folder} is a file.", remedy="Name a folder: trilho new DIR")
    if not in_the_way:
        return
    if PurePosixPath("trilho.yaml") in in_the_way:
        raise InvalidProject(
            f"{folder} holds a project already.",
            state="Nothing was written.",
            remedy="Name another folder, or: trilho run",
        )
    raise InvalidProject(
        f"{folder} holds files that a new project would write too.",
        state="Nothing was written.",
        why="\n".join(f"  {path}" for path in in_the_way),
        remedy="Name another folder, or move these files away.",
    )
