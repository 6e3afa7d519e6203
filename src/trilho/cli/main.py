"""The command line: every verb in a file of its own, every error on its way to an exit code."""

from __future__ import annotations

import errno
import sys

import typer

from trilho import __version__
from trilho.cli.compare import compare
from trilho.cli.config import config
from trilho.cli.down import down
from trilho.cli.exits import FAILED, INTERRUPTED, exit_code_of
from trilho.cli.history import history
from trilho.cli.inspect import inspect
from trilho.cli.logs import logs
from trilho.cli.monitor import monitor
from trilho.cli.new import new
from trilho.cli.promote import promote
from trilho.cli.ps import ps
from trilho.cli.register import register
from trilho.cli.rollback import rollback
from trilho.cli.run import run
from trilho.cli.score import score
from trilho.cli.serve import serve
from trilho.cli.status import status
from trilho.cli.sync import sync
from trilho.cli.tracking_server import tracking_server
from trilho.cli.ui import ui
from trilho.cli.up import up
from trilho.errors import TrilhoError

app = typer.Typer(
    name="trilho",
    help="Continuous delivery for machine learning on top of MLflow.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_PANELS = {
    "Project": (new, config),
    "Delivery": (run, status, inspect, sync, register),
    "Registry": (promote, rollback, history, compare),
    "Service": (serve, score, monitor),
    "Platform": (up, down, ps, logs, ui, tracking_server),
}
for _panel, _verbs in _PANELS.items():
    for _verb in _verbs:
        app.command(rich_help_panel=_panel)(_verb)


@app.callback(invoke_without_command=True)
def _options(version: bool = typer.Option(False, "--version", help="Print the version and leave.")) -> None:
    if version:
        typer.echo(f"trilho {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; leaves with 0 done, 1 failed, 2 wrong usage, 3 refused by a gate, 4 drift found."""
    for stream in (sys.stdout, sys.stderr):  # arrows and minus signs on a terminal of another code page
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        app()
    except TrilhoError as error:
        typer.echo(f"\n{error}", err=True)
        sys.exit(exit_code_of(error))
    except SystemExit as left:  # Typer makes this of Ctrl-C
        if left.code == INTERRUPTED:
            typer.echo("\nStopped. Nothing half-made was kept; trilho run goes on from the last step done.", err=True)
        raise
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(FAILED)
    except OSError as error:
        typer.echo(f"\n{_disk_trouble(error)}", err=True)
        sys.exit(FAILED)


def _disk_trouble(error: OSError) -> str:
    """A full disk, a read-only folder: nothing that trilho can help, but it can say what is meant."""
    where = f": {error.filename}" if error.filename else ""
    remedy = {
        errno.ENOSPC: "Free some disk space, then run the command again.",
        errno.EROFS: "Move the project to a folder that can be written to; trilho keeps its state beside trilho.yaml.",
        errno.EACCES: "Give yourself the right to write there; trilho keeps its state beside trilho.yaml.",
    }.get(error.errno or 0, "Nothing half-made was kept; run the command again when the cause is gone.")
    return f"{error.strerror or error}{where}\n{remedy}"
