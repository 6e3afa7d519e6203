from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shipped import KINDS, Shipped
from trilho.errors import BadData, CannotPredict, SourceUnreadable
from trilho.scoring import Progress, score, tables


def test_every_table_is_scored_as_its_model_answers(shipped: Shipped, tmp_path: Path) -> None:
    source = tmp_path / "in.parquet"
    shipped.frame.to_parquet(source)
    done = score(shipped.predictor, source, tmp_path / "out.parquet", version="3")
    assert done.rows == len(shipped.frame)
    found = pd.read_parquet(tmp_path / "out.parquet")
    wanted = shipped.answers()
    assert wanted.probabilities is not None
    assert found["prediction"].tolist() == wanted.labels.tolist()
    for place, label in enumerate(shipped.schema.label_names):
        np.testing.assert_array_equal(found[f"probability_{label}"], wanted.probabilities[:, place])
    assert set(found["model_version"]) == {"3"}
    pd.testing.assert_frame_equal(found[shipped.frame.columns], shipped.frame, check_dtype=False)


def test_csv_gives_what_pandas_reads_from_it(shipped: Shipped, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    shipped.frame.to_csv(source, index=False)
    score(shipped.predictor, source, tmp_path / "out.csv", version="3")
    found = pd.read_csv(tmp_path / "out.csv")
    read = pd.read_csv(source)
    assert found["prediction"].tolist() == shipped.answers(read).labels.tolist()
    pd.testing.assert_frame_equal(found[shipped.frame.columns], read)


def test_values_of_a_csv_stay_as_they_are_written(numbers: Shipped, tmp_path: Path) -> None:
    frame = numbers.frame[:2].astype(str)
    frame.insert(0, "id", ["007", 'a "quoted", one'])
    frame["mean radius"] = [" 1.50 ", "+2e1"]
    frame["note"] = ["", "line\nbreak"]
    frame.to_csv(tmp_path / "in.csv", index=False)
    score(numbers.predictor, tmp_path / "in.csv", tmp_path / "out.csv", version="3")
    found = pd.read_csv(tmp_path / "out.csv", dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(found[frame.columns], frame)
    columns = {name: [float(value) for value in frame[name]] for name in numbers.frame.columns}
    assert [int(label) for label in found["prediction"]] == numbers.predictor.predict(columns).labels.tolist()


def test_many_pieces_give_the_same_file_as_one(words: Shipped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words.frame.to_csv(tmp_path / "in.csv", index=False)
    words.frame.to_parquet(tmp_path / "in.parquet")
    for kind in ("csv", "parquet"):
        score(words.predictor, tmp_path / f"in.{kind}", tmp_path / f"whole.{kind}", version="1")
        monkeypatch.setattr(tables, "MOST_ROWS_AT_ONCE", 64)
        monkeypatch.setattr(tables, "CSV_BYTES_AT_ONCE", 2_000)
        seen: list[Progress] = []
        score(words.predictor, tmp_path / f"in.{kind}", tmp_path / f"pieces.{kind}", version="1", watch=seen.append)
        monkeypatch.undo()
        assert len(seen) > 5
        assert [at.rows for at in seen] == sorted(at.rows for at in seen)
        assert seen[-1].rows == len(words.frame)
    assert (tmp_path / "whole.csv").read_bytes() == (tmp_path / "pieces.csv").read_bytes()
    assert pq.read_table(tmp_path / "whole.parquet").equals(pq.read_table(tmp_path / "pieces.parquet"))


def test_formats_can_be_changed_on_the_way(numbers: Shipped, tmp_path: Path) -> None:
    numbers.frame.to_parquet(tmp_path / "in.parquet")
    score(numbers.predictor, tmp_path / "in.parquet", tmp_path / "out.tsv", version="1")
    found = pd.read_csv(tmp_path / "out.tsv", sep="\t")
    assert found["prediction"].tolist() == numbers.answers().labels.tolist()


def test_arrow_types_of_every_kind_are_taken(words: Shipped, tmp_path: Path) -> None:
    table = pa.Table.from_pandas(words.frame, preserve_index=False)
    table = table.set_column(table.column_names.index("plan"), "plan", table["plan"].dictionary_encode())
    table = table.set_column(table.column_names.index("age"), "age", table["age"].cast(pa.int16()))
    table = table.set_column(table.column_names.index("income"), "income", table["income"].cast(pa.float32()))
    table = table.append_column("day", pa.array([None] * len(table), pa.date32()))
    table = table.append_column("tags", pa.array([["a", "b"]] * len(table), pa.list_(pa.string())))
    pq.write_table(table, tmp_path / "in.parquet")
    score(words.predictor, tmp_path / "in.parquet", tmp_path / "out.parquet", version="1")
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.schema.field("plan").type == pq.read_schema(tmp_path / "in.parquet").field("plan").type
    same = found["prediction"].to_numpy() == words.answers().labels
    assert same.mean() > 0.99, "income lost digits on its way through float32"


def test_parquet_is_written_as_the_input_is(numbers: Shipped, tmp_path: Path) -> None:
    frame = numbers.frame.assign(country="Brasil", key=range(len(numbers.frame)))
    frame.to_parquet(tmp_path / "in.parquet", compression="zstd")
    score(numbers.predictor, tmp_path / "in.parquet", tmp_path / "out.parquet", version="1")
    group = pq.read_metadata(tmp_path / "out.parquet").row_group(0)
    chunks = {group.column(place).path_in_schema: group.column(place) for place in range(group.num_columns)}
    with_dictionary = {name for name, chunk in chunks.items() if "RLE_DICTIONARY" in chunk.encodings}
    assert {chunk.compression for chunk in chunks.values()} == {"ZSTD"}
    assert {"country", "prediction", "model_version"} <= with_dictionary
    assert with_dictionary.isdisjoint({"key", "mean area", "probability_0"}), "one that only costs time"


@pytest.mark.parametrize("shipped", [name for name in KINDS if name != "native"], indirect=True)
def test_neither_pandas_nor_scikit_learn_is_loaded_for_a_compiled_model(shipped: Shipped, tmp_path: Path) -> None:
    assert shipped.predictor.runtime == "onnx"
    shipped.frame.to_parquet(tmp_path / "in.parquet")
    shipped.frame.to_csv(tmp_path / "in.csv", index=False)
    script = """
import sys
from pathlib import Path
from trilho import bundle, scoring
predictor, folder = bundle.open(Path(sys.argv[1])), Path(sys.argv[2])
for kind in ("csv", "parquet"):
    scoring.score(predictor, folder / f"in.{kind}", folder / f"out.{kind}", version="1")
print({"pandas", "sklearn", "mlflow"} & sys.modules.keys())
"""
    command = [sys.executable, "-c", script, str(shipped.path), str(tmp_path)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "set()"


def test_file_without_rows_gives_one_without_rows(numbers: Shipped, tmp_path: Path) -> None:
    numbers.frame[:0].to_csv(tmp_path / "in.csv", index=False)
    assert score(numbers.predictor, tmp_path / "in.csv", tmp_path / "out.csv", version="1").rows == 0
    assert pd.read_csv(tmp_path / "out.csv").columns[-4:].tolist() == [
        "prediction", "probability_0", "probability_1", "model_version",
    ]  # fmt: skip


def test_wrong_value_is_named_and_leaves_no_file(numbers: Shipped, tmp_path: Path) -> None:
    frame = numbers.frame.astype(object)
    frame.loc[300, "mean area"] = "large"
    frame.to_csv(tmp_path / "in.csv", index=False)
    (tmp_path / "out.csv").write_text("of yesterday")
    with pytest.raises(CannotPredict, match="'mean area'") as caught:
        score(numbers.predictor, tmp_path / "in.csv", tmp_path / "out.csv", version="1")
    assert (caught.value.column, caught.value.row) == ("mean area", 300)
    assert caught.value.what.startswith(f"{tmp_path / 'in.csv'}, line 302: Column 'mean area': 'large' is not")
    assert (tmp_path / "out.csv").read_text() == "of yesterday"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_missing_column_is_named(numbers: Shipped, tmp_path: Path) -> None:
    numbers.frame.drop(columns="mean area").to_csv(tmp_path / "in.csv", index=False)
    with pytest.raises(CannotPredict, match="'mean area' is missing"):
        score(numbers.predictor, tmp_path / "in.csv", tmp_path / "out.csv", version="1")


def test_wrong_value_far_into_a_file_is_named_by_its_place_there(
    numbers: Shipped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MOST_ROWS_AT_ONCE", 64)
    monkeypatch.setattr(tables, "CSV_BYTES_AT_ONCE", 20_000)
    frame = numbers.frame.copy()
    frame.loc[300, "mean area"] = np.inf
    frame.insert(0, "note", "two\nlines")
    frame.to_parquet(tmp_path / "in.parquet")
    frame.to_csv(tmp_path / "in.csv", index=False)
    for name, place in (("in.parquet", "row 301"), ("in.csv", "line 602")):
        with pytest.raises(CannotPredict, match=f"{place}: Column 'mean area': inf cannot be predicted") as caught:
            score(numbers.predictor, tmp_path / name, tmp_path / f"out{Path(name).suffix}", version="1")
        assert (caught.value.column, caught.value.row) == ("mean area", 300)


def test_input_that_changes_meanwhile_is_not_half_old_and_half_new(numbers: Shipped, tmp_path: Path) -> None:
    numbers.frame.to_csv(tmp_path / "in.csv", index=False)

    def append(_: Progress) -> None:
        with (tmp_path / "in.csv").open("a") as file:
            file.write("\n")

    with pytest.raises(SourceUnreadable, match="changed while it was being read"):
        score(numbers.predictor, tmp_path / "in.csv", tmp_path / "out.csv", version="1", watch=append)
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_output_is_not_scored_again(numbers: Shipped, tmp_path: Path) -> None:
    numbers.frame.to_csv(tmp_path / "in.csv", index=False)
    score(numbers.predictor, tmp_path / "in.csv", tmp_path / "out.csv", version="1")
    with pytest.raises(BadData, match="'prediction'"):
        score(numbers.predictor, tmp_path / "out.csv", tmp_path / "again.csv", version="1")
    with pytest.raises(BadData, match="output is the input"):
        score(numbers.predictor, tmp_path / "in.csv", tmp_path / "in.csv", version="1")


def test_column_that_appears_twice_is_refused(numbers: Shipped, tmp_path: Path) -> None:
    pd.concat([numbers.frame, numbers.frame[["mean area"]]], axis=1).to_csv(tmp_path / "in.csv", index=False)
    with pytest.raises(BadData, match="'mean area' 2 times"):
        score(numbers.predictor, tmp_path / "in.csv", tmp_path / "out.csv", version="1")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("gone.csv", None),
        ("empty.csv", b""),
        ("short.csv", b"a,b\n1,2\n3\n"),
        ("latin.csv", "a,b\né,2\n".encode("latin-1")),
        ("text.parquet", b"a,b\n1,2\n"),
        ("table.xlsx", b"PK"),
        ("packed.csv", gzip.compress(b"a,b\n1,2\n", mtime=0)[:-5]),
    ],
)
def test_unreadable_source_is_named(numbers: Shipped, tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises((SourceUnreadable, CannotPredict), match=name.replace(".", r"\.")) as caught:
        score(numbers.predictor, tmp_path / name, tmp_path / "out.csv", version="1")
    assert caught.value.remedy
    assert not (tmp_path / "out.csv").exists()


def test_separator_and_encoding_of_the_training_data_are_used(words: Shipped, tmp_path: Path) -> None:
    words.frame.to_csv(tmp_path / "in.csv", index=False, sep=";", encoding="latin-1")
    score(words.predictor, tmp_path / "in.csv", tmp_path / "out.csv", version="1", separator=";", encoding="latin-1")
    found = pd.read_csv(tmp_path / "out.csv")
    assert set(found["city"].dropna()) == set(words.frame["city"].dropna()) - {""}


def test_place_that_cannot_be_written_says_so(numbers: Shipped, tmp_path: Path) -> None:
    numbers.frame.to_csv(tmp_path / "in.csv", index=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(BadData, match="cannot be written"):
        score(numbers.predictor, tmp_path / "in.csv", tmp_path / "file" / "out.csv", version="1")


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are a Unix thing")
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_full_disk_leaves_no_half_file(numbers: Shipped, tmp_path: Path, kind: str) -> None:
    pd.concat([numbers.frame] * 20).to_csv(tmp_path / "in.csv", index=False)
    script = """
import resource, sys
from pathlib import Path
from trilho import bundle, scoring
from trilho.errors import BadData
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
source, to = Path(sys.argv[2]), Path(sys.argv[3])
try:
    scoring.score(bundle.open(Path(sys.argv[1])), source, to, version="1")
except BadData as error:
    print(error)
"""
    out = tmp_path / f"out.{kind}"
    done = subprocess.run(
        [sys.executable, "-c", script, str(numbers.path), str(tmp_path / "in.csv"), str(out)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "cannot be written" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv"]


def test_memory_does_not_grow_with_the_file(numbers: Shipped, tmp_path: Path) -> None:
    """Peak memory of scoring 228,000 and 1,366,000 rows, in processes of their own."""
    script = """
import psutil, sys
from pathlib import Path
from trilho import bundle, scoring
from trilho.scoring import tables
tables.CELLS_AT_ONCE = 200_000
most = 0
def watch(_):
    global most
    most = max(most, psutil.Process().memory_info().rss)
scoring.score(bundle.open(Path(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3]), version="1", watch=watch)
print(most)
"""
    peaks = []
    for copies in (4, 24):
        source = tmp_path / f"{copies}.parquet"
        with pq.ParquetWriter(source, pa.Schema.from_pandas(numbers.frame, preserve_index=False)) as writer:
            table = pa.Table.from_pandas(pd.concat([numbers.frame] * 100), preserve_index=False)
            for _ in range(copies):
                writer.write_table(table)
        done = subprocess.run(
            [sys.executable, "-c", script, str(numbers.path), str(source), str(tmp_path / "out.parquet")],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        peaks.append(int(done.stdout))
    assert peaks[1] < 1.3 * peaks[0], peaks
