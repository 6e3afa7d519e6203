"""trilho score: predictions for a whole file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, load_project

CSV_OPTIONS = {"separator": ",", "encoding": "utf-8"}  # of data.options: new rows come as the training rows did


def score(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Rows to answer: a .csv, .tsv or .parquet file.")],
    to: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="The file to write, in the same formats.")],
    model: Annotated[str, typer.Option("--model", "-m", help="As for trilho serve (default: the champion).")] = "",
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Add prediction, probabilities and model version to every row of a file.

    Example: trilho score customers.csv -o scored.csv
    """
    from trilho import bundle, scoring
    from trilho.cli import output
    from trilho.cli.serve import find_model

    file = load_project(project, profile, overrides)
    found = find_model(file, model)
    if found.note:
        output.progress(found.note)
    predictor = bundle.open(found.path, trust_code=file.serve.trust_code, trusted=file.train.trusted_types)
    separator, encoding = (str(file.data.options.get(name, usual)) for name, usual in CSV_OPTIONS.items())
    with output.waiting(f"scoring {source} …"):
        done = scoring.score(predictor, source, to, version=found.version, separator=separator, encoding=encoding)
    if json:
        output.as_json({"rows": done.rows, "output": str(done.path), "model": found.name, "version": found.version})
        return
    output.state("Scored", f"{done.rows} rows by {found.name} v{found.version}: {done.path}")
