"""The gate "signature": whoever calls the champion can call the new version without changing a line.

Callers send the champion's columns. The new version may have fewer (what it does not know is ignored) and may have new
ones that need not be sent. It must not ask for a column that callers do not send, take another kind of value, or refuse
a null that the champion takes.
"""

from __future__ import annotations

from collections.abc import Mapping

from trilho.gates.evidence import Evidence, Rule
from trilho.gates.verdict import Verdict

_WORDS = frozenset({"category", "text"})  # both are strings to a caller


def judge_signature(evidence: Evidence, _: Rule) -> tuple[Verdict, ...]:
    """One verdict; it names the first five columns that would break a caller, and counts the rest."""
    if evidence.champion is None:
        return (_passed(f"{_columns(evidence)}, no champion whose callers could be broken."),)
    if evidence.champion_schema is None:
        return (_passed(f"{_columns(evidence)}; what callers of v{evidence.champion} send is not known."),)
    breaks = _breaks(evidence, evidence.champion_schema)
    if not breaks:
        gone = [name for name in evidence.champion_schema if name not in evidence.schema]
        change = f", no longer reads {_listed(gone)}" if gone else ", takes all that callers send"
        return (_passed(f"{_columns(evidence)}{change}."),)
    return (
        Verdict(
            gate="signature",
            outcome="fail",
            reason=f"Callers of v{evidence.champion} would be refused: {_listed(breaks, '; ')}.",
            remedy="Make a new column optional (train with rows that lack it), keep its kind (data.kinds), or change "
            'the callers first and then: trilho promote --force --reason "…"',
            setting="data.kinds",
        ),
    )


def _breaks(evidence: Evidence, before: Mapping[str, str]) -> list[str]:
    found = []
    for name, kind in evidence.schema.items():
        may_be_missing = name in evidence.optional
        if name not in before:
            if not may_be_missing:
                found.append(f"new column {name} ({kind}) is required")
        elif kind != before[name] and not {kind, before[name]} <= _WORDS:
            found.append(f"{name} was {before[name]} and is {kind}")
        elif name in evidence.champion_optional and not may_be_missing:
            found.append(f"{name} could be left out and is now required")
    return found


def _passed(reason: str) -> Verdict:
    return Verdict(gate="signature", outcome="pass", reason=reason)


def _columns(evidence: Evidence) -> str:
    count = len(evidence.schema)
    return f"{count:,} column{'' if count == 1 else 's'}"


def _listed(names: list[str], between: str = ", ") -> str:
    """The first five, and how many more."""
    more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
    return between.join(names[:5]) + more
