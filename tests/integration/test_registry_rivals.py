"""Rival promotions from several processes against a real server, some of them killed half-way."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from trilho import registry, wire
from trilho.registry import CHAMPION, PREVIOUS, VersionStore

RIVAL = Path(__file__).parents[1] / "unit" / "registry" / "rival.py"
SECONDS = 600  # a bound for a machine that hangs, not a wish


@pytest.fixture
def store(mlflow_server: str) -> Iterator[VersionStore]:
    with wire.connect(mlflow_server, seconds=120) as client:
        yield registry.open_store(client)


@dataclass
class Race:
    won: list[dict[str, Any]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)


def race(address: str, rivals: list[list[str]]) -> Race:
    """Start all, let them go at once, and gather what each was told."""
    processes = [
        subprocess.Popen(
            [sys.executable, str(RIVAL), address, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        for arguments in rivals
    ]
    result = Race()
    try:
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in processes:
            said, _ = process.communicate(timeout=SECONDS)
            result.ends.append(process.returncode)
            for line in said.splitlines():
                told = json.loads(line)
                result.won += [told["won"]] if "won" in told else []
                result.lost += [told["lost"]] if "lost" in told else []
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return result


def register(store: VersionStore, count: int) -> str:
    name = f"race-{secrets.token_hex(4)}"
    for _ in range(count):
        store.create(name, source="s3://bucket/model", run_id="", model_id="", tags={})
    return name


def check_story(store: VersionStore, name: str, told: Race) -> None:
    history = registry.history(store, name)
    moves = [event for event in history if event.valid]
    assert [event.before for event in moves] == [None, *(event.after for event in moves[:-1])], "one line of champions"
    assert [event.number for event in history] == list(range(1, len(history) + 1)), "the history is whole"
    by_number = {event.number: vars(event) for event in history}
    for event in told.won:
        assert by_number[event["number"]] == event, "every claimed win is true"
    assert {event.who for event in moves}.isdisjoint(told.lost)
    assert {event.kind for event in history} == {"promoted"}, "nobody took a rival for a person"
    alias, previous = store.by_alias(name, CHAMPION), store.by_alias(name, PREVIOUS)
    assert alias is not None
    assert alias.number == moves[-1].after
    assert previous is not None
    assert previous.number == moves[-2].after
    assert [version.number for version in store.versions(name) if version.stage == "Production"] == [alias.number]


@pytest.mark.slow
def test_36_rival_promotions_leave_one_champion_a_whole_history_and_true_claims(
    mlflow_server: str, store: VersionStore
) -> None:
    name = register(store, 36)
    told = race(mlflow_server, [[name, ",".join(str(n) for n in range(first, 37, 6))] for first in range(1, 7)])
    assert told.ends == [0] * 6
    assert sorted(event["after"] for event in told.won) == list(range(1, 37)), "each won once"
    check_story(store, name, told)
    assert all(entry.settled for entry in store.events(name) if entry.event.number == told.won[-1]["number"])
    assert not any(entry.writing for entry in store.events(name))


@pytest.mark.slow
def test_rivals_killed_between_event_and_alias_leave_what_the_next_one_puts_right(
    mlflow_server: str, store: VersionStore
) -> None:
    name = register(store, 14)
    deaths = [["append_event", "after"], ["set_alias", "before"], ["set_alias", "after"], ["tag_event", "after"]]
    dying = [[name, f"{2 * place + 1},{2 * place + 2}", *death] for place, death in enumerate(deaths)]
    told = race(mlflow_server, [*dying, [name, "9,10,11"], [name, "12,13,14"]])
    assert [code != 0 for code in told.ends] == [True] * 4 + [False] * 2
    champion = registry.champion(store, name)
    assert champion is not None
    check_story(store, name, told)
    assert {event["after"] for event in told.won} == {1, 3, 5, 7, *range(9, 15)}


def test_a_promoter_killed_after_its_event_has_promoted_as_soon_as_somebody_asks(
    mlflow_server: str, store: VersionStore
) -> None:
    name = register(store, 2)
    told = race(mlflow_server, [[name, "1,2", "append_event", "after"]])
    assert [event["after"] for event in told.won] == [1]
    alias = store.by_alias(name, CHAMPION)
    assert alias is not None
    assert alias.number == 1, "it died before it came to that"
    champion = registry.champion(store, name)
    assert champion is not None
    assert champion.number == 2
    check_story(store, name, told)


def test_a_promoter_killed_before_its_event_has_promoted_nothing(mlflow_server: str, store: VersionStore) -> None:
    name = register(store, 3)
    race(mlflow_server, [[name, "1"]])
    told = race(mlflow_server, [[name, "2,3", "append_event", "before"]])
    champion = registry.champion(store, name)
    assert champion is not None
    assert champion.number == 2
    check_story(store, name, told)
