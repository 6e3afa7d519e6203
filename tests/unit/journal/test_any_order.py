"""Writers, kills, keepers, labels and wishes to be forgotten, in any order: what is read is always what should be."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections import Counter
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from trilho.journal import Keeper, TrueLabel, forget, label, read_labelled
from trilho.journal.arrow_form import to_batch
from trilho.journal.block import blocks_of
from trilho.journal.segment import Segment
from unit.journal.entries import KINDS, ids, journaled, numbers, tidied


class AnyOrder(RuleBasedStateMachine):
    """Beside the real folder, what should be read from it."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.open: list[Segment] = []
        self.rows: set[str] = set()
        self.truth: dict[str, int] = {}
        self.gone: set[str] = set()
        self.made = 0

    @rule(kind=st.sampled_from(list(KINDS)), rows=st.integers(1, 4))
    def open_stream(self, kind: str, rows: int) -> None:
        [block] = blocks_of([KINDS[kind](f"r{self.made}", rows=rows)])
        batch = to_batch([block])
        segment = Segment(self.folder, batch.schema)
        segment.append(batch)
        self.open.append(segment)
        self.rows |= {f"r{self.made}-{row}" for row in range(rows)}
        self.made += 1

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def end_stream(self, data: st.DataObject) -> None:
        segment = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        data.draw(st.sampled_from([segment.close, segment.abandon]))()

    @precondition(lambda self: self.open)
    @rule()
    def kill_writer_in_the_middle_of_a_batch(self) -> None:
        segment = self.open.pop()
        segment._file.close()
        with segment.path.open("ab") as file:
            file.write(b"\xff\xff\xff\xff\x10\x02\x00\x00half")
        segment._lock.release()  # as the system does; the lock's file stays

    @rule()
    def tidy(self) -> None:
        assert Keeper(self.folder, keep=None).tidy(2000.0).problem == ""

    @precondition(lambda self: self.made)
    @rule(data=st.data())
    def forget_some(self, data: st.DataObject) -> None:
        chosen = data.draw(st.lists(st.tuples(st.integers(0, self.made), st.integers(0, 4)), max_size=3))
        names = [f"r{request}-{row}" for request, row in chosen]
        forget(self.folder, names)
        self.gone |= set(names)

    @precondition(lambda self: self.made)
    @rule(request=st.data(), value=st.integers(0, 1))
    def label_one(self, request: st.DataObject, value: int) -> None:
        name = f"r{request.draw(st.integers(0, self.made))}-0"
        label(self.folder, [TrueLabel(id=name, label=value, time=1.0)])
        self.truth[name] = value

    @precondition(lambda self: list(self.folder.glob("predictions/*.parquet")))
    @rule()
    def leave_a_stream_beside_its_parquet_file(self) -> None:
        """As a keeper does that is killed between the two."""
        path = min(self.folder.glob("predictions/*.parquet"))
        (self.folder / f"{path.stem}.arrows").write_bytes(b"")

    @invariant()
    def every_row_is_read_once_but_the_forgotten(self) -> None:
        if hasattr(self, "folder"):
            assert Counter(ids(self.folder)) == Counter(self.rows - self.gone)

    @invariant()
    def every_label_of_a_row_is_read_but_the_forgotten(self) -> None:
        if hasattr(self, "folder"):
            parts = read_labelled(self.folder, since=0, until=1e11)
            found = {str(name): value for part in parts for name, value in zip(part.rows.ids, part.truth, strict=True)}
            wanted = self.rows - self.gone
            assert found == {name: value for name, value in self.truth.items() if name in wanted}

    def teardown(self) -> None:
        for segment in getattr(self, "open", []):
            segment.close()
        if hasattr(self, "folder"):
            tidied(self.folder)
            names = [name for path in self.folder.rglob("*.parquet") for name in self.gone if _holds(path, name)]
            assert names == [], "nothing that was forgotten is left on the disk"
            assert list(self.folder.glob("*.arrows")) + list(self.folder.glob("predictions-*.lock")) == []
            shutil.rmtree(self.folder)


def _holds(path: Path, name: str) -> bool:
    import pyarrow.parquet as pq

    return name in pq.read_table(path, columns=["id"]).column("id").to_pylist()


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)


def test_who_reads_while_rows_are_forgotten_misses_and_doubles_none(tmp_path: Path) -> None:
    for number in range(4):
        journaled(tmp_path, numbers(f"r{number}", rows=50))
    tidied(tmp_path)
    stay = {f"r{number}-{row}" for number in range(4) for row in range(50) if row >= 10}
    done = threading.Event()
    wrong: list[object] = []

    def look() -> None:
        while not done.is_set():
            found = Counter(ids(tmp_path))
            if max(found.values()) > 1 or not stay <= set(found):
                wrong.append(found)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for row in range(10):
        forget(tmp_path, [f"r{number}-{row}" for number in range(4)])
        assert not {f"r{number}-{row}" for number in range(4)} & set(ids(tmp_path))
        tidied(tmp_path)
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert set(ids(tmp_path)) == stay
