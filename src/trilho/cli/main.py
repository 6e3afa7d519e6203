"""The command line: every verb in a file of its own, every error on its way to an exit code."""

from __future__ import annotations

import atexit
import errno
import gc
import os
import sys
from contextlib import suppress
from importlib import import_module

import typer

from trilho import __version__
from trilho.cli.exits import FAILED, INTERRUPTED, exit_code_of
from trilho.errors import TrilhoError

# Panel of the help → its verbs. Each is a function of that name in a file of that name.
VERBS = {
    "Project": ("new", "config"),
    "Delivery": ("run", "status", "inspect", "sync", "register", "retrain"),
    "Registry": ("promote", "rollback", "history", "compare"),
    "Service": ("serve", "score", "feedback", "journal", "monitor"),
    "Platform": ("up", "down", "ps", "logs", "ui", "doctor", "login", "tracking_server", "deploy"),
    "Upkeep": ("backup", "restore", "gc"),
}

# What a person who pressed Ctrl-C wants to know of a long verb.
_GOES_ON = {
    "run": "Nothing half-made was kept; trilho run goes on from the last step done.",
    "sync": "What was not sent waits in the spool; trilho sync goes on with it.",
    "backup": "Nothing half-made was kept.",
    "restore": "It may be half done: start no server on it; the same command goes on.",
    "gc": "What is not removed yet is as it was; the same command goes on.",
    "score": "Files that are done are kept; the same command goes on with the others.",
}


def application(only: str = "") -> typer.Typer:
    """The command line with all its verbs, or with the verb `only`: a run need not build what it does not use."""
    app = typer.Typer(
        name="trilho",
        help="Continuous delivery for machine learning on top of MLflow.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_options)
    places = {verb.replace("_", "-"): (panel, verb) for panel, verbs in VERBS.items() for verb in verbs}
    for panel, verb in [places[only]] if only in places else places.values():
        app.command(rich_help_panel=panel)(getattr(import_module(f"trilho.cli.{verb}"), verb))
    return app


def main() -> None:
    """Run the command line; leaves with 0 done, 1 failed, 2 wrong usage, 3 refused by a gate, 4 an alarm of monitor."""
    for stream in (sys.stdout, sys.stderr):  # arrows and minus signs on a terminal of another code page
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    gc.set_threshold(50_000)  # what imports make stays: looking through it every 700 objects is a tenth of a short run
    try:
        application(*sys.argv[1:2])()
    except TrilhoError as error:
        typer.echo(f"\n{error}", err=True)
        sys.exit(exit_code_of(error))
    except SystemExit as left:  # Typer makes this of Ctrl-C
        if left.code == INTERRUPTED:
            typer.echo(f"\nStopped. {_GOES_ON.get(' '.join(sys.argv[1:2]), '')}".rstrip(), err=True)
        raise
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(FAILED)
    except OSError as error:
        typer.echo(f"\n{_disk_trouble(error, ' '.join(sys.argv[1:2]))}", err=True)
        sys.exit(FAILED)


def process() -> None:
    """`main` as a whole process. It ends without taking apart what was imported: half a second after a training."""
    code: object = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
        if isinstance(code, str):  # sys.exit("words"), as Python itself does it
            sys.stderr.write(f"{code}\n")
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody reads any more
            stream.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def _options(version: bool = typer.Option(False, "--version", help="Print the version and leave.")) -> None:
    if version:
        typer.echo(f"trilho {__version__}")
        raise typer.Exit


def _disk_trouble(error: OSError, verb: str) -> str:
    """A full disk, a read-only folder: nothing that trilho can help, but it can say what is meant."""
    where = f": {error.filename}" if error.filename else ""
    remedy = {
        errno.ENOSPC: "Free some disk space, then run the command again.",
        errno.EROFS: "Move the project to a folder that can be written to; trilho keeps its state beside trilho.yaml.",
        errno.EACCES: "Give yourself the right to write there; trilho keeps its state beside trilho.yaml.",
    }.get(error.errno or 0, "Run the command again when the cause is gone.")
    return "\n".join(line for line in (f"{error.strerror or error}{where}", _GOES_ON.get(verb, ""), remedy) if line)
