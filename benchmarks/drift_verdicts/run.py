"""The same simulated windows given to trilho, Evidently and NannyML: who cries wolf, and who sees one, how soon?

    python benchmarks/drift_verdicts/run.py [--quick] [--only trilho …] [--markdown docs/guides/monitoring.md]

What is simulated stands in deployments.py, what each judge is asked in by_NAME.py; peers run in environments of their
own. Verdicts do not depend on what else the machine does; `benchmarks/drift.py --only peers` measures how fast each is.

What each said last is kept in .bench/drift_verdicts/, so that --only asks one again. --markdown writes the tables into
a page, between their marks, and the figure beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # for peers

from deployments import SIZES, TRAINING  # noqa: E402 - the path comes first
from figure import draw  # noqa: E402
from peers import BENCH, environment, program  # noqa: E402
from tables import clean_table, shifted_table, written  # noqa: E402

# Deployments in which nothing changes, and of each shift; the peers take seconds for what takes trilho milliseconds.
DEPLOYMENTS = {"trilho": (1000, 300), "evidently": (50, 50), "nannyml": (100, 100)}
QUICK = (4, 2)
KEPT = BENCH / "drift_verdicts"
FIGURE = "drift.svg"
QUIET = {"NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1"}

Line = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few deployments: does it all work?")
    parser.add_argument("--only", nargs="*", choices=DEPLOYMENTS, help="ask these again; none: what is kept is shown")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write tables and figure into this page")
    asked = parser.parse_args()
    KEPT.mkdir(parents=True, exist_ok=True)
    for judge in DEPLOYMENTS if asked.only is None else asked.only:
        ask(judge, *(QUICK if asked.quick else DEPLOYMENTS[judge]))
    lines = everything()
    print(clean_table(lines), shifted_table(lines), sep="\n\n")
    if asked.markdown:
        page = asked.markdown
        page.write_text(written(page.read_text(encoding="utf-8"), lines), encoding="utf-8")
        draw(lines, page.with_name(FIGURE))


def ask(judge: str, clean: int, shifted: int) -> None:
    """Let a judge look at all windows, and keep what it says."""
    python = Path(sys.executable) if judge == "trilho" else program(environment(judge), "python")
    sizes = [size for size in SIZES if judge != "nannyml" or size < TRAINING]
    command = [python, HERE / f"by_{judge}.py", "--clean", clean, "--shifted", shifted, "--sizes", *sizes]
    print(f"{judge}: {clean} deployments without a change, {shifted} of each shift …", flush=True)
    done = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        check=True,
        env={**os.environ, **QUIET},
        encoding="utf-8",
    )
    fresh = KEPT / f".{judge}.jsonl"
    fresh.write_text(done.stdout, encoding="utf-8")
    fresh.replace(KEPT / f"{judge}.jsonl")


def everything() -> list[Line]:
    """What all judges said last. SystemExit: they were not shown the same windows."""
    lines = []
    for judge in DEPLOYMENTS:
        file = KEPT / f"{judge}.jsonl"
        if file.exists():
            lines += [json.loads(text) for text in file.read_text(encoding="utf-8").splitlines() if text[:1] == "{"]
    for size in SIZES:
        if len({line["checksum"] for line in lines if line["rows"] == size and line["part"] == "clean"}) > 1:
            raise SystemExit(f"The judges were shown different windows of {size} rows: their NumPys draw otherwise.")
    return lines


if __name__ == "__main__":
    main()
