"""A folder of plain files: those that are shipped go in, those that a person changed stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, kw_only=True)
class Written:
    """What became of each file, by its path below `folder`.

    Args:
        written: New, or replaced.
        same: Was there already, word for word.
        kept: Was there and differs: changed by a person, or shipped by another trilho.
    """

    folder: Path
    written: tuple[PurePosixPath, ...] = ()
    same: tuple[PurePosixPath, ...] = ()
    kept: tuple[PurePosixPath, ...] = ()


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
    written, same, kept = [], [], []
    for path, text in texts.items():
        file = folder / path
        there = _text(file)
        if there == text:
            same.append(path)
        elif there is not None and not replace:
            kept.append(path)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
            written.append(path)
    return Written(folder=folder, written=tuple(written), same=tuple(same), kept=tuple(kept))


# ----------------------------------------------------------------------------------------------------------------------


def _text(file: Path) -> str | None:
    """What is in a file; None where there is none. One that is no text differs from any."""
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        return ""


def _texts(place: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, str]]:
    for entry in sorted(place.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _texts(entry, path / entry.name)
        else:
            yield path / entry.name, entry.read_text(encoding="utf-8")
