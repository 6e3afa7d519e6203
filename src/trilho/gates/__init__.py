"""May this version go live? Evidence in, verdicts out; nothing is fetched, nothing is done.

Loaded on first use: naming this package loads no numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trilho.gates.evidence import Evidence, Paired, Policy, Rule
    from trilho.gates.judging import GATES, judge
    from trilho.gates.verdict import Verdict
    from trilho.gates.verdict_json import verdicts_from_json, verdicts_to_json

__all__ = [
    "GATES",
    "Evidence",
    "Paired",
    "Policy",
    "Rule",
    "Verdict",
    "judge",
    "verdicts_from_json",
    "verdicts_to_json",
]

_HOMES = {
    "evidence": ("Evidence", "Paired", "Policy", "Rule"),
    "judging": ("GATES", "judge"),
    "verdict": ("Verdict",),
    "verdict_json": ("verdicts_from_json", "verdicts_to_json"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"trilho.gates.{home}"), name)
    raise AttributeError(f"module 'trilho.gates' has no attribute '{name}'")
