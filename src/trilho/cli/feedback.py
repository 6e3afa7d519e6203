"""trilho feedback: what turned out to be true."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile


def feedback(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .csv or .parquet file with columns id and label.")],
    model: Annotated[str, typer.Option("--model", "-m", help="As for trilho serve (default: the champion).")] = "",
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Note the true labels of predictions in the journal. Rows without a label are left for later.

    All are checked first, against the labels of the model: with a wrong one in it, nothing of the file is taken.

    Example: trilho feedback labels.csv
    """
    from trilho import bundle, journal
    from trilho.cli import output
    from trilho.cli.serve import find_model, settings
    from trilho.serving.feedback import read_feedback_file

    found_settings = settings(project, profile, overrides, model=model)
    found = find_model(found_settings, model)
    if found.note:
        output.progress(found.note)
    labels, without = read_feedback_file(file, bundle.read_schema(found.path), now=time.time())
    journal.label(found_settings.state_dir / "journal", labels)  # in one piece: all of the file, or nothing
    if json:
        output.as_json({"labels": len(labels), "without_label": without})
        return
    left = f"; {without:,} rows have none yet" if without else ""
    output.state("Noted", f"{len(labels):,} true labels{left}")
    output.state("See", "trilho journal")
