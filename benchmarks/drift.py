"""Is watching the journal nearly as fast as reading its files, in memory that does not grow? And beside others?

Part 1: a window of ten million rows of 30 features, from Parquet files to a report: read, counted by slices
of time, every method on every column. The peer is one pass of pyarrow over the same files, every column, and nothing
done with them. Memory: the peak of the same process over ten million rows, divided by that over one million.

Part 2: 100,000 rows of 30 features against 20,000 training rows, both as Parquet files that are read first, by
Evidently's DataDriftPreset and by NannyML's UnivariateDriftCalculator (Kolmogorov-Smirnov and Wasserstein), each in an
environment of its own; trilho reads its journal. Evidently and NannyML look at every value; trilho at counts.

Part 3: the HTML report of these 30 columns, in bytes, against Evidently's of the same rows.

Each side is a process of its own, in turn.

    python benchmarks/drift.py [--rows 10000000] [--rounds 3] [--folder DIR] [--only window|peers|page]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from journal import BEGAN, FEATURES, make
from peers import environment, program
from timing import in_turn, report, take

from trilho import bundle
from trilho.bundle import Field, Schema
from trilho.journal import read
from trilho.monitoring import Reference, Report, watch
from trilho.project.file import DriftRule

GOAL, FLAT_GOAL, PEERS_GOAL, PAGE_GOAL = 3.0, 1.15, 0.5, 0.1
TRAINING_ROWS, PEER_ROWS = 20_000, 100_000
HERE = Path(__file__).resolve().parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to make the journals; default: a temporary folder")
    parser.add_argument("--only", choices=("window", "peers", "page"))
    parser.add_argument("--side", choices=("watch", "pass", "page"), help="work only, in this process")
    asked = parser.parse_args()
    if asked.side:
        work = {"watch": watched, "page": drawn, "pass": lambda folder, _: passed(folder)}[asked.side]
        print(json.dumps(work(asked.folder, asked.rows)))
        return 0
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        root = Path(name)
        if asked.only in (None, "window"):
            beside_a_pass(root, asked.rows, asked.rounds)
        if asked.only in (None, "peers"):
            beside_peers(root, asked.rounds)
        if asked.only in (None, "page"):
            beside_a_page(root)
    return 0


def beside_a_pass(root: Path, rows: int, rounds: int) -> None:
    """The window, and a tenth of it for the memory."""
    large, small = made(root, rows), made(root, rows // 10)
    ours, bare = in_turn(
        rounds,
        lambda: take(side("watch", large, rows), folder=HERE),
        lambda: take(side("pass", large, rows), folder=HERE),
    )
    report("drift.window", ours, bare, peer="pyarrow", goal=GOAL)
    much, little = said(side("watch", large, rows))["peak"], said(side("watch", small, rows // 10))["peak"]
    print(f"{'drift.memory':<28} peak {much / 1e6:.0f} MB, of a tenth of the rows {little / 1e6:.0f} MB")
    flat = {"name": "drift.memory", "ratio": round(much / little, 4), "goal": FLAT_GOAL}
    print(json.dumps({**flat, "ours": much, "theirs": little, "unit": "bytes"}))


def made(root: Path, rows: int) -> Path:
    folder = root / str(rows)
    folder.mkdir()
    make(folder, rows)
    return folder


def side(what: str, folder: Path, rows: int) -> list[str]:
    return [sys.executable, __file__, "--side", what, "--folder", str(folder), "--rows", str(rows)]


def said(command: list[str]) -> dict[str, float]:
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=HERE)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def watched(folder: Path, rows: int) -> dict[str, float]:
    """From files to report; the most memory that took."""
    found = reported(folder, rows)
    if found.rows != rows or len(found.judged) != FEATURES or len(found.predicted) != 2:
        raise RuntimeError(f"{found.rows} rows, {len(found.judged)} columns")
    return {"rows": found.rows, "moved": len(found.moved), "peak": peak()}


def drawn(folder: Path, rows: int) -> dict[str, float]:
    """The report as its page."""
    from trilho.monitoring.html import render

    return {"bytes": len(render(reported(folder, rows)).encode())}


def reported(folder: Path, rows: int) -> Report:
    until = BEGAN + rows / 1000
    return watch(
        read(folder, since=BEGAN, until=until),
        model="measured",
        version="3",
        find=lambda *_: reference(),
        since=BEGAN,
        until=until,
        rule=DriftRule(),
    )[0]


def passed(folder: Path) -> dict[str, float]:
    files = sorted((folder / "predictions").iterdir())
    rows = sum(batch.num_rows for path in files for batch in pq.ParquetFile(path).iter_batches(65_536))
    return {"rows": rows, "peak": peak()}


def reference() -> Reference:
    """Training rows like those that are asked later."""
    fields = tuple(Field(name=name, kind="number", nullable=True) for name in training())
    schema = Schema(task="classification", target="y", fields=fields, labels=(0, 1), label_names=("0", "1"), positive=1)
    profile = bundle.profile(training(), schema)
    dice = np.random.default_rng(2)
    chances = dice.random((TRAINING_ROWS, 2))
    answers = bundle.profile_predictions(dice.integers(0, 2, TRAINING_ROWS), chances, schema)
    return Reference(
        schema=schema, profile=bundle.DriftProfile(rows=profile.rows, columns=profile.columns, predicted=answers)
    )


def training() -> dict[str, np.ndarray]:
    matrix = np.random.default_rng(1).normal(size=(TRAINING_ROWS, FEATURES))
    matrix[:, FEATURES // 2 :] = matrix[:, FEATURES // 2 :].round(2)
    return {f"f{place}": matrix[:, place].copy() for place in range(FEATURES)}


def peak() -> int:
    """Bytes of this process at most."""
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def beside_peers(root: Path, rounds: int) -> None:
    folder, before, now = same_rows(root)
    scripts = {"evidently": HERE / "drift_by_evidently.py", "nannyml": HERE / "drift_by_nannyml.py"}
    for peer, script in scripts.items():
        command = [program(environment(peer), "python"), script, before, now]
        ours, theirs = in_turn(
            rounds,
            lambda: take(side("watch", folder, PEER_ROWS), folder=HERE),
            lambda command=command: take(command, folder=root),
        )
        report(f"drift.{peer}", ours, theirs, peer=peer, goal=PEERS_GOAL)


def beside_a_page(root: Path) -> None:
    """Bytes, which no load changes."""
    folder, before, now = same_rows(root)
    ours, page = said(side("page", folder, PEER_ROWS))["bytes"], root / "evidently.html"
    command = [program(environment("evidently"), "python"), HERE / "drift_by_evidently.py", before, now, page]
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    theirs = page.stat().st_size
    print(f"{'drift.page':<28} trilho {ours / 1e3:.0f} kB, evidently {theirs / 1e3:.0f} kB")
    sizes = {"name": "drift.page", "ratio": round(ours / theirs, 4), "goal": PAGE_GOAL, "peer": "evidently"}
    print(json.dumps({**sizes, "ours": ours, "theirs": theirs, "unit": "bytes"}))


def same_rows(root: Path) -> tuple[Path, Path, Path]:
    """The same rows for everybody: a journal, and as plain Parquet files the training data and the journal's rows."""
    folder, before, now = root / str(PEER_ROWS), root / "training.parquet", root / "now.parquet"
    if not folder.exists():
        made(root, PEER_ROWS)
        pq.write_table(pa.table(training()), before)
        parts = [part.columns for part in read(folder, since=BEGAN, until=BEGAN + PEER_ROWS / 1000)]
        pq.write_table(pa.table({name: np.concatenate([part[name] for part in parts]) for name in parts[0]}), now)
    return folder, before, now


if __name__ == "__main__":
    sys.exit(main())
