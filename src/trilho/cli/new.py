"""trilho new DIR: a project from a template, or around a table of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trilho.cli.options import AsJson

if TYPE_CHECKING:
    from trilho.data import Dataset
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
    """Make a project: trilho.yaml, a module for your own functions, tests, a notebook."""
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
        output.state(name.replace("_", " ").capitalize(), value if isinstance(value, str) else ", ".join(value))
    if facts:
        output.state("Read", f"{folder / 'trilho.yaml'}: what was inferred says why; change what is wrong")
    for path in made.kept:
        output.state(
            "Kept", f"{path} as it was" + ("; let it leave out .trilho/ and .env" if "git" in path.name else "")
        )
    output.state("Next", "trilho run" if folder.resolve() == Path.cwd() else f"cd {folder} && trilho run")


def _around(folder: Path, data: str, target: str, settings: list[str]) -> tuple[str, dict[str, Any]]:
    """The text of trilho.yaml for a table, and what was inferred in words.

    Raises:
        UnknownName, SourceUnreadable, BadData: the table or the target is not there, or nothing can be learned from it.
        InvalidProject: a --set that is wrong, or that says nothing about the data.
    """
    from trilho.data import load
    from trilho.data.source import parse
    from trilho.errors import BadData, SourceUnreadable
    from trilho.project.infer import infer
    from trilho.project.own_data import own_data_file, reading, source_for

    given = reading(settings)
    is_file = parse(data, Path.cwd()).reader in ("csv", "parquet", "files")
    root = Path.cwd() if is_file else folder.resolve()
    try:
        dataset = load(
            data,
            target=target,
            root=root,
            options=given.get("options", {}),
            kinds=given.get("kinds", {}),
            drop=given.get("drop", ()),
        )
    except (BadData, SourceUnreadable) as error:
        raise type(error)(
            error.what,
            state=error.state or "No project was made.",
            why=error.why,
            remedy=f"{error.remedy}\nHere these are --target COLUMN and --set, for example: --set 'data.drop=[a, b]'",
        ) from error
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
    facts: dict[str, Any] = {"task": f"{inferred.task.value}: {inferred.task.why}"}
    if inferred.positive_class:
        facts["positive"] = f"{inferred.positive_class.value}: {inferred.positive_class.why}"
    facts["metric"] = f"{inferred.primary_metric.value}: {inferred.primary_metric.why}"
    facts["left_out"] = [f"{column}: {why}" for column, why in inferred.drop.items()]
    facts["note"] = list(inferred.notes)
    return text, {name: value for name, value in facts.items() if value}


def _facts(dataset: Dataset) -> list[ColumnFacts]:
    from trilho.project.infer import ColumnFacts

    found = []
    for column in dataset.columns:
        values = dataset.frame[column.name]
        number = column.kind == "number"
        present = values.dropna()
        whole = number and bool((present % 1 == 0).all())
        rising = whole and len(present) == len(values) > 1 and bool((values.diff().iloc[1:] == 1).all())
        is_target = column.name == dataset.target
        found.append(
            ColumnFacts(
                name=column.name,
                kind=column.kind,
                distinct=int(present.nunique()),
                missing=len(values) - len(present),
                whole=whole,
                rising=rising,
                deviation=float(present.std()) if number and len(present) > 1 else None,
                labels=_labels(present.value_counts()) if is_target else {},
            )
        )
    return found


def _labels(counts: Any) -> Mapping[Any, int]:
    """Label → rows, as plain Python values."""
    return {getattr(label, "item", lambda label=label: label)(): int(count) for label, count in counts.items()}
