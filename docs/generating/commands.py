"""commands.md: every verb with its arguments, its options and a command to type."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from generating.markdown import docstring, table
from trilho.cli import exits
from trilho.cli.main import application
from trilho.cli.status import status

# For every verb a command that a person would type. A test parses each as the command line would.
EXAMPLES: Mapping[str, str] = {
    "new": "trilho new churn --data customers.csv --target churn",
    "config": "trilho config train.params --profile team",
    "run": "trilho run --set train.params.max_depth=8",
    "status": "trilho status",
    "inspect": "trilho inspect evaluate",
    "sync": "trilho sync --profile team",
    "register": "trilho register runs:/0a1b2c3d4e5f60718293a4b5c6d7e8f9/model",
    "retrain": "trilho retrain --dry-run",
    "promote": 'trilho promote 12 --force --reason "the champion needs a column that is gone"',
    "rollback": 'trilho rollback --reason "complaints since noon"',
    "history": "trilho history --json",
    "compare": "trilho compare 11 12",
    "serve": "trilho serve --port 8080",
    "score": "trilho score new-customers.csv -o scored.csv",
    "feedback": "trilho feedback labels.csv",
    "journal": "trilho journal forget 9f1c02a4d8b6-7-0",
    "monitor": "trilho monitor --window 7d",
    "up": "trilho up --port 5050",
    "down": "trilho down",
    "ps": "trilho ps",
    "logs": "trilho logs tracking -n 200 --follow",
    "ui": "trilho ui --no-open",
    "login": "trilho login http://mlflow.example:5000 --user ana",
    "doctor": "trilho doctor",
    "tracking-server": 'trilho tracking-server --host 0.0.0.0 --allowed-hosts "mlflow,mlflow:*"',
    "deploy": "trilho deploy monitoring monitoring/",
    "backup": "trilho backup monday.tar.zst",
    "restore": "trilho restore monday.tar.zst --dry-run",
    "gc": "trilho gc --keep 20",
}

_HEAD = """# Commands

Results go to stdout, progress to stderr; no colour and no spinner where nobody looks. `trilho VERB -h` says the same as
this page. The exit codes are for shells and schedulers:"""

_EXITS: Mapping[int, str] = {
    exits.DONE: "done",
    exits.FAILED: "failed; the message says what happened, in which state things are, and what to do",
    exits.WRONG_USAGE: "wrong usage: an option, a name, or trilho.yaml",
    exits.REFUSED: "refused by a gate; the champion is unchanged",
    exits.DRIFT: "an alarm of `trilho monitor`: drift, answers that moved, a metric below its floor",
    exits.INTERRUPTED: "stopped by Ctrl-C",
}


def commands_page() -> str:
    blocks = [_HEAD, table(("code", "means"), [(f"`{code}`", words) for code, words in _EXITS.items()])]
    blocks.append("These options are the same wherever they appear:")
    blocks.append(
        table(("option", "what it is"), [(_spelled(name, info), info.help) for name, info in _SHARED.items()])
    )
    panel = ""
    for info in application().registered_commands:
        assert info.callback is not None
        if info.rich_help_panel != panel:
            panel = str(info.rich_help_panel)
            blocks.append(f"## {panel}")
        blocks += _verb(info.callback)
    return "\n\n".join(blocks)


def verb_name(callback: Callable[..., Any]) -> str:
    """The verb as it is typed."""
    return callback.__name__.replace("_", "-")


def _verb(callback: Callable[..., Any]) -> Iterator[str]:
    arguments, rows, also = [], [], []
    for name, default, info in _parameters(callback):
        if info.hidden:
            continue  # for trilho itself
        if type(info).__name__ == "ArgumentInfo":
            shown = (info.metavar or name.upper()).replace("[", "").replace("]", "").removesuffix("...")
            arguments.append(shown if default is inspect.Parameter.empty else f"[{shown}]")
            rows.append((f"`{shown}`", info.help))
        elif name in _SHARED and info.help == _SHARED[name].help:
            also.append(f"`{_flags(name, info)[0]}`")
        else:
            said = (
                info.help
                if isinstance(default, bool) or default in (None, "", inspect.Parameter.empty) or "efault" in info.help
                else (f"{info.help} Default: `{default}`.")
            )
            env = f" Environment: `{info.envvar}`." if info.envvar else ""
            rows.append((_spelled(name, info), said + env))
    yield f"### trilho {' '.join([verb_name(callback), *arguments])}"
    yield docstring(callback).partition("\n\nExample: ")[0]
    if rows:
        yield table(("argument or option", "what it is"), rows)
    if also:
        yield f"Also: {', '.join(also)}."
    yield f"```sh\n{EXAMPLES[verb_name(callback)]}\n```"


def _parameters(callback: Callable[..., Any]) -> Iterator[tuple[str, Any, Any]]:
    """(name, default, what Typer was told) of each parameter of a verb."""
    hints = typing.get_type_hints(callback, include_extras=True)
    for name, parameter in inspect.signature(callback).parameters.items():
        yield name, parameter.default, hints[name].__metadata__[0]


def _flags(name: str, info: Any) -> list[str]:
    """ "--profile", "-p": Typer takes the first for a default when it stands in an annotation."""
    said = [word for word in (info.default, *(info.param_decls or ())) if isinstance(word, str) and word[:1] == "-"]
    return sorted(said, key=lambda flag: not flag.startswith("--")) or [f"--{name.replace('_', '-')}"]


def _spelled(name: str, info: Any) -> str:
    return f"`{', '.join(_flags(name, info))}{f' {info.metavar}' if info.metavar else ''}`"


_SHARED: Mapping[str, Any] = {name: info for name, _, info in _parameters(status)}  # it takes these and no others
