"""What a model fails at is counted by version; what callers send that does not fit it is not."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from shipped import KINDS, Shipped
from trilho import bundle
from trilho.serving.app import App
from trilho.serving.asking import Desk
from trilho.serving.assembly import assembled
from trilho.serving.counting import Counts
from trilho.serving.slot import Served, Slot
from unit.serving.asking import Answer, ask, asking


class Moody:
    """A model that raises at all rows of a request where one is above 20 in its first column."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def predict_proba(self, frame: Any) -> Any:
        if (frame.iloc[:, 0] > 20).any():
            raise ZeroDivisionError("division by zero")
        return self._model.predict_proba(frame)

    def predict(self, frame: Any) -> Any:
        return self._model.predict(frame)


def moody(folder: Path, *, batched: bool) -> tuple[App, Counts, Shipped]:
    shipped = KINDS["native"](folder)
    predictor = bundle.open(shipped.path)
    engine: Any = predictor._engine
    engine._model = Moody(engine._model)
    slot = Slot(Served(predictor=predictor, name="tried", version="3", since=0.0, batched=batched))
    counts = Counts()
    return assembled(Desk(slot, counts)), counts, shipped


def row(shipped: Shipped, **values: Any) -> bytes:
    record = {**json.loads(shipped.frame[:1].to_json(orient="records"))[0], **values}
    return json.dumps({"dataframe_records": [record]}).encode()


def answered(app: App, body: bytes) -> Answer:
    found = ask(app, "POST", "/invocations", body)
    assert found is not None
    return found


@pytest.mark.parametrize("batched", [False, True])
def test_requests_that_a_native_model_fails_at_are_counted(tmp_path: Path, batched: bool) -> None:
    app, counts, shipped = moody(tmp_path, batched=batched)
    first = shipped.frame.columns[0]

    async def scene() -> list[Answer | None]:
        bodies = [row(shipped, **{first: value}) for value in (1.0, 21.0, 2.0, 22.0, 3.0)]
        return await asyncio.gather(*(asking(app, "POST", "/invocations", body) for body in bodies))

    assert [found.status for found in asyncio.run(scene()) if found] == [200, 400, 200, 400, 200]
    assert counts.failures == {"tried\n3": 2}
    assert sum(counts.models["tried\n3"].counts) == 3, "those it answered are counted apart"


def test_version_that_never_answered_is_counted_too(tmp_path: Path) -> None:
    app, counts, shipped = moody(tmp_path, batched=False)
    assert answered(app, row(shipped, **{shipped.frame.columns[0]: 30.0})).status == 400
    assert counts.failures == {"tried\n3": 1}


def test_rows_that_do_not_fit_are_no_failure_of_the_model(shipped: Shipped) -> None:
    counts = Counts()
    app = assembled(Desk(Slot(Served(predictor=shipped.predictor, name="tried", version="3", since=0.0)), counts))
    first = shipped.frame.columns[0]
    wrong: list[bytes] = [row(shipped, **{first: "no number"}), b"{", b'{"dataframe_records": [{"strange": 1}]}']
    assert [answered(app, body).status for body in wrong] == [400, 400, 400]
    assert answered(app, row(shipped)).status == 200
    assert counts.failures == {"tried\n3": 0}


def test_bug_in_a_compiled_models_runtime_is_a_failure(numbers: Shipped) -> None:
    class Broken:
        schema, runtime, coded, all_numbers = numbers.schema, "onnx", False, False

        def predict(self, columns: object) -> None:
            raise RuntimeError("no memory")

    counts = Counts()
    broken = Served(predictor=Broken(), name="tried", version="9", since=0.0)  # type: ignore[arg-type]
    assert answered(assembled(Desk(Slot(broken), counts)), row(numbers)).status == 500
    assert counts.failures == {"tried\n9": 1}
