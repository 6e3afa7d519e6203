"""What was accepted: versions, who is champion, and the history that says how it came to be.

`promote`, `refuse` and `rollback` write an event into the history first and move the aliases after that; the history is
the truth, the aliases follow it (docs/decisions/0008-history-is-the-truth.md).
"""

from trilho.registry.claiming import Claim, Ending, claim, claims, end_claim, kept_alive, last_claim
from trilho.registry.lookup import champion, history, resolve, standing_refusal
from trilho.registry.mlflow_store import MlflowVersionStore
from trilho.registry.naming import check_name
from trilho.registry.promotion import promote, refuse, rollback
from trilho.registry.store import Entry, VersionStore
from trilho.registry.version import CHALLENGER, CHAMPION, PREVIOUS, Event, Version
from trilho.wire import Client

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "PREVIOUS",
    "Claim",
    "Ending",
    "Entry",
    "Event",
    "MlflowVersionStore",
    "Version",
    "VersionStore",
    "champion",
    "check_name",
    "claim",
    "claims",
    "end_claim",
    "history",
    "kept_alive",
    "last_claim",
    "open_store",
    "promote",
    "refuse",
    "resolve",
    "rollback",
    "standing_refusal",
]


def open_store(client: Client) -> VersionStore:
    """The registry of the tracking server that `client` is connected to. Nothing is sent yet."""
    return MlflowVersionStore(client)
