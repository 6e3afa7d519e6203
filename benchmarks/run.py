"""Every benchmark, one after the other, and a table of what each was to reach and has reached.

    python benchmarks/run.py [--only NAME …] [--anyway] [--markdown docs/guides/benchmarks.md]

Each is a script of its own that prints lines to read and one line of JSON for each result: {"name", "ratio", "goal",
"ours", "theirs", "unit", …}. What they said last is in .bench/results.json. A busy machine is waited for, then refused:
ratios stand some noise, but not any.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from peers import BENCH, PACKAGES

HERE = Path(__file__).resolve().parent
RESULTS = BENCH / "results.json"
BENCHMARKS = (
    "startup",
    "unchanged_run",
    "tracking_server",
    "team_server",
    "fingerprint",
    "pipeline",
    "scoring",
    "journal",
    "drift",
    "gate_simulation",
)

# What a result is about, and its peer, where its own line does not say.
ABOUT = {
    "startup": "`trilho --help`",
    "unchanged_run": "an unchanged `trilho run`",
    "tracking_server.memory": "local tracking server, idle: memory",
    "tracking_server.ready": "local tracking server: time to ready",
    "tracking_server.log_metric": "local tracking server: one `log_metric`",
    "tracking_server.processes": "local tracking server: processes",
    "tracking_server.uss": "local tracking server, idle: memory of its own (USS)",
    "tracking_server.pss": "local tracking server, idle: memory, shared pages divided (PSS)",
    **{
        f"team_server.{database}.{name}": f"a team's server on {where}, 8 clients: {what}"
        for database, where in (("sqlite", "SQLite"), ("mysql", "MariaDB"), ("postgres", "PostgreSQL"))
        for name, what in (("seconds", "time for 200 runs"), ("slowest", "slowest answer"), ("memory", "memory"))
    },
    "fingerprint": "an unchanged folder of 10,000 files",
    "pipeline.small": "the whole tracked pipeline, 569 rows × 30",
    "pipeline.small.onnx": "… where the peer makes and checks an ONNX model, too",
    "pipeline.small.retrained": "… where trilho compares with a champion",
    "pipeline.large": "the whole tracked pipeline, 50,000 rows × 30",
    "pipeline.large.onnx": "… where the peer makes and checks an ONNX model, too",
    "pipeline.large.retrained": "… where trilho compares with a champion",
    "scoring.logistic": "`trilho score`: two million rows × 30, logistic regression",
    "scoring.logistic.mlflow": "…",
    "scoring.logistic.csv": "… from CSV to CSV",
    "scoring.forest": "`trilho score`: two million rows × 30, 50 trees",
    "scoring.forest.mlflow": "…",
    "scoring.forest.csv": "… from CSV to CSV",
    "scoring.memory.flat": "`trilho score`: peak memory at two million rows",
    "scoring.memory": "…",
    "journal.whole": "the journal: ten million rows × 30, read into NumPy",
    "journal.columns": "… two of the features",
    "journal.window": "… 1 % of the time",
    "drift.window": "`trilho monitor`: ten million rows × 30, from files to report",
    "drift.memory": "… its memory, beside that of a tenth of the rows",
    "drift.evidently": "`trilho monitor`: 100,000 rows × 30",
    "drift.nannyml": "…",
    "drift.page": "the report of 30 columns as HTML",
}
PEERS = {"tracking_server": "`mlflow server` as shipped", "fingerprint": "reading and hashing it"}
SIDES = {"fingerprint": ("unchanged_s", "reading_s", "s")}  # in its own words

BUSY, PATIENCE = 20.0, 60  # percent of all cores; seconds
BEGIN, END = "<!-- results: written by benchmarks/run.py --markdown -->", "<!-- end of results -->"

Result = Mapping[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=BENCHMARKS, metavar="NAME")
    parser.add_argument("--anyway", action="store_true", help="measure on a busy machine, too; the results say so")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the results into this page")
    asked = parser.parse_args()
    failed = []
    for name in asked.only:
        busy = wait_for_quiet()
        if busy > BUSY and not asked.anyway:
            print(f"The machine is {busy:.0f} % busy. Try again when it is quiet, or measure nevertheless: --anyway")
            return 1
        results = measure(name)
        busy = max(busy, busy_now())  # other work that began meanwhile is mostly still there
        if results is None:
            failed.append(name)
        else:
            keep(name, results, busy)
    everything = known()
    print("\n" + table(everything))
    if asked.markdown:
        write_page(asked.markdown, everything)
    if failed:
        print(f"\nFailed: {', '.join(failed)}")
    return 1 if failed else 0


def wait_for_quiet() -> float:
    """Percent of the cores that are busy, once few are, or patience is over."""
    until = time.monotonic() + PATIENCE
    while True:
        busy = busy_now()
        if busy <= BUSY or time.monotonic() > until:
            return busy


def busy_now() -> float:
    return float(psutil.cpu_percent(interval=3))


def measure(name: str) -> list[Result] | None:
    """Run a benchmark, pass on what it says to people, keep what it says to programs. None if it failed."""
    print(f"\n$ python benchmarks/{name}.py", flush=True)
    results: list[Result] = []
    script = subprocess.Popen(
        [sys.executable, HERE / f"{name}.py"], stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    assert script.stdout is not None
    for line in script.stdout:
        if line.startswith("{"):
            results.append(json.loads(line))
        else:
            print(line, end="", flush=True)
    return None if script.wait() else results


def known() -> dict[str, dict[str, Any]]:
    """Benchmark → what it said last: when, how busy the machine was, results."""
    found: dict[str, dict[str, Any]] = {}
    if RESULTS.exists():
        found = json.loads(RESULTS.read_text(encoding="utf-8"))
    return {name: found[name] for name in BENCHMARKS if name in found}


def keep(name: str, results: list[Result], busy: float) -> None:
    at = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    everything = {**known(), name: {"at": at, "busy": busy, "results": results}}
    RESULTS.parent.mkdir(exist_ok=True)
    fresh = RESULTS.with_name(f".{RESULTS.name}.{os.getpid()}")
    fresh.write_text(json.dumps(everything, indent=1, ensure_ascii=False), encoding="utf-8")
    fresh.replace(RESULTS)


def table(everything: Mapping[str, Any]) -> str:
    """For people: what has a ratio, with its goal."""
    lines = [f"{'benchmark':<28} {'trilho':>10} {'peer':>10} {'ratio':>7} {'goal':>6}"]
    for name, said in everything.items():
        for result in with_ratio(said):
            ours, theirs = sides(name, result)
            goal = result["goal"]
            lines.append(
                f"{result['name']:<28} {ours:>10} {theirs:>10} {result['ratio']:>7.3f} {goal or '':>6}  "
                f"{reached(result)}{'  (busy machine)' if said['busy'] > BUSY else ''}"
            )
    return "\n".join(lines)


def write_page(page: Path, everything: Mapping[str, Any]) -> None:
    """Put the table between the marks of a Markdown page."""
    rows = ["| what | trilho | peer | ratio | goal | | command |", "| --- | ---: | ---: | ---: | ---: | --- | --- |"]
    for name, said in everything.items():
        for result in with_ratio(said):
            ours, theirs = sides(name, result)
            about = ABOUT.get(result["name"], f"`{result['name']}`")
            peer = result.get("peer", PEERS.get(name, ""))
            goal = f"≤ {result['goal']}" if result["goal"] else ""
            rows.append(
                f"| {about} | {ours} | {peer}: {theirs} | **{result['ratio']:.3f}** | {goal} | {reached(result)} "
                f"| `python benchmarks/{name}.py` |"
            )
    busy = [name for name, said in everything.items() if said["busy"] > BUSY]
    marked = [f"Measured while the machine was busy with other work: {', '.join(busy)}.", ""] if busy else []
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        raise SystemExit(f"{page} holds no place for results, between these lines:\n{BEGIN}\n{END}")
    middle = "\n".join(["", "", *marked, *rows, "", machine(everything), "", ""])
    page.write_text(before + BEGIN + middle + END + after, encoding="utf-8")


def with_ratio(said: Mapping[str, Any]) -> list[Result]:
    return [result for result in said["results"] if "ratio" in result]


def sides(benchmark: str, result: Result) -> tuple[str, str]:
    ours, theirs, unit = SIDES.get(benchmark, ("ours", "theirs", ""))
    return tuple(quantity(result[side], unit or result["unit"]) for side in (ours, theirs))  # type: ignore[return-value]


def quantity(value: float, unit: str) -> str:
    if unit == "s" and value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.3g} {unit}".strip() if value < 100 else f"{value:.0f} {unit}".strip()


def reached(result: Result) -> str:
    if result["goal"] is None:
        return ""
    return "reached" if result["ratio"] <= result["goal"] else "missed"


def machine(everything: Mapping[str, Any]) -> str:
    memory = psutil.virtual_memory().total / 2**30
    dates = sorted({said["at"][:10] for said in everything.values()})
    peers = ", ".join(wanted.replace("==", " ") for wanted in PACKAGES.values() if "==" in wanted)
    where = f"{psutil.cpu_count()} cores, {memory:.0f} GB, {platform.system()} {platform.machine()}"
    with_what = [
        f"Python {platform.python_version()}",
        *(f"{name} {version(name)}" for name in ("mlflow", "scikit-learn")),
    ]
    return f"{' and '.join(dates)}, {where}, {', '.join([*with_what, peers])}."


if __name__ == "__main__":
    sys.exit(main())
