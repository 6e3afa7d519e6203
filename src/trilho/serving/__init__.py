"""Answering: a parent that follows the champion, workers that answer, MLflow's scoring protocol.

source      which model: an address of the registry, a run, a bundle or a plain MLflow model on disk
shelf       the bundles on this disk, and which one an address led to last
following   looks at the registry, fetches, tries, and moves the pointer
charge      who is in charge: the pointer, and what is said about it
pointer     one small file that the parent replaces and workers watch
parent      the socket, the crew, the follower: until it is time to stop
crew        worker processes: started, replaced, stopped
worker      one process that answers: the application in a uvicorn server
connection  one connection: who is too slow, or one too many
outbox      answers leave in one piece, those of one moment together
state       what the parent knows, for /health and /metrics
slot        the model in charge, one reference
payload     bytes in, columns out; predictions in, bytes out
app         the routes
server      the address, and who may reach it
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trilho.serving.keys import Keys
    from trilho.serving.orders import Orders
    from trilho.serving.parent import Plan, serve
    from trilho.serving.pointer import Pointer
    from trilho.serving.server import Listening, listen
    from trilho.serving.shelf import recall
    from trilho.serving.slot import Served
    from trilho.serving.source import Found, Trust, find, is_on_server, moves

_HOME_OF = {
    "Found": "source",
    "Keys": "keys",
    "Listening": "server",
    "Orders": "orders",
    "Plan": "parent",
    "Pointer": "pointer",
    "Served": "slot",
    "Trust": "source",
    "find": "source",
    "is_on_server": "source",
    "listen": "server",
    "moves": "source",
    "recall": "shelf",
    "serve": "parent",
}

__all__ = [
    "Found",
    "Keys",
    "Listening",
    "Orders",
    "Plan",
    "Pointer",
    "Served",
    "Trust",
    "find",
    "is_on_server",
    "listen",
    "moves",
    "recall",
    "serve",
]


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f"trilho.serving.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
