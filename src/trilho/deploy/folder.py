"""A folder of plain files: those that are shipped go in, those that a person changed stay.

What was written is remembered in the file .written, as `sha256sum` writes it: a file that differs from what would be
written now was either changed by a person, or written with other options.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

WRITTEN = PurePosixPath(".written")


@dataclass(frozen=True, kw_only=True)
class Written:
    """What became of each file, by its path below `folder`.

    Args:
        written: New, or replaced.
        same: Was there already, word for word.
        kept: Was there and differs.
        untouched: Those of `kept` that nobody changed since they were written, with other options or by another trilho.
        unlike: By name, what .env says and these options would set otherwise: what is there, what would be. "…" stands
            for a secret.
    """

    folder: Path
    written: tuple[PurePosixPath, ...] = ()
    same: tuple[PurePosixPath, ...] = ()
    kept: tuple[PurePosixPath, ...] = ()
    untouched: tuple[PurePosixPath, ...] = ()
    unlike: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def shipped(package: str) -> dict[PurePosixPath, str]:
    """The text of every file in the folder `files` of a package, such as "trilho.deploy.monitoring"."""
    return dict(_texts(files(package) / "files", PurePosixPath()))


def write_folder(folder: Path, texts: Mapping[PurePosixPath, str], *, replace: bool = False) -> Written:
    """Write files below `folder`, which need not exist.

    Args:
        texts: By path.
        replace: Write over files that differ, too.

    Raises:
        OSError: no room, or no right to write; what was written until then stays.
    """
    written, same, kept, untouched = [], [], [], []
    remembered = _remembered(folder)
    for path, text in texts.items():
        file = folder / path
        there = _text(file)
        if there == text:
            same.append(path)
        elif there is not None and not replace:
            kept.append(path)
            if remembered.get(path.as_posix()) == _sum(there):
                untouched.append(path)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
            written.append(path)
    sums = remembered | {path.as_posix(): _sum(texts[path]) for path in (*written, *same)}
    if sums != remembered:
        lines = [f"{value}  {name}\n" for name, value in sorted(sums.items())]
        (folder / WRITTEN).write_text("".join(lines), encoding="utf-8", newline="\n")
    return Written(
        folder=folder, written=tuple(written), same=tuple(same), kept=tuple(kept), untouched=tuple(untouched)
    )


# ----------------------------------------------------------------------------------------------------------------------


def _text(file: Path) -> str | None:
    """What is in a file; None where there is none. One that is no text differs from any."""
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        return ""


def _remembered(folder: Path) -> dict[str, str]:
    lines = (line.partition("  ") for line in (_text(folder / WRITTEN) or "").splitlines())
    return {name: value for value, _, name in lines}


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _texts(place: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, str]]:
    for entry in sorted(place.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _texts(entry, path / entry.name)
        else:
            yield path / entry.name, entry.read_text(encoding="utf-8")
