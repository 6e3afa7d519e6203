"""The platform elsewhere, as plain files that a person can edit. Nothing here is run by trilho.

Loaded on first use: naming this package loads nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trilho.deploy.compose.plan import ComposePlan
    from trilho.deploy.compose.writing import write_compose
    from trilho.deploy.folder import Written
    from trilho.deploy.monitoring.writing import write_monitoring

__all__ = ["ComposePlan", "Written", "write_compose", "write_monitoring"]

_HOMES = {
    "ComposePlan": "compose.plan",
    "Written": "folder",
    "write_compose": "compose.writing",
    "write_monitoring": "monitoring.writing",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'trilho.deploy' has no attribute '{name}'")
    return getattr(import_module(f"trilho.deploy.{_HOMES[name]}"), name)
