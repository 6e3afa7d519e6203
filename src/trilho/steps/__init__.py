"""Making a model: the six steps ingest, split, transform, train, evaluate, register, and the loop that runs or reuses
each; then what a run leaves: its record, its version, the evidence for its gates.

Naming this package loads neither pandas nor scikit-learn: an unchanged run needs neither.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from trilho.steps.cache import Entry
from trilho.steps.judgement import Judgement
from trilho.steps.keys import STEPS
from trilho.steps.loop import StepResult, look, run_steps
from trilho.steps.materials import Materials
from trilho.steps.publish import (
    Receipt,
    Standing,
    belongs_here,
    publish,
    read_receipt,
    rule_fingerprint,
    standing,
    write_receipt,
)
from trilho.steps.record import Recorder
from trilho.steps.settling import Settled, settled, sync

if TYPE_CHECKING:
    from trilho.steps.going_back import go_back, past
    from trilho.steps.inspecting import inspect
    from trilho.steps.judging import judge
    from trilho.steps.retraining import at_work

__all__ = [
    "STEPS",
    "Entry",
    "Judgement",
    "Materials",
    "Receipt",
    "Recorder",
    "Settled",
    "Standing",
    "StepResult",
    "at_work",
    "belongs_here",
    "go_back",
    "inspect",
    "judge",
    "look",
    "past",
    "publish",
    "read_receipt",
    "rule_fingerprint",
    "run_steps",
    "settled",
    "standing",
    "sync",
    "write_receipt",
]


_LATER = {
    "at_work": "retraining",
    "go_back": "going_back",
    "inspect": "inspecting",
    "judge": "judging",
    "past": "going_back",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'trilho.steps' has no attribute '{name}'")
    return getattr(import_module(f"trilho.steps.{_LATER[name]}"), name)
