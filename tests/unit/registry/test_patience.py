"""A busy server is asked again; any other refusal is passed on at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from trilho.errors import ServerRefused, ServerUnreachable, TrilhoError
from trilho.registry.patience import ATTEMPTS, LONGEST_PAUSE, patiently


def refusal(status: int, code: str = "") -> ServerRefused:
    return ServerRefused("Refused.", why="database is locked", remedy="Wait.", status=status, error_code=code)


def answers(*given: TrilhoError | str) -> Callable[[], str]:
    waiting = list(given)

    def ask() -> str:
        answer = waiting.pop(0)
        if isinstance(answer, TrilhoError):
            raise answer
        return answer

    return ask


@pytest.mark.parametrize("busy", [refusal(500), refusal(503), refusal(409), refusal(429), refusal(400, "BAD_REQUEST")])
def test_a_busy_server_is_asked_again(busy: ServerRefused) -> None:
    pauses: list[float] = []
    assert patiently(answers(busy, busy, "yes"), pause=pauses.append) == "yes"
    assert len(pauses) == 2


@pytest.mark.parametrize(
    "final",
    [
        refusal(404, "RESOURCE_DOES_NOT_EXIST"),
        refusal(400, "INVALID_PARAMETER_VALUE"),
        refusal(403),
        ServerUnreachable("Gone.", remedy="Start it."),
    ],
)
def test_any_other_refusal_is_passed_on_at_once(final: TrilhoError) -> None:
    pauses: list[float] = []
    with pytest.raises(type(final)) as passed:
        patiently(answers(final, "never"), pause=pauses.append)
    assert passed.value is final
    assert pauses == []


def test_patience_ends_with_the_last_reason() -> None:
    pauses: list[float] = []
    with pytest.raises(ServerRefused, match="asked 8 times") as tired:
        patiently(answers(*[refusal(500, "INTERNAL_ERROR")] * ATTEMPTS), pause=pauses.append)
    assert "database is locked" in tired.value.why
    assert (tired.value.status, tired.value.error_code) == (500, "INTERNAL_ERROR")
    assert max(pauses) <= LONGEST_PAUSE


def test_what_landed_although_it_was_refused_is_not_asked_again() -> None:
    assert patiently(answers(refusal(500)), landed=lambda: "it is there", pause=lambda _: None) == "it is there"
