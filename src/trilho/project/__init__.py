"""What the user wrote: find the project, read trilho.yaml into frozen values, say where each value came from.

Loads nothing heavier than PyYAML; what only `trilho config` needs is imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from trilho.project.env_file import lend_env_file
from trilho.project.file import ProjectFile
from trilho.project.loading import find, load

if TYPE_CHECKING:
    from trilho.project.origins import Explained, explain
    from trilho.project.schema import json_schema

__all__ = ["Explained", "ProjectFile", "explain", "find", "json_schema", "lend_env_file", "load"]

_HOMES = {"Explained": "origins", "explain": "origins", "json_schema": "schema"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
