from __future__ import annotations

import pickle

import pytest

from trilho import errors
from trilho.errors import BadData, CannotPredict, ServerRefused, TrilhoError

KINDS = sorted(
    (kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, TrilhoError)),
    key=lambda kind: kind.__name__,
)


def test_message_reads_what_and_state_then_why_then_remedy() -> None:
    error = BadData("No rows.", state="Nothing changed.", why="The file is empty.", remedy="Put rows into it.")
    assert str(error) == "No rows. Nothing changed.\nThe file is empty.\nPut rows into it."


def test_parts_that_are_not_given_leave_no_gap_in_the_message() -> None:
    assert str(BadData("No rows.", remedy="Put rows into it.")) == "No rows.\nPut rows into it."


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_without_a_remedy_cannot_be_made(kind: type[TrilhoError]) -> None:
    with pytest.raises(TypeError, match="remedy"):
        kind("Something happened.")  # type: ignore[call-arg]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_crosses_processes_whole(kind: type[TrilhoError]) -> None:
    error = kind("What.", state="State.", why="Why.", remedy="Remedy.")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert vars(copy) == vars(error)
    assert str(copy) == str(error)


def test_a_refusal_keeps_its_status_across_processes() -> None:
    copy = pickle.loads(pickle.dumps(ServerRefused("No.", remedy="Ask.", status=404, error_code="NOT_FOUND")))
    assert (copy.status, copy.error_code) == (404, "NOT_FOUND")


def test_a_prediction_error_keeps_its_place_across_processes() -> None:
    copy = pickle.loads(pickle.dumps(CannotPredict("No.", remedy="Mend it.", column="age", row=3)))
    assert (copy.column, copy.row) == ("age", 3)


def test_an_error_with_notes_crosses_processes() -> None:
    error = BadData("No rows.", remedy="Put rows into it.")
    error.add_note("while reading part 3")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize("kind", KINDS)
def test_the_drawing_on_top_shows_every_error(kind: type[TrilhoError]) -> None:
    assert kind.__name__ in (errors.__doc__ or "").replace("\n", " ").split()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not TrilhoError])
def test_the_tree_has_one_level(kind: type[TrilhoError]) -> None:
    assert kind.__bases__ == (TrilhoError,)
