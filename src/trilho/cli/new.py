"""trilho new DIR: a project from a template, or around a table of one's own."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trilho.cli.options import AsJson

if TYPE_CHECKING:
    from trilho.data import Dataset
    from trilho.errors import TrilhoError
    from trilho.project.infer import ColumnFacts


def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make it in; nothing there is overwritten.")],
    template: Annotated[
        str, typer.Option("--template", "-t", help="tabular: breast cancer, to look around.")
    ] = "tabular",
    data: Annotated[
        str | None, typer.Option("--data", help="Your own table: a CSV or Parquet file, or any data.source.")
    ] = None,
    target: Annotated[str | None, typer.Option("--target", help="The column of it to predict.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="How to read it: data.options.separator=';', data.drop=[a]."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Make a project. In it: trilho.yaml, a module for your own functions, tests, a notebook."""
    from trilho.cli import output
    from trilho.project.new import create

    if (data is None) != (target is None):
        raise typer.BadParameter("--data and --target go together: the table, and the column of it to predict.")
    if settings and data is None:
        raise typer.BadParameter("--set says how to read --data; without it, write settings into trilho.yaml.")
    project_file: str | None = None
    facts: dict[str, Any] = {}
    if data is not None and target is not None:
        project_file, facts = _around(folder, data, target, settings or [])
    made = create(folder, template=template, project_file=project_file)
    if json:
        output.as_json(
            {
                "folder": str(made.folder.resolve()),
                "written": [path.relative_to(folder).as_posix() for path in made.written],
                "kept": [path.relative_to(folder).as_posix() for path in made.kept],
                **facts,
            }
        )
        return
    output.state("Made", f"{made.folder}: {len(made.written)} files")
    for name, value in facts.items():
        for sentence in [value] if isinstance(value, str) else value:
            output.state(name.replace("_", " ").capitalize(), sentence)
    if facts:
        output.state("Read", f"{folder / 'trilho.yaml'}: what was inferred says why; change what is wrong")
    for path in made.kept:
        output.state(
            "Kept", f"{path} as it was" + ("; let it leave out .trilho/ and .env" if "git" in path.name else "")
        )
    go = "" if folder.resolve() == Path.cwd() else f"cd {shlex.quote(str(folder))} && "
    output.state("Next", f"{go}trilho run")


def _around(folder: Path, data: str, target: str, settings: list[str]) -> tuple[str, dict[str, Any]]:
    """The text of trilho.yaml for a table, and what was inferred in words.

    Raises:
        UnknownName, SourceUnreadable, BadData: the table or the target is not there, or nothing can be learned from it.
        InvalidProject: a --set that is wrong, or that says nothing about the data.
    """
    from trilho.data.source import parse
    from trilho.data.sources.csv_dialect import dialect
    from trilho.project.infer import infer
    from trilho.project.own_data import own_data_file, reading, source_for
    from trilho.project.quoting import quoted

    given = reading(settings)
    is_file = parse(data, Path.cwd()).reader in ("csv", "parquet", "files")
    root = Path.cwd() if is_file else folder.resolve()
    how = dialect(data, root=root, options=given.get("options", {}))
    given = {**given, "options": {**how, **given.get("options", {})}}
    dataset = _read(data, target, root, given)
    inferred = infer(_facts(dataset), target=target, rows=len(dataset.frame))
    text = own_data_file(
        inferred,
        folder=folder,
        source=source_for(Path(data), folder) if is_file else data,
        target=target,
        rows=len(dataset.frame),
        columns=len(dataset.columns),
        given=given,
    )
    facts: dict[str, Any] = {"file": ", ".join(f"{option} {quoted(sign)}" for option, sign in how.items())}
    facts |= {"task": f"{inferred.task.value}: {inferred.task.why}"}
    if inferred.positive_class:
        facts["positive"] = f"{inferred.positive_class.value}: {inferred.positive_class.why}"
    facts["metric"] = f"{inferred.primary_metric.value}: {inferred.primary_metric.why}"
    facts["left_out"] = [f"{column}: {why}" for column, why in inferred.drop.items()]
    facts["note"] = list(inferred.notes)
    return text, {name: value for name, value in facts.items() if value}


def _read(data: str, target: str, root: Path, given: Mapping[str, Any]) -> Dataset:
    """The table, whose task nobody has said yet: what is wrong as a classification may be fine as a regression."""
    from trilho.data import load
    from trilho.errors import BadData, SourceUnreadable

    found: list[BadData | SourceUnreadable] = []
    for task in ("classification", "regression"):
        try:
            return load(data, target=target, root=root, task=task, **given)
        except SourceUnreadable as error:
            found.append(error)
            break
        except BadData as error:
            found.append(error)
    fewest = min(found, key=lambda error: error.why.count("\n"))
    raise type(fewest)(
        fewest.what,
        state="No project was made.",
        why=fewest.why,
        remedy=f"{fewest.remedy}\nHere these are --target COLUMN and --set, for example: --set {_example(fewest)}",
    ) from fewest


def _example(error: TrilhoError) -> str:
    """The first setting of data that an error advises, as --set takes it."""
    advised = re.search(r"(data\.[\w.]+): (\[.*?\]|\{.*?\}|\".*?\"|[\w-]+)", f"{error.why}\n{error.remedy}")
    return shlex.quote(f"{advised[1]}={advised[2]}" if advised else "data.drop=[a, b]")


def _facts(dataset: Dataset) -> list[ColumnFacts]:
    from trilho.data.words import reads_as
    from trilho.project.infer import ColumnFacts

    found = []
    for column in dataset.columns:
        values = dataset.frame[column.name]
        number = column.kind == "number"
        present = values.dropna()
        whole = number and bool((present % 1 == 0).all())
        rising = whole and len(present) == len(values) > 1 and bool((values.diff().iloc[1:] == 1).all())
        is_target = column.name == dataset.target
        words = [str(value) for value in present.unique()] if column.kind in ("text", "category") else []
        found.append(
            ColumnFacts(
                name=column.name,
                kind=column.kind,
                distinct=int(present.nunique()),
                missing=len(values) - len(present),
                whole=whole,
                rising=rising,
                deviation=float(present.std()) if number and len(present) > 1 else None,
                reads_as=reads_as(words),
                example=words[0].strip() if words else "",
                labels=_labels(present.value_counts()) if is_target else {},
            )
        )
    return found


def _labels(counts: Any) -> Mapping[Any, int]:
    """Label → rows, as plain Python values."""
    return {getattr(label, "item", lambda label=label: label)(): int(count) for label, count in counts.items()}
