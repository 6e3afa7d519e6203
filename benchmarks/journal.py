"""Is reading the journal nearly as fast as reading its files? A window of ten million rows of 30 features.

The peer is one pass of pyarrow over the same Parquet files, batch by batch, every column, and nothing done with them.
The journal's reader does that, and gives NumPy arrays with ids, versions, labels and probabilities. Each side is a
process of its own, in turn, everything in the page cache as far as it fits. The files are made by the journal itself:
streams of 64 MB that its keeper closes.

    python benchmarks/journal.py [--rows 10000000] [--rounds 3] [--folder DIR]

prints a line to read and one of JSON for: the whole window, two of its features, and 1 % of its time.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from timing import in_turn, report, take

from trilho.journal import Features, Keeper, read
from trilho.journal.arrow_form import to_batch
from trilho.journal.block import Block
from trilho.journal.segment import Segment

GOAL = 3.0
BEGAN = 1_790_000_000.0  # when the first row was answered; a thousand follow each second
BATCH, FEATURES = 4096, 30


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to make the journal; default: a temporary folder")
    parser.add_argument("--side", choices=("pass", "whole", "columns", "window"), help="read only, in this process")
    asked = parser.parse_args()
    if asked.side:
        print(rows_read(asked.side, asked.folder, asked.rows))
        return 0
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        make(Path(name), asked.rows)
        command = [sys.executable, __file__, "--folder", name, "--rows", str(asked.rows), "--side"]
        sides = [
            lambda side=side: take([*command, side], folder=Path.cwd())
            for side in ("whole", "columns", "window", "pass")
        ]
        whole, columns, window, bare = in_turn(asked.rounds, *sides)
    report("journal.whole", whole, bare, peer="pyarrow", goal=GOAL)
    report("journal.columns", columns, bare, peer="pyarrow", goal=None)
    report("journal.window", window, bare, peer="pyarrow", goal=None)
    return 0


def make(folder: Path, rows: int) -> None:
    """The journal of a server that answered so many rows: half of the features in full, half to two places."""
    dice = np.random.default_rng(0)
    keeper = Keeper(folder, max_bytes=1 << 50, keep=None)
    segment: Segment | None = None
    for first in range(0, rows, BATCH):
        batch = to_batch([_block(dice, first, min(BATCH, rows - first))])
        segment = segment or Segment(folder, batch.schema)
        segment.append(batch)
        if segment.size >= 64 << 20 or first + BATCH >= rows:
            segment.close()
            segment = None
            problem = keeper.tidy(BEGAN).problem
            if problem:
                raise RuntimeError(problem)


def rows_read(side: str, folder: Path, rows: int) -> int:
    """Read it as this side does; how many rows that were."""
    if side == "pass":
        files = sorted((folder / "predictions").iterdir())
        return sum(batch.num_rows for path in files for batch in pq.ParquetFile(path).iter_batches(65_536))
    seconds = rows / 1000 / (100 if side == "window" else 1)
    wanted = ["f3", "f20"] if side == "columns" else None
    parts = read(folder, since=BEGAN, until=BEGAN + seconds, columns=wanted)
    return sum(len(part.ids) for part in parts)


def _block(dice: np.random.Generator, first: int, rows: int) -> Block:
    matrix = dice.normal(size=(rows, FEATURES))
    matrix[:, FEATURES // 2 :] = matrix[:, FEATURES // 2 :].round(2)
    return Block(
        form=(),
        model="measured",
        version="3",
        requests=[secrets.token_hex(8) for _ in range(rows)],
        sizes=[1] * rows,
        times=[BEGAN + (first + row) / 1000 for row in range(rows)],
        latencies=[0.001] * rows,
        features=Features(names=tuple(f"f{place}" for place in range(FEATURES)), matrix=matrix),
        labels=dice.integers(0, 2, rows),
        probabilities=dice.random((rows, 2)),
        rows=rows,
    )


if __name__ == "__main__":
    sys.exit(main())
