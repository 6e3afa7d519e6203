"""Does an unchanged folder cost next to nothing? Its fingerprint with a memory against reading the same folder.

Two ways of reading are the peers, both in the same process, in turn with the fingerprint, everything in the page cache:

- reading it: the fingerprint without a memory, which reads every byte and hashes it. This is what the memory saves.
- the bare bytes: open, read, close, and nothing done with what was read; a lower bound that no fingerprint can have.

    python benchmarks/fingerprint.py [--files 10000] [--size 262144] [--rounds 7] [--folder DIR]

prints one line of JSON (median over the rounds) and one to read.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from trilho import data

GOAL = 0.05


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=262_144, help="bytes of each file")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, help="where to make the files; default: a temporary folder")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        root = Path(name)
        make(root / "parts", asked.files, asked.size)
        result = measure(root, asked.rounds)
    result = {"name": "fingerprint", **result, "goal": GOAL, "files": asked.files, "size": asked.size}
    print(json.dumps(result))
    print(
        f"fingerprint   unchanged {asked.files:,} files of {asked.size:,} bytes: {result['unchanged_s'] * 1e3:.1f} ms, "
        f"{result['ratio']:.3f} of reading them ({result['reading_s']:.2f} s; goal {GOAL}), "
        f"{result['ratio_to_bare_bytes']:.3f} of the bare bytes ({result['bare_bytes_s']:.2f} s)"
    )
    return 0


def make(folder: Path, files: int, size: int) -> None:
    """Files of random bytes: no two share a block."""
    folder.mkdir()
    dice = random.Random(0)
    for number in range(files):
        (folder / f"part-{number:06d}.parquet").write_bytes(dice.randbytes(size))


def measure(root: Path, rounds: int) -> dict[str, float]:
    """Medians in seconds, and their ratios."""
    memory = root / "memory"
    time.sleep(
        2.1
    )  # files this young are not remembered yet, because their times could stay the same when written again
    expected = data.fingerprint("parts", root=root, memory=memory)

    def unchanged() -> object:
        return data.fingerprint("parts", root=root, memory=memory)

    def reading() -> object:
        return data.fingerprint("parts", root=root)

    def bare_bytes() -> object:
        with os.scandir(root / "parts") as entries:
            for entry in entries:
                with open(entry.path, "rb", buffering=0) as file:  # noqa: PTH123 - the peer shall be fast
                    file.read()
        return expected

    seconds: dict[Callable[[], object], list[float]] = {unchanged: [], reading: [], bare_bytes: []}
    for _ in range(rounds):
        for work, taken in seconds.items():
            start = time.perf_counter()
            answer = work()
            taken.append(time.perf_counter() - start)
            if answer != expected:
                raise RuntimeError(f"{work.__name__} answered {answer}, expected {expected}")
    ours, read, bare = (statistics.median(taken) for taken in seconds.values())
    return {
        "ratio": round(ours / read, 4),
        "ratio_to_bare_bytes": round(ours / bare, 4),
        "unchanged_s": round(ours, 5),
        "reading_s": round(read, 4),
        "bare_bytes_s": round(bare, 4),
    }


if __name__ == "__main__":
    sys.exit(main())
