"""What the judges said, as tables of Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deployments import SHIFTS, SIZES, WINDOWS

BEGIN = "<!-- verdicts: written by benchmarks/drift_verdicts/run.py --markdown -->"
END = "<!-- end of verdicts -->"

JUDGES = {"trilho": "trilho", "evidently": "Evidently", "nannyml": "NannyML"}
_CLEAN = {
    "trilho": "**trilho** names a column",
    "trilho: drift": "**trilho** calls it drift",
    "evidently": "Evidently names a column",
    "evidently: drift": "Evidently calls it drift",
    "nannyml": "NannyML names a column",
    "tests alone": "trilho's tests alone, p ≤ 0.05",
    "effects alone": "trilho's effects alone, over their threshold",
}

Lines = Sequence[dict[str, Any]]


def clean_table(lines: Lines) -> str:
    """Alarms in 100 windows of which none has changed, and in how many deployments there was one."""
    rows = [_head("nothing has changed"), _rule(1)]
    for judge, words in _CLEAN.items():
        mine = {line["rows"]: line for line in lines if line["part"] == "clean" and line["judge"] == judge}
        cells = [_alarms(mine[size]) if size in mine else "" for size in SIZES]
        if mine:
            rows.append(f"| {words} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def shifted_table(lines: Lines) -> str:
    """Windows until the shifted column is named, and how often the first one does."""
    rows = [_head("shift, standard deviations | judge"), _rule(2)]
    for shift in SHIFTS:
        for judge, name in JUDGES.items():
            mine = {line["rows"]: line for line in lines if line.get("shift") == shift and line["judge"] == judge}
            cells = [_windows(mine[size]) if size in mine else "" for size in SIZES]
            if mine:
                first = (f"{shift:g}" if shift else "none") if judge == "trilho" else ""
                rows.append(f"| {first} | {name} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def written(page: str, lines: Lines) -> str:
    """The page with both tables between its marks. SystemExit: it has none."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        raise SystemExit(f"The page holds no place for the tables, between these lines:\n{BEGIN}\n{END}")
    told = []
    for judge, name in JUDGES.items():
        clean = {line["deployments"] for line in lines if line["part"] == "clean" and line["judge"] == judge}
        shifted = {line["deployments"] for line in lines if line["part"] == "shifted" and line["judge"] == judge}
        if clean and shifted:
            told.append(
                f"{name} about {_range(clean)} deployments without a change, and {_range(shifted)} of each shift"
            )
    asked = (
        f"Asked was, for each size of window: {'; '.join(told)}. A deployment without a change has {WINDOWS} windows."
    )
    middle = "\n\n".join(["", clean_table(lines), shifted_table(lines), asked, ""])
    return before + BEGIN + middle + END + after


# ----------------------------------------------------------------------------------------------------------------------


def _range(counts: set[int]) -> str:
    least, most = min(counts), max(counts)
    return f"{most:,}" if least == most else f"{least:,} to {most:,}"


def _head(first: str) -> str:
    return f"| {first} | " + " | ".join(f"{size:,} rows" for size in SIZES) + " |"


def _rule(words: int) -> str:
    return "| --- " * words + "| ---: " * len(SIZES) + "|"


def _alarms(line: dict[str, Any]) -> str:
    share = line["deployments_with_alarm"] / line["deployments"]
    return f"{100 * line['alarms'] / line['windows']:.1f} ({share:.1%})"


def _windows(line: dict[str, Any]) -> str:
    if not line["shift"]:
        return f"– ({line['in_the_first']:.0%})"
    median = "> 20" if line["median_windows"] is None else f"{line['median_windows']:g}"
    return f"{median} ({line['in_the_first']:.0%})"
