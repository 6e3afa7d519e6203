"""Asking a running model server from Python.

    from trilho.client import Client

    with Client("http://127.0.0.1:8000") as client:
        print(client.predict({"plan": "basic", "fee": 41.5}).label)

Needs httpx, and nothing else that is large: pip install "trilho[client]"
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trilho.client.answers import Column, Health, Label, Model, Prediction
    from trilho.client.client import Client

__all__ = ["Client", "Column", "Health", "Label", "Model", "Prediction"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        home = "client" if name == "Client" else "answers"
        return getattr(import_module(f"trilho.client.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
