"""The keeper is killed at each change it makes to a file, one after the other."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from trilho.journal import TrueLabel, forget, label, read_truth
from unit.journal.entries import KINDS, ids, in_parquet, journaled, tidied

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a Unix thing")

# Python tells an audit hook before each of these. Argument: the number of the one that is not survived.
_SCRIPT = """
import os, signal, sys
from pathlib import Path
import pyarrow.parquet
from trilho.journal import Keeper, closing, forgetting, labelling
folder, last = Path(sys.argv[1]), int(sys.argv[2])
seen = 0
def hook(event, args):
    global seen
    if event in ("os.rename", "os.remove", "os.utime") and str(folder) in str(args[0]):
        seen += 1
        if seen == last:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
state = Keeper(folder).tidy(2000.0)
assert state.problem == "", state.problem
"""


def keeper(folder: Path, *, killed_at: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _SCRIPT, str(folder), str(killed_at)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def kills(folder: Path) -> int:
    """Let keepers be killed later and later, until one lives to the end; checks nothing. How many were killed."""
    for number in range(1, 200):
        done = keeper(folder, killed_at=number)
        if done.returncode != -signal.SIGKILL:
            assert done.returncode == 0, done.stderr
            return number - 1
    raise AssertionError("never came to an end")


@pytest.mark.parametrize("number", range(1, 11))
def test_no_row_is_lost_or_doubled_wherever_it_is_killed(tmp_path: Path, number: int) -> None:
    kind = list(KINDS)[number % len(KINDS)]
    for name in "ab":
        journaled(tmp_path, KINDS[kind](name, rows=5))
    journaled(tmp_path, KINDS[kind]("c", rows=5))
    tidied(tmp_path)
    journaled(tmp_path, KINDS[kind]("d", rows=5))
    label(tmp_path, [TrueLabel(id=f"{name}-0", label=1, time=1000.0) for name in "abcd"])
    forget(tmp_path, ["c-1", "d-1", "b-0"])
    expected = Counter(f"{name}-{row}" for name in "abcd" for row in range(5)) - Counter(["c-1", "d-1", "b-0"])
    done = keeper(tmp_path, killed_at=number)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert Counter(ids(tmp_path)) == expected
    assert read_truth(tmp_path).labels == 3
    tidied(tmp_path)
    assert Counter(ids(tmp_path)) == expected
    assert list(tmp_path.glob("*.arrows")) == []
    assert b"b-0" not in b"".join(path.read_bytes() for path in tmp_path.glob("labels-*"))


def test_keepers_killed_one_after_the_other_come_to_the_end(tmp_path: Path) -> None:
    for name in "ab":
        journaled(tmp_path, KINDS["all numbers"](name, rows=5))
    forget(tmp_path, ["a-3"])
    assert kills(tmp_path) >= 3
    expected = [f"{name}-{row}" for name in "ab" for row in range(5) if (name, row) != ("a", 3)]
    assert sorted(ids(tmp_path)) == expected
    assert all(path.suffix == ".parquet" for path in in_parquet(tmp_path))
