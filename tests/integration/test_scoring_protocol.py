"""Many bodies, asked of `mlflow models serve` and of this server.

What MLflow's server does (mlflow 3.17: pyfunc/scoring_server, utils/proto_json_utils, models/utils):

    content type    application/json, text/csv, application/vnd.apache.parquet, spelt exactly so; charset=utf-8 or none;
                    any other parameter, charset or type is 415
    JSON            by Python's reader: NaN, Infinity, UTF-16 and a byte order mark are taken, the last of equal keys
                    counts
    one key of      dataframe_split, dataframe_records, inputs, instances; other keys are ignored, `params` without a
                    schema of them too; messages, prompt or input make it a language model's body: columns at the top
    dataframe_*     a DataFrame of whatever pandas takes, each column then .astype(its type): "1.5" is a number, 3.7 in
                    a column of whole numbers is 3, every text but "" is true; times by pandas.to_datetime
    inputs          numpy.array(values, its type), by column, by value for rows as objects; a single value is repeated;
                    rows as lists have no names, so that only a model of one column takes them
    instances       rows as objects are turned into columns first, which must be of one length
    CSV             pandas.read_csv with the types, which takes no times
    Parquet         pandas.read_parquet, types as stored: whole numbers of 64 bits are no fractions, and so on
    then            missing columns are an error, others are dropped, types must be those of the signature
    errors          400, {"error_code", "message"}: BAD_REQUEST for a body, INVALID_PARAMETER_VALUE for what is in it
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from conftest import stop
from scoring_protocol.bodies import every_structure
from scoring_protocol.decisions import DECISIONS, Decision, Kind
from scoring_protocol.files import every_csv, every_parquet
from scoring_protocol.models import MODELS, Saved, saved
from scoring_protocol.servers import Client, Said, answers_ping, our_server, start_mlflow_scoring
from scoring_protocol.values import FORMS, Sent, every_value

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("mlflow models serve"),  # its servers are started once
    pytest.mark.filterwarnings("ignore:overflow encountered in dot:RuntimeWarning"),
]
GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "serving.md"


@dataclass(frozen=True)
class Outcome:
    """One body, and what both servers said to it."""

    model: str
    sent: Sent
    theirs: Said
    ours: Said

    @property
    def kind(self) -> Kind | None:
        """In which way the answers differ; None if they do not."""
        if self.theirs.status == 200 and self.ours.status == 200:
            return None if agree(self.theirs.predictions, self.ours.predictions) else "different"
        if self.theirs.status == 200:
            return "refused"
        if self.ours.status == 200:
            return "answered"
        return None if self.theirs.status == self.ours.status else "steady"

    def decided_by(self, decision: Decision) -> bool:
        meant = not decision.models or self.model in decision.models
        return meant and decision.kind == self.kind and self.sent.name.startswith(decision.bodies)

    def __str__(self) -> str:
        texts = [f"{said.status} {said.body[:160]!r}" for said in (self.theirs, self.ours)]
        return f"{self.kind}: {self.model}: {self.sent.name}\n    MLflow {texts[0]}\n    ours   {texts[1]}"


def agree(theirs: list[object], ours: list[object]) -> bool:
    if len(theirs) != len(ours) or list(map(type, theirs)) != list(map(type, ours)):
        return False
    if theirs and isinstance(theirs[0], float):
        return bool(np.allclose(np.array(theirs), np.array(ours), rtol=1e-9))
    return theirs == ours


def bodies_for(model: Saved) -> Iterator[Sent]:
    """All of them; strange values in every form for the model that has columns of every kind, else in one."""
    rows, schema = model.rows(), model.predictor.schema
    yield from every_value(rows, schema, tuple(FORMS) if model.name == "times" else ("split",))
    yield from every_structure(rows)
    yield from every_csv(rows, schema)
    yield from every_parquet(rows, schema)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Outcome]]:
    models = [saved(tmp_path_factory.mktemp("model") / "it", name) for name in MODELS]
    found: list[Outcome] = []
    with ExitStack() as running:
        started = []
        for model in models:
            process, port = start_mlflow_scoring(model)
            running.callback(stop, process)
            started.append((model, process, port))
        for model, process, port in started:
            answers_ping(port, process, model.folder / "server.log")
            theirs, ours = Client(port), Client(running.enter_context(our_server(model)))
            found += [Outcome(model.name, sent, theirs.ask(sent), ours.ask(sent)) for sent in bodies_for(model)]
            theirs.close()
            ours.close()
        yield found


def test_every_body_is_answered_as_mlflow_answers_it_or_as_was_decided(outcomes: list[Outcome]) -> None:
    otherwise = [outcome for outcome in outcomes if outcome.kind is not None]
    undecided = [outcome for outcome in otherwise if not any(map(outcome.decided_by, DECISIONS))]
    assert len(outcomes) > 2_000
    assert not undecided, "\n".join(map(str, undecided))


def test_every_decision_is_needed(outcomes: list[Outcome]) -> None:
    for decision in DECISIONS:
        for beginning in decision.bodies:
            needed = [o for o in outcomes if o.decided_by(decision) and o.sent.name.startswith(beginning)]
            assert needed, f"{decision.kind} {beginning!r}: both servers say the same"


def test_every_decision_is_in_the_guide() -> None:
    text = " ".join(GUIDE.read_text(encoding="utf-8").split())
    assert [decision.what for decision in DECISIONS if decision.what not in text] == []


def test_no_body_makes_the_server_fail(outcomes: list[Outcome]) -> None:
    assert [str(outcome) for outcome in outcomes if outcome.ours.status >= 500] == []


def test_every_refusal_has_mlflows_form_and_says_what_to_do(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.ours.status == 400:
            error = outcome.ours.error
            assert error["error_code"] in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST"), outcome
            assert error["message"], outcome
            assert error["details"]["remedy"], outcome


def test_every_strange_value_that_is_refused_is_named_by_column_and_row(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.ours.status == 400 and outcome.sent.name.startswith(("number ", "whole ", "boolean ", "time ")):
            details = outcome.ours.error["details"]
            assert details["column"] in outcome.ours.error["message"], outcome
            assert details["row"] == (0 if "alone" in outcome.sent.name else 1), outcome
