"""Answers whose truth is known become training rows, on three kinds of tables, and each stays in its part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shipped import KINDS, Shipped
from trilho import journal
from trilho.bundle import Field, Schema
from trilho.bundle.columns import columns_of
from trilho.errors import BadData
from trilho.project.file import ProjectFile
from trilho.steps.labelled import freeze_labelled
from trilho.steps.loop import run_steps
from trilho.steps.materials import TEST, Materials
from unit.steps.cases import mixed, project

NOW = 1_760_000_000.0
TABLES = ("all numbers", "categories and missing", "200 columns")


@pytest.fixture(scope="module", params=TABLES)
def shipped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    return KINDS[request.param](tmp_path_factory.mktemp("shipped"))


def of(shipped: Shipped, folder: Path, rows: int, **changes: Any) -> ProjectFile:
    """A project over the first rows of the table."""
    folder.mkdir(parents=True, exist_ok=True)
    name = str(shipped.truth.name)
    frame = shipped.frame.assign(**{name: shipped.truth})[:rows]
    frame.to_parquet(folder / "shop.parquet", index=False)
    return project(folder, target=name, data={"source": "shop.parquet"}, **changes)


def answer(
    folder: Path, shipped: Shipped, rows: slice, *, request: str = "a", model: str = "shop", labels: Any = None
) -> None:
    """A request was answered at NOW, and its truth came an hour later."""
    frame = shipped.frame[rows].reset_index(drop=True)
    write(folder, columns_of(frame, shipped.schema.fields), shipped.answers(frame).labels, request=request, model=model)
    tell(folder, shipped.truth[rows].tolist() if labels is None else labels, request=request)


def write(folder: Path, columns: dict[str, np.ndarray], labels: Any, *, request: str, model: str = "shop") -> None:
    written = journal.Journal(folder / ".trilho" / "journal")
    written.append(
        journal.Answered(
            request=request,
            time=NOW,
            model=model,
            version="1",
            latency=0.001,
            features=journal.Features.of(columns),
            labels=labels,
            probabilities=None,
        )
    )
    written.close()


def tell(folder: Path, truth: Sequence[Any], *, request: str = "a", at: float = NOW + 3600) -> None:
    found = [journal.TrueLabel(id=f"{request}-{row}", label=value, time=at) for row, value in enumerate(truth)]
    journal.label(folder / ".trilho" / "journal", found)


def frozen(made: ProjectFile, schema: Schema, *, number: int = 7, until: float = NOW + 7200) -> ProjectFile:
    return replace(made, labelled=freeze_labelled(made, schema, number=number, until=until))


def made_of(made: ProjectFile) -> Materials:
    done = run_steps(made, until="split")
    return Materials(made, {result.step: result.folder for result in done if result.folder})


def test_labelled_rows_stand_below_the_others_as_if_the_source_had_brought_them(
    shipped: Shipped, tmp_path: Path
) -> None:
    size = len(shipped.frame)
    whole = made_of(of(shipped, tmp_path / "whole", size))
    answer(tmp_path / "part", shipped, slice(200, size))
    part = made_of(frozen(of(shipped, tmp_path / "part", 200), shipped.schema))

    assert [(one.name, one.kind) for one in part.dataset.columns] == [
        (one.name, one.kind) for one in whole.dataset.columns
    ]
    assert part.dataset.frame.dtypes.to_dict() == whole.dataset.frame.dtypes.to_dict()
    mine, theirs = np.argsort(part.units, kind="stable"), np.argsort(whole.units, kind="stable")
    assert (part.units[mine] == whole.units[theirs]).all(), "the same content, the same hash"
    assert (part.parts[mine] == whole.parts[theirs]).all(), "what is for testing stays for testing"
    pd.testing.assert_frame_equal(
        part.dataset.frame.iloc[mine].reset_index(drop=True), whole.dataset.frame.iloc[theirs].reset_index(drop=True)
    )


def test_no_row_of_the_source_moves_between_the_parts(shipped: Shipped, tmp_path: Path) -> None:
    made = of(shipped, tmp_path, 200)
    before = made_of(made)
    answer(tmp_path, shipped, slice(200, 280))
    after = made_of(frozen(made, shipped.schema))
    assert (after.parts[:200] == before.parts).all()
    assert (after.parts[200:] == TEST).any()
    assert len(after.parts) == 280


def test_row_that_is_in_the_source_too_is_in_the_same_part(shipped: Shipped, tmp_path: Path) -> None:
    made = of(shipped, tmp_path, 200)
    answer(tmp_path, shipped, slice(0, 200))
    found = made_of(frozen(made, shipped.schema))
    once = {unit: set(found.parts[found.units == unit]) for unit in found.units}
    assert all(len(parts) == 1 for parts in once.values())
    assert len(once) == 200


@pytest.fixture(scope="module")
def cancer(tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    return KINDS["all numbers"](tmp_path_factory.mktemp("cancer"))


def rows_of(made: ProjectFile, schema: Schema, **how: Any) -> int:
    path = frozen(made, schema, **how).labelled
    return 0 if path is None else len(pd.read_parquet(path))


def test_unchanged_retraining_reuses_every_step_and_other_labels_make_it_anew(cancer: Shipped, tmp_path: Path) -> None:
    made = of(cancer, tmp_path, 200)
    answer(tmp_path, cancer, slice(200, 260))
    first = frozen(made, cancer.schema)
    run_steps(first, until="split")
    assert [one.status for one in run_steps(first, until="split")] == ["reused", "reused"]
    tell(tmp_path, [0] * 60, at=NOW + 3700)
    second = frozen(made, cancer.schema, number=8)
    assert [one.reason for one in run_steps(second, until="split")] == ["content changed", "ingest changed"]
    assert [one.status for one in run_steps(made, until="split")] == ["ran", "ran"], "without them, it is another"


def test_who_goes_on_takes_the_same_rows_whatever_came_since(cancer: Shipped, tmp_path: Path) -> None:
    made = of(cancer, tmp_path, 200)
    answer(tmp_path, cancer, slice(200, 260))
    first = frozen(made, cancer.schema).labelled
    assert first is not None
    content = first.read_bytes()
    answer(tmp_path, cancer, slice(260, 300), request="b")
    assert frozen(made, cancer.schema).labelled == first
    assert first.read_bytes() == content
    assert rows_of(made, cancer.schema, number=8) == 100
    assert not first.exists(), "what is learned from no more is not kept"


def test_same_labels_give_the_same_file_however_the_journal_lies(cancer: Shipped, tmp_path: Path) -> None:
    made = of(cancer, tmp_path, 200)
    answer(tmp_path, cancer, slice(200, 230), request="b")
    answer(tmp_path, cancer, slice(230, 260), request="a")
    first = frozen(made, cancer.schema, number=1).labelled
    assert first is not None
    content = first.read_bytes()
    journal.Keeper(tmp_path / ".trilho" / "journal", max_bytes=10**9, keep=1e12).tidy(NOW + 10_000_000)
    second = frozen(made, cancer.schema, number=2).labelled
    assert second is not None
    assert second.read_bytes() == content


def test_labels_after_the_decision_wait_for_the_next_retraining(cancer: Shipped, tmp_path: Path) -> None:
    made = of(cancer, tmp_path, 200)
    answer(tmp_path, cancer, slice(200, 260))
    assert rows_of(made, cancer.schema, number=1, until=NOW + 3599) == 0
    assert rows_of(made, cancer.schema, number=2, until=NOW + 3601) == 60


def test_what_cannot_be_learned_from_is_left_out(cancer: Shipped, tmp_path: Path) -> None:
    made = of(cancer, tmp_path, 200)
    answer(tmp_path, cancer, slice(200, 205), labels=[0, 7, 1, "malignant", 0])  # two labels that it does not have
    answer(tmp_path, cancer, slice(205, 210), request="b", model="another")
    columns = columns_of(cancer.frame[210:215], cancer.schema.fields)
    columns.pop("mean area")
    write(tmp_path, columns, np.zeros(5, dtype=int), request="c")
    tell(tmp_path, [0] * 5, request="c")
    journal.forget(tmp_path / ".trilho" / "journal", ["a-0"])
    found = frozen(made, cancer.schema).labelled
    assert found is not None
    rows = pd.read_parquet(found)
    assert rows["target"].tolist() == [1, 0]
    assert list(rows.columns) == [*cancer.schema.names, "target"]


def test_without_labels_it_learns_from_the_source_alone(cancer: Shipped, tmp_path: Path) -> None:
    made = of(cancer, tmp_path, 200)
    found = frozen(made, cancer.schema)
    assert found.labelled is None
    assert found == made


def test_times_booleans_words_and_weights_come_back_as_they_were(tmp_path: Path) -> None:
    table = mixed(200).frame.assign(weight=2.0)
    table[:100].to_parquet(tmp_path / "shop.parquet", index=False)
    kinds = {"member": "boolean", "note": "text", "since": "time"}
    made = project(
        tmp_path, data={"source": "shop.parquet", "kinds": kinds}, train={"sample_weight": "weight", "params": {}}
    )
    names = {"age": "number", "member": "boolean", "city": "category", "note": "text", "since": "time"}
    schema = Schema(
        task="classification",
        target="target",
        fields=tuple(Field(name=name, kind=kind, nullable=True) for name, kind in names.items()),
        labels=("gone", "stays"),
        label_names=("gone", "stays"),
    )
    asked = table[100:].drop(columns=["target", "weight"]).reset_index(drop=True)
    write(tmp_path, columns_of(asked, schema.fields), np.array(["gone"] * 100, dtype=object), request="a")
    tell(tmp_path, table["target"][100:].tolist())
    found = made_of(frozen(made, schema))
    assert found.dataset.frame["weight"].tolist() == [2.0] * 100 + [1.0] * 100
    assert found.dataset.frame.dtypes.to_dict() == made_of(made).dataset.frame.dtypes.to_dict()
    table.to_parquet(tmp_path / "shop.parquet", index=False)
    whole = made_of(made)
    assert sorted(found.units) == sorted(whole.units)


def test_images_cannot_be_learned_from(tmp_path: Path) -> None:
    field = Field(name="scan", kind="image", nullable=False)
    schema = Schema(task="image-classification", target="y", fields=(field,), labels=(0, 1), label_names=("a", "b"))
    with pytest.raises(BadData, match="keeps no image of column 'scan'") as told:
        freeze_labelled(project(tmp_path), schema, number=1, until=NOW)
    assert "retrain.data: original" in told.value.remedy


def test_column_that_is_new_in_the_source_is_named(cancer: Shipped, tmp_path: Path) -> None:
    made = of(cancer, tmp_path, 200)
    answer(tmp_path, cancer, slice(200, 260))
    frame = pd.read_parquet(tmp_path / "shop.parquet").assign(new=1.0)
    frame.to_parquet(tmp_path / "shop.parquet", index=False)
    with pytest.raises(BadData, match="no column 'new'") as told:
        run_steps(frozen(made, cancer.schema), until="split")
    assert "trilho run" in told.value.remedy
