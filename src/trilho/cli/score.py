"""trilho score: predictions for a whole file, or a folder of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile

if TYPE_CHECKING:
    from trilho.scoring import Progress

CSV_OPTIONS = {"separator": ",", "encoding": "utf-8"}  # of data.options: new rows come as the training rows did


def score(
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="Rows to answer: a .csv, .tsv or .parquet file, or a folder of them.")
    ],
    to: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT", help="The file to write, or the folder for a folder.")
    ],
    model: Annotated[str, typer.Option("--model", "-m", help="As for trilho serve (default: the champion).")] = "",
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Add predictions to the rows of a file or folder. With probabilities, and the version that made them.

    After a kill, the same command goes on where it stopped.

    Example: trilho score customers.csv -o scored.csv
    """
    from trilho import bundle, scoring
    from trilho.cli import output
    from trilho.cli.serve import find_model, settings

    file = settings(project, profile, overrides, model=model)
    found = find_model(file, model)
    if found.note:
        output.progress(found.note)
    predictor = bundle.open(found.path, trust_code=file.serve.trust_code, trusted=file.train.trusted_types)
    separator, encoding = (str(file.data.options.get(name, usual)) for name, usual in CSV_OPTIONS.items())
    began = time.perf_counter()
    with _shown(source) as watch:
        done = scoring.score(
            predictor,
            source,
            to,
            version=found.version,
            model=f"{found.name} {found.digest}",
            separator=separator,
            encoding=encoding,
            watch=watch,
        )
    seconds = time.perf_counter() - began
    facts = {"rows": done.rows, "files": done.files, "reused": done.reused, "seconds": round(seconds, 3)}
    if json:
        output.as_json({**facts, "output": str(done.path), "model": found.name, "version": found.version})
        return
    files = f" in {done.files} files" if done.files > 1 else ""
    output.state(
        "Scored", f"{done.rows:,} rows{files} by {found.name} v{found.version} in {seconds:.1f} s: {done.path}"
    )
    if done.reused:
        output.state("Kept", f"{done.reused} of the files were finished before")


@contextmanager
def _shown(source: Path) -> Iterator[Callable[[Progress], None]]:
    """A line on the terminal that says how far it is; nothing where stderr is none."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.text import Text

    began, console = time.perf_counter(), Console(stderr=True)
    with console.status(Text(f"scoring {source} …", style="dim")) as status:

        def watch(so_far: Progress) -> None:
            status.update(Text(_worded(so_far, time.perf_counter() - began), style="dim"))

        yield watch


def _worded(so_far: Progress, seconds: float) -> str:
    """ "file 3 of 12, 1,310,720 of 2,000,000 rows, 640,000 a second"."""
    file = f"file {so_far.files + 1} of {so_far.of_files}, " if so_far.of_files > 1 else ""
    of = f" of {so_far.of_rows:,}" if so_far.of_rows is not None and so_far.of_files == 1 else ""
    return f"scoring: {file}{so_far.rows:,}{of} rows, {so_far.rows / max(seconds, 1e-9):,.0f} a second"
