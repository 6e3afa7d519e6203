"""What happened in production: rows and what was answered, in Arrow and Parquet files that anything can read.

answered    what serving hands in, and how the journal is
features    what was asked, in the form that its request had it
writing     a queue, and the thread that empties it      segment      the file it writes
block       requests put together                        images       what is kept of an image
selection   which features are kept                      arrow_form   rows as Arrow
folder      what lies where                              locks        who is writing what
closing     streams become Parquet                       keeping      the keeper: close, forget, delete
reading     a window                                     rows         what it gives
labelling   true labels                                  truth        rows beside their labels
forgetting  rows that must go                            summary      all of it in figures

`Journal` writes without ever making a request wait; `read` gives a window back, also while others write, and after a
kill. Writers and readers meet in a folder, nowhere else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trilho.journal.answered import Answered, JournalState
    from trilho.journal.features import Features
    from trilho.journal.forgetting import forget
    from trilho.journal.keeping import Keeper, Kept
    from trilho.journal.labelling import Label, TrueLabel, label
    from trilho.journal.reading import read
    from trilho.journal.rows import Rows
    from trilho.journal.summary import Summary, summarize
    from trilho.journal.truth import LabelledRows, Truth, read_labelled, read_truth
    from trilho.journal.writing import Journal

_HOME_OF = {  # reading needs pyarrow, writing numpy, and the keeper neither until there is something to do
    "Answered": "answered",
    "Features": "features",
    "Journal": "writing",
    "JournalState": "answered",
    "Keeper": "keeping",
    "Kept": "keeping",
    "Label": "labelling",
    "LabelledRows": "truth",
    "Rows": "rows",
    "Summary": "summary",
    "TrueLabel": "labelling",
    "Truth": "truth",
    "forget": "forgetting",
    "label": "labelling",
    "read": "reading",
    "read_labelled": "truth",
    "read_truth": "truth",
    "summarize": "summary",
}

__all__ = [
    "Answered",
    "Features",
    "Journal",
    "JournalState",
    "Keeper",
    "Kept",
    "Label",
    "LabelledRows",
    "Rows",
    "Summary",
    "TrueLabel",
    "Truth",
    "forget",
    "label",
    "read",
    "read_labelled",
    "read_truth",
    "summarize",
]


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f"trilho.journal.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
