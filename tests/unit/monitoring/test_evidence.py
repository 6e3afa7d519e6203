"""What a decision on retraining is made from, and where decisions to do nothing are kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from trilho import journal, registry
from trilho.errors import JournalUnwritable
from trilho.monitoring import Decision, Reason, decided, gather, keep, keep_decision, new_labels
from trilho.testing import Clock, InMemoryVersionStore
from unit.monitoring.test_retraining import NOW, report

HOUR = 3600.0


@pytest.fixture
def store() -> InMemoryVersionStore:
    clock = Clock(NOW - 100 * HOUR)
    found = InMemoryVersionStore(clock=clock)
    found.create("churn", source="models:/m-1", run_id="", model_id="m-1", tags={})
    registry.promote(found, "churn", 1, before=None, who="ana", why="first", clock=clock)
    return found


def answers(folder: Path, rows: int, *, request: str = "a", model: str = "churn") -> None:
    written = journal.Journal(folder)
    written.append(
        journal.Answered(
            request=request,
            time=NOW - 50 * HOUR,
            model=model,
            version="1",
            latency=0.001,
            features=journal.Features.of({"x": np.zeros(rows)}),
            labels=np.zeros(rows, dtype=int),
            probabilities=None,
        )
    )
    written.close()


def labels(folder: Path, *rows: int, at: float, request: str = "a") -> None:
    journal.label(folder, [journal.TrueLabel(id=f"{request}-{row}", label=1, time=at) for row in rows])


def test_labels_count_from_when_they_came_and_only_for_answers_of_this_model(tmp_path: Path) -> None:
    assert new_labels(tmp_path, "churn", since=0) == 0
    answers(tmp_path, 10)
    answers(tmp_path, 5, request="b", model="another")
    labels(tmp_path, 0, 1, 2, at=NOW - 40 * HOUR)
    labels(tmp_path, 3, 4, 99, at=NOW - HOUR)
    labels(tmp_path, 0, 1, request="b", at=NOW - HOUR)
    assert new_labels(tmp_path, "churn", since=0) == 5
    assert new_labels(tmp_path, "churn", since=NOW - 2 * HOUR) == 2
    assert new_labels(tmp_path, "churn", since=0, until=NOW - 2 * HOUR) == 3
    labels(tmp_path, 0, at=NOW)
    assert new_labels(tmp_path, "churn", since=NOW - 2 * HOUR) == 3, "corrected, it is new"


def test_labels_are_new_until_a_retraining_learned_from_them(store: InMemoryVersionStore, tmp_path: Path) -> None:
    answers(tmp_path, 10)
    labels(tmp_path, 0, 1, 2, at=NOW - 40 * HOUR)
    labels(tmp_path, 3, at=NOW - HOUR)
    assert gather(store, "churn", tmp_path, now=NOW).new_labels == 4
    clock = Clock(NOW - 30 * HOUR)
    held = registry.claim(store, "churn", after=None, champion=1, why="drift", clock=clock)
    assert held is not None
    assert gather(store, "churn", tmp_path, now=NOW).new_labels == 4
    registry.end_claim(store, "churn", held, "failed", "no memory")
    assert gather(store, "churn", tmp_path, now=NOW).new_labels == 4
    again = registry.claim(
        store, "churn", after=registry.last_claim(store, "churn"), champion=1, why="drift", clock=clock
    )
    assert again is not None
    registry.end_claim(store, "churn", again, "refused", "v2")
    found = gather(store, "churn", tmp_path, now=NOW)
    assert found.new_labels == 1
    assert found.claim == registry.last_claim(store, "churn")


def test_champion_and_what_monitoring_left_are_found(store: InMemoryVersionStore, tmp_path: Path) -> None:
    assert gather(store, "unknown", tmp_path, now=NOW).version == ""
    assert gather(store, "churn", tmp_path, now=NOW).report is None
    keep(tmp_path, [report(version="1")])
    found = gather(store, "churn", tmp_path, now=NOW, asked="ana")
    assert (found.version, found.asked, found.performance) == ("1", "ana", None)
    assert found.report == report(version="1")
    just_now = report(version="1", moved=0)
    assert gather(store, "churn", tmp_path, report=just_now).report == just_now


def test_damaged_report_is_as_good_as_none(store: InMemoryVersionStore, tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "latest.json").write_text("{", encoding="utf-8")
    (tmp_path / "reports" / "performance.json").write_text("{", encoding="utf-8")
    found = gather(store, "churn", tmp_path, now=NOW)
    assert (found.report, found.performance) == (None, None)


def no(at: float) -> Decision:
    reason = Reason(question="labels", answer="no", text="12 new labels, 200 are needed")
    return Decision(at=at, model="churn", version="1", action="none", reasons=(reason,), new_labels=12)


def test_decisions_come_back_in_order_across_days(tmp_path: Path) -> None:
    for at in (NOW - 48 * HOUR, NOW - HOUR, NOW):
        keep_decision(tmp_path, no(at))
    assert [one.at for one in decided(tmp_path)] == [NOW - 48 * HOUR, NOW - HOUR, NOW]
    assert list(decided(tmp_path, since=NOW)) == [no(NOW)]
    assert list(decided(tmp_path / "nowhere")) == []


def test_line_that_a_kill_cut_off_costs_no_other(tmp_path: Path) -> None:
    keep_decision(tmp_path, no(NOW))
    [path] = (tmp_path / "reports").glob("decisions-*")
    with path.open("ab") as file:
        file.write(b'\n{"at":12345,"mod')
    keep_decision(tmp_path, no(NOW + 1))
    assert [one.at for one in decided(tmp_path)] == [NOW, NOW + 1]


def test_several_monitors_may_write_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda place: keep_decision(tmp_path, no(NOW + place)), range(200)))
    assert sorted(one.at for one in decided(tmp_path)) == [NOW + place for place in range(200)]


def test_decision_that_cannot_be_kept_says_so(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("in the way", encoding="utf-8")
    with pytest.raises(JournalUnwritable, match="could not be kept"):
        keep_decision(tmp_path, no(NOW))
