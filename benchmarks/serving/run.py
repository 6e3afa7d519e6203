"""How fast, how steady, how large: `trilho serve` beside what one would use instead. One command, everything in it.

    python benchmarks/serving/run.py [--quick] [--only PART …] [--models NAME …] [--servers NAME …]
                                     [--seconds N] [--rounds N] [--markdown docs/guides/serving-speed.md] [--anyway]

Parts: servers (every server with every model under closed and open load), costs (of trilho's features, each apart),
soak (a million requests), swaps (promotions and rollbacks under load). The whole takes about 45 minutes, --quick 5.
Needs wrk. A peer that cannot be installed is named with its reason, and left out.

Prints lines to read, one line of JSON for each ratio with a goal, and keeps everything in .bench/serving/results.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import goals
import page
import psutil
from environments import NotInstalled, python_of
from measuring import Measured, Plan, measure
from models import FOLDER, PROJECTS, made
from servers import SERVERS

HERE = Path(__file__).resolve().parent
RESULTS = FOLDER / "results.json"
PARTS = ("servers", "costs", "soak", "swaps")
SCRIPTS = {"costs": "feature_costs.py", "soak": "soak.py", "swaps": "swaps.py"}

FULL = Plan(rows=(1, 100), connections=(1, 16, 64), rates=(200, 2000), seconds=2, rounds=3)
QUICK = Plan(rows=(1, 100), connections=(1, 64), rates=(200,), seconds=1, rounds=1)
QUICK_MODELS = ("forest", "lightgbm", "custom")
PATIENCE = 60  # seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter windows: to see that all works")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART")
    parser.add_argument("--models", nargs="+", choices=tuple(PROJECTS), metavar="NAME")
    parser.add_argument("--servers", nargs="+", choices=tuple(SERVERS), default=tuple(SERVERS), metavar="NAME")
    parser.add_argument("--seconds", type=int, help="of each window (2)")
    parser.add_argument("--rounds", type=int, help="of all windows (3)")
    parser.add_argument("--anyway", action="store_true", help="measure on a busy machine, too; the results say so")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the results into this page")
    asked = parser.parse_args()
    missing = prepare(asked.servers if "servers" in asked.only else ())
    busy = wait_for_quiet()
    if busy > page.BUSY and not asked.anyway:
        print(f"The machine is {busy:.0f} % busy. Try again when it is quiet, or measure nevertheless: --anyway")
        return 1
    began = time.monotonic()
    results, failed = known(), []
    for part in [part for part in PARTS if part in asked.only]:
        marks = {"at": time.strftime("%Y-%m-%d %H:%M", time.gmtime()), "busy": busy, "quick": asked.quick}
        found = servers(asked, missing) if part == "servers" else script(part, quick=asked.quick)
        if found is None:
            failed.append(part)
        else:
            results[part] = marks | found
            keep(results)
    if asked.markdown:
        page.write(asked.markdown, results)
    print(f"\nAll that took {(time.monotonic() - began) / 60:.0f} minutes. {RESULTS.relative_to(FOLDER.parent.parent)}")
    if failed:
        print(f"Failed: {', '.join(failed)}")
    return 1 if failed else 0


def prepare(names: Sequence[str]) -> dict[str, str]:
    """Environments and models, before anything is measured. Servers that cannot be installed, with the reason."""
    missing: dict[str, str] = {}
    for server in names:
        environment = SERVERS[server].environment
        try:
            if environment is not None:
                python_of(environment)
        except NotInstalled as error:
            print(f"{server} cannot be installed: {error}")
            missing[server] = str(error)
    for name in PROJECTS:
        made(name)
    return missing


def servers(asked: argparse.Namespace, missing: Mapping[str, str]) -> dict[str, Any]:
    """Every server with every model."""
    plan, measured = QUICK if asked.quick else FULL, Measured(failed=dict(missing))
    plan = replace(plan, seconds=asked.seconds or plan.seconds, rounds=asked.rounds or plan.rounds)
    chosen = asked.models or (QUICK_MODELS if asked.quick else tuple(PROJECTS))
    for name in chosen:
        measure(made(name), [server for server in asked.servers if server not in missing], plan, measured)
    compiled = [name for name in chosen if made(name).compiled]
    found = goals.goals(measured.cells, compiled)
    print("\n" + goals.table(found))
    for goal in found:
        print(json.dumps(goal.plain()))
    return {
        **measured.plain(),
        "goals": [goal.plain() for goal in found],
        "seconds": plan.seconds,
        "rounds": plan.rounds,
    }


def script(part: str, *, quick: bool) -> dict[str, Any] | None:
    """Run a part that is a script of its own; the lines of JSON that it prints, None if it failed."""
    words = [sys.executable, HERE / SCRIPTS[part], *(["--quick"] if quick else [])]
    print(f"\n$ python benchmarks/serving/{SCRIPTS[part]}", flush=True)
    found: list[Any] = []
    with subprocess.Popen(
        [str(word) for word in words], stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if line.startswith("{"):
                found.append(json.loads(line))
            else:
                print(line, end="", flush=True)
    return {"lines": found} if running.returncode == 0 else None


def wait_for_quiet() -> float:
    """Percent of the cores that are busy, once few are, or patience is over."""
    until = time.monotonic() + PATIENCE
    while True:
        busy = float(psutil.cpu_percent(interval=3))
        if busy <= page.BUSY or time.monotonic() > until:
            return busy


def known() -> dict[str, Any]:
    """The results of before: a part that is not measured now keeps its last ones."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}


def keep(results: dict[str, Any]) -> None:
    fresh = RESULTS.with_name(f".{RESULTS.name}.{os.getpid()}")
    fresh.write_text(json.dumps(results, indent=1, ensure_ascii=False), encoding="utf-8")
    fresh.replace(RESULTS)


if __name__ == "__main__":
    sys.exit(main())
