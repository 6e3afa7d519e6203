"""What happened in production: rows and what was answered, in Arrow files that anything can read.

`Journal` writes without ever making a request wait; `read` gives a window back, also while others write, and after a
kill. Writers and readers meet in a folder, nowhere else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from trilho.journal.answered import Answered, JournalState
from trilho.journal.features import Features
from trilho.journal.writing import Journal

if TYPE_CHECKING:
    from trilho.journal.reading import Rows, read

__all__ = ["Answered", "Features", "Journal", "JournalState", "Rows", "read"]


def __getattr__(name: str) -> Any:
    """Reading needs pyarrow from the start; writing loads it in its own thread."""
    if name in ("Rows", "read"):
        return getattr(import_module("trilho.journal.reading"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
