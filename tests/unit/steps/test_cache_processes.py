"""Several processes at one cache, one of them killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from trilho.steps.cache import Cache, Entry

# Makes "k" unless it is there; tells how it went. With "slow" it waits for the test in the middle of making.
MAKER = """
    import pathlib, sys
    from trilho.steps.cache import Cache, Entry

    root, how = pathlib.Path(sys.argv[1]), sys.argv[2]
    cache = Cache(root / "cache")
    print("started", flush=True)
    sys.stdin.readline()
    with cache.lock("train", "k"):
        if isinstance(cache.find("train", "k"), Entry):
            print("reused", flush=True)
        else:
            with cache.workplace("train", "k") as out:
                (out / "half").write_text("half")
                if how == "slow":
                    print("making", flush=True)
                    sys.stdin.readline()
                with (root / "made").open("a") as made:
                    made.write("x")
                (out / "half").write_text("whole")
                cache.keep("train", "k", out, ingredients={}, facts="made", seconds=0.0)
            print("made", flush=True)
"""


class Maker:
    """A process that makes the entry, told when to go on."""

    def __init__(self, root: Path, how: str = "fast") -> None:
        command = [sys.executable, "-c", textwrap.dedent(MAKER), str(root), how]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.expect("started")

    def go_on(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def expect(self, word: str) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == word

    def said(self) -> str:
        out, _ = self.process.communicate(timeout=120)
        assert self.process.returncode == 0
        return out.strip()

    def kill(self) -> None:
        self.process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        self.process.communicate(timeout=120)


def test_two_processes_at_once_make_an_entry_once(tmp_path: Path) -> None:
    first, second = Maker(tmp_path, "slow"), Maker(tmp_path)
    first.go_on()
    first.expect("making")
    second.go_on()  # waits for the first, however long it takes
    first.go_on()
    assert [first.said(), second.said()] == ["made", "reused"]
    assert (tmp_path / "made").read_text(encoding="utf-8") == "x"


def test_many_processes_at_once_make_an_entry_once(tmp_path: Path) -> None:
    makers = [Maker(tmp_path) for _ in range(6)]
    for maker in makers:
        maker.go_on()
    assert sorted(maker.said() for maker in makers) == ["made", *["reused"] * 5]
    assert (tmp_path / "made").read_text(encoding="utf-8") == "x"


def test_a_process_killed_while_making_leaves_no_entry_and_the_next_makes_it(tmp_path: Path) -> None:
    killed = Maker(tmp_path, "slow")
    killed.go_on()
    killed.expect("making")
    killed.kill()
    cache = Cache(tmp_path / "cache")
    assert cache.find("train", "k") is None
    assert cache.last("train") is None
    again = Maker(tmp_path)
    again.go_on()
    assert again.said() == "made"
    entry = cache.find("train", "k")
    assert isinstance(entry, Entry)
    assert (entry.folder / "half").read_text(encoding="utf-8") == "whole"
    assert [path.name for path in (cache.root / "train").iterdir()] == ["k"]


def test_what_a_killed_process_left_goes_when_another_key_is_made(tmp_path: Path) -> None:
    killed = Maker(tmp_path, "slow")
    killed.go_on()
    killed.expect("making")
    cache = Cache(tmp_path / "cache")

    def make(key: str) -> None:
        with cache.lock("train", key), cache.workplace("train", key) as out:
            cache.keep("train", key, out, ingredients={}, facts="", seconds=0.0)

    make("while it lives")
    assert (cache.root / "train" / ".making-k" / "out" / "half").exists()
    killed.kill()
    make("after its death")
    assert not (cache.root / "train" / ".making-k").exists()
