"""python.md: the public names, their signatures and what they say of themselves."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import trilho
from generating.markdown import docstring, literal, signature
from trilho import delivery, errors, testing

_HEAD = """# Python

These names can be relied on. `import trilho` loads neither MLflow nor pandas; they are loaded with the first name that
needs them."""

# What a Delivery holds: in the hands of everybody who calls run(), though nobody imports it.
_PARTS = ("trilho.steps:StepResult", "trilho.steps:Receipt", "trilho.steps:Judgement", "trilho.gates:Verdict")
_PARTS += ("trilho.registry:Version", "trilho.registry:Event")


def python_page() -> str:
    blocks = [_HEAD]
    for name in trilho.__all__:
        if name == "__version__":
            blocks += [f"## trilho.{name}", "trilho's version, such as `0.1.0`."]
        else:  # `trilho.Project` is delivery's, with the local platform handed to it
            kind = getattr(delivery, name, None) or getattr(errors, name)
            blocks += _class(f"trilho.{name}", kind, hidden=("server",))
    blocks += ["## What a Delivery holds", "Frozen values. Times are seconds since 1970, durations seconds."]
    for path in _PARTS:
        module, _, name = path.partition(":")
        blocks += _class(name, getattr(import_module(module), name), level=3)
    blocks += ["## trilho.testing", docstring(testing)]
    for name in ("InMemoryVersionStore", "Clock"):
        blocks += _class(f"trilho.testing.{name}", getattr(testing, name), level=3)
    return "\n\n".join(blocks)


def _class(title: str, kind: type, *, level: int = 2, hidden: tuple[str, ...] = ()) -> Iterator[str]:
    name = title.rpartition(".")[2]
    yield f"{'#' * level} {title}"
    if dataclasses.is_dataclass(kind):
        lines = "\n".join(f"    {field.name}: {_typed(field)}{_default(field)}" for field in dataclasses.fields(kind))
        yield f"```python\nclass {name}:\n{lines}\n```"
    else:
        yield signature(name, kind, hidden)
    yield docstring(kind, hidden)
    for member, function in vars(kind).items():
        if inspect.isfunction(function) and not member.startswith("_"):
            yield signature(f"{name}.{member}", function)
            if function.__doc__:
                yield docstring(function)


def _typed(field: dataclasses.Field[Any]) -> str:
    return str(field.type).replace("'", '"')


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        return f" = {literal(field.default)}"
    return "" if field.default_factory is dataclasses.MISSING else " = …"
