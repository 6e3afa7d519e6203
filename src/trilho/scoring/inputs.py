"""What is to be scored: which files, and what is refused before or while they are read."""

from __future__ import annotations

from pathlib import Path

from trilho.errors import BadData, SourceUnreadable
from trilho.scoring.tables import FORMATS, Table, format_of


def files_to_score(source: Path, to: Path) -> tuple[list[str], bool]:
    """The files to write, relative to the output, and whether they lie in a folder.

    Raises:
        SourceUnreadable: there is nothing to read, or it is not of a known format.
        BadData: the output would overwrite something, or is of the other kind than the input.
    """
    if not source.is_dir():
        format_of(source)
        format_of(to)
        if to.is_dir():
            raise BadData(f"{to} is a folder.", remedy=f"Name a file in it: trilho score IN -o {to / source.name}")
        if to.exists() and source.exists() and to.samefile(source):
            raise BadData("The output is the input.", remedy="Choose another file: trilho score IN -o OUT")
        return [to.name], False
    files = sorted(path.relative_to(source) for path in source.rglob("*") if _is_table(path))
    # Hidden files and names like _SUCCESS are no data, as everywhere.
    names = [file.as_posix() for file in files if not any(part[0] in "._" for part in file.parts)]
    if not names:
        raise SourceUnreadable(
            f"{source} holds no file that ends in {', '.join(FORMATS)}.", remedy="Name a file, or a folder with some."
        )
    if to.is_file() or to.suffix.lower() in FORMATS:
        raise BadData(f"{source} is a folder, {to} names a file.", remedy="Name a folder: trilho score IN -o scored")
    if to.is_dir() and any(to.iterdir()):
        raise BadData(
            f"{to} is not empty.", remedy="Remove it, or choose another folder: nothing that is there is overwritten."
        )
    if to.resolve().is_relative_to(source.resolve()):
        raise BadData(f"{to} lies in {source}, which is read.", remedy="Choose a folder beside it.")
    return names, True


def check_columns(table: Table, added: list[str], source: Path) -> None:
    """Refuse a table that has a column twice, or one that would be added. Raises BadData."""
    names = list(table.schema.names)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadData(
            f"{source} has the column '{twice}' {names.count(twice)} times.", remedy="Give each a name of its own."
        )
    taken = next((name for name in added if name in names), None)
    if taken is not None:
        raise BadData(
            f"{source} already has a column '{taken}', which scoring would add.",
            remedy="Rename or drop it; was this file scored before?",
        )


def cannot_open(file: Path, error: OSError) -> SourceUnreadable:
    """The error for an input that is not there, or not for us."""
    return SourceUnreadable(
        f"{file} cannot be read.",
        state="Nothing was written.",
        why=str(error.strerror or error),
        remedy="Check its name, and that it is readable.",
    )


def changed(source: Path) -> SourceUnreadable:
    """The error for an input that somebody wrote to meanwhile."""
    return SourceUnreadable(
        f"{source} changed while it was being read.",
        state="Nothing was written.",
        why="Half of the rows could be old and half new.",
        remedy="Run again when its writer is done.",
    )


# ----------------------------------------------------------------------------------------------------------------------


def _is_table(path: Path) -> bool:
    return path.suffix.lower() in FORMATS and path.is_file()
