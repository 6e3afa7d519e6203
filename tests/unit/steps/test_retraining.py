"""A claim that is held: what came of it is told once, whatever happens to the work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from trilho import registry, wire
from trilho.errors import ServerUnreachable, StepFailed
from trilho.project.file import ProjectFile
from trilho.registry import Claim
from trilho.steps.publish import Receipt
from trilho.steps.retraining import Work, at_work, came_of
from trilho.testing import Clock, InMemoryVersionStore
from unit.steps.cases import project

BEGAN = 1_000_000.0


@pytest.fixture
def clock() -> Clock:
    return Clock(BEGAN - 100)


@pytest.fixture
def store(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> InMemoryVersionStore:
    """A registry with a champion, which every client reaches."""
    found = InMemoryVersionStore(clock=clock)
    version(found)
    registry.promote(found, "shop", 1, before=None, who="ana", why="first", clock=clock)
    clock.advance(100)
    monkeypatch.setattr(registry, "open_store", lambda _: found)
    return found


@pytest.fixture
def held(store: InMemoryVersionStore, clock: Clock) -> Claim:
    found = registry.claim(store, "shop", after=None, champion=1, why="drift", clock=clock)
    assert found is not None
    return found


@pytest.fixture
def made(tmp_path: Path) -> ProjectFile:
    return project(tmp_path, retrain={"data": "original"})


CLIENT = wire.connect("http://127.0.0.1:9")


def version(store: InMemoryVersionStore) -> Receipt:
    added = store.create("shop", source="models:/m-1", run_id="", model_id="m-1", tags={})
    return Receipt(name="shop", number=added.number, digest="", run_id="")


def outcome(store: InMemoryVersionStore) -> str:
    last = registry.last_claim(store, "shop")
    assert last is not None
    return last.outcome


def worked(made: ProjectFile, held: Claim, receipt: Receipt | None) -> Work:
    with at_work(made, CLIENT, held) as work:
        work.receipt = receipt
    return work


def test_promotion_since_the_claim_is_what_came_of_it(
    store: InMemoryVersionStore, held: Claim, made: ProjectFile
) -> None:
    receipt = version(store)
    registry.promote(store, "shop", 2, before=1, who="ana", why="all gates passed")
    assert worked(made, held, receipt).outcome == outcome(store) == "promoted: v2"


def test_refusal_is_told_with_its_reason(store: InMemoryVersionStore, held: Claim) -> None:
    receipt = version(store)
    registry.refuse(store, "shop", 2, who="ana", why="f1 fell")
    assert came_of(store, receipt, held) == ("refused", "v2: f1 fell")


def test_version_that_was_there_before_is_nothing_new(store: InMemoryVersionStore, held: Claim) -> None:
    receipt = Receipt(name="shop", number=1, digest="", run_id="")
    assert came_of(store, receipt, held) == ("unchanged", "what there is to learn from makes v1 again")


def test_version_that_nobody_judges_is_registered(store: InMemoryVersionStore, held: Claim) -> None:
    assert came_of(store, version(store), held)[0] == "registered"


@pytest.mark.parametrize(
    ("problem", "ending"),
    [
        (StepFailed("Step train failed.", remedy="Correct it."), "failed: Step train failed."),
        (ValueError("odd"), "failed: ValueError: odd"),
        (KeyboardInterrupt(), "stopped: KeyboardInterrupt"),
        (ServerUnreachable("No answer.", remedy="Start it."), ""),
    ],
)
def test_what_goes_wrong_ends_the_claim_unless_it_can_be_gone_on_with(
    store: InMemoryVersionStore, held: Claim, made: ProjectFile, problem: BaseException, ending: str
) -> None:
    with pytest.raises(type(problem)), at_work(made, CLIENT, held):
        raise problem
    assert outcome(store) == ending


def test_without_a_receipt_the_claim_stays(store: InMemoryVersionStore, held: Claim, made: ProjectFile) -> None:
    assert worked(made, held, None).outcome == ""
    assert outcome(store) == ""


def test_who_was_overtaken_leaves_the_telling_to_the_other(
    store: InMemoryVersionStore, held: Claim, made: ProjectFile
) -> None:
    receipt = version(store)
    other = registry.claim(store, "shop", after=held, champion=1, why="drift", resume=True)
    assert other is not None
    assert worked(made, held, receipt).outcome == "somebody else went on with it"
    assert outcome(store) == ""


def test_retraining_that_ended_three_processes_is_given_up(
    store: InMemoryVersionStore, held: Claim, made: ProjectFile
) -> None:
    last: Claim = held
    for _ in range(3):
        again: Any = registry.claim(store, "shop", after=last, champion=1, why="drift", resume=True)
        last = again
    with pytest.raises(StepFailed, match="3 processes ended over it") as told, at_work(made, CLIENT, last):
        raise AssertionError("nothing is trained")
    assert "trilho retrain" in told.value.remedy
    assert outcome(store).startswith("failed: The retraining is given up")
