"""Windows of a real journal in which something went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from shipped import Shipped
from trilho.bundle import DriftProfile
from trilho.bundle.columns import columns_of
from trilho.errors import BundleDamaged, CannotPredict
from trilho.journal import Answered, Features, Journal, Keeper, read
from trilho.monitoring import Reference, Report, watch
from trilho.project.file import DriftRule
from unit.monitoring.windows import SINCE, UNTIL, knows, reference, trained


def written(folder: Path, shipped: Shipped, frame: pd.DataFrame, *, version: str = "3", at: float = SINCE + 60) -> None:
    """The frame asked and answered, ten rows a request, one request a second."""
    journal = Journal(folder)
    for entry in entries(shipped, frame, version, at):
        journal.append(entry)
    journal.close()


def entries(shipped: Shipped, frame: pd.DataFrame, version: str, at: float) -> Iterator[Answered]:
    answers = shipped.answers(frame)
    for place, start in enumerate(range(0, len(frame), 10)):
        rows = slice(start, start + 10)
        yield Answered(
            request=f"{version}-{at:g}-{place}",
            time=at + place,
            model="tried",
            version=version,
            latency=0.001,
            features=Features.of(columns_of(frame[rows], shipped.schema.fields)),
            labels=answers.labels[rows],
            probabilities=None if answers.probabilities is None else answers.probabilities[rows],
        )


def watched(shipped: Shipped, *folders: Path, min_rows: int = 100) -> Report:
    rows = read(list(folders), since=SINCE, until=UNTIL)
    return watch(
        rows,
        model="tried",
        version="3",
        find=knows(shipped, "3"),
        since=SINCE,
        until=UNTIL,
        rule=DriftRule(min_rows=min_rows),
    )[0]


def test_window_of_a_journal_on_disk_is_that_of_its_rows(shipped: Shipped, tmp_path: Path) -> None:
    frame = trained(shipped)
    written(tmp_path, shipped, frame)
    before = watched(shipped, tmp_path)
    assert (before.rows, before.drift, len(before.judged)) == (len(frame), False, len(shipped.schema.fields))
    Keeper(tmp_path, keep=None).tidy(UNTIL)
    assert list((tmp_path / "predictions").glob("*.parquet")), "closed"
    assert watched(shipped, tmp_path) == before, "streams and Parquet files hold the same"


def test_journal_cut_in_the_middle_of_a_batch_is_read_up_to_there(numbers: Shipped, tmp_path: Path) -> None:
    written(tmp_path, numbers, trained(numbers))
    written(tmp_path, numbers, trained(numbers), at=SINCE + 3600)
    cut = min(tmp_path.glob("*.arrows"))
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    found = watched(numbers, tmp_path)
    assert len(trained(numbers)) <= found.rows < 2 * len(trained(numbers))
    assert not found.drift


def test_two_writers_are_one_window(words: Shipped, tmp_path: Path) -> None:
    frame = trained(words)
    one, other = Journal(tmp_path / "both"), Journal(tmp_path / "both")
    for place, entry in enumerate(entries(words, frame, "3", SINCE)):
        (one if place % 2 else other).append(entry)
    one.close()
    other.close()
    written(tmp_path / "alone", words, frame, at=SINCE)
    assert watched(words, tmp_path / "both") == watched(words, tmp_path / "alone")


def test_replicas_with_folders_of_their_own_are_one_window(words: Shipped, tmp_path: Path) -> None:
    frame = trained(words)
    written(tmp_path / "one", words, frame[:140], at=SINCE)
    written(tmp_path / "two", words, frame[140:], at=SINCE + 14)
    written(tmp_path / "all", words, frame, at=SINCE)
    assert watched(words, tmp_path / "one", tmp_path / "two") == watched(words, tmp_path / "all")


def test_clock_that_jumps_puts_rows_where_they_say_they_are(numbers: Shipped, tmp_path: Path) -> None:
    frame = trained(numbers)
    for at in (SINCE + 3600, SINCE - 86_400, UNTIL + 5, SINCE + 60, 4e9):
        written(tmp_path, numbers, frame, at=at)
    found = watched(numbers, tmp_path)
    assert found.rows == 2 * len(frame)
    assert found.first == SINCE + 60
    assert found.last is not None
    assert found.last < UNTIL
    assert not found.drift


@pytest.mark.parametrize("value", [7.0, np.nan])
def test_feature_that_became_constant_or_null_is_named(numbers: Shipped, tmp_path: Path, value: float) -> None:
    journal = Journal(tmp_path)
    for entry in entries(numbers, trained(numbers), "3", SINCE):
        columns = dict(zip(entry.features.names, entry.features.columns or (), strict=True))
        columns["mean area"] = np.full(len(entry.labels), value)
        journal.append(_with(entry, columns))
    journal.close()
    found = watched(numbers, tmp_path)
    assert [column.name for column in found.moved] == ["mean area"]


def test_one_row_is_no_verdict_and_no_error(shipped: Shipped, tmp_path: Path) -> None:
    written(tmp_path, shipped, shipped.frame[:1])
    found = watched(shipped, tmp_path, min_rows=2)
    assert (found.rows, found.enough, found.drift) == (1, False, False)


def test_empty_folder_is_an_empty_window(numbers: Shipped, tmp_path: Path) -> None:
    assert watched(numbers, tmp_path / "none").rows == 0


def test_profile_of_an_older_version_without_answers_is_used_as_far_as_it_goes(
    numbers: Shipped, tmp_path: Path
) -> None:
    frame = trained(numbers)
    written(tmp_path, numbers, frame)
    found = reference(numbers)
    columns = found.profile.columns[:5]
    older = Reference(schema=found.schema, profile=DriftProfile(rows=found.profile.rows, columns=columns))
    [only] = watch(
        read(tmp_path, since=SINCE, until=UNTIL),
        model="tried",
        version="3",
        find=lambda *_: older,
        since=SINCE,
        until=UNTIL,
        rule=DriftRule(),
    )
    assert (len(only.columns), only.predicted, only.drift) == (5, (), False)


def test_profile_of_a_newer_format_is_an_error_that_asks_for_an_upgrade(numbers: Shipped) -> None:
    text = reference(numbers).profile.to_json().replace('"format": 1', '"format": 2', 1)
    with pytest.raises(BundleDamaged, match="Upgrade"):
        DriftProfile.from_json(text)


def test_words_in_a_column_of_numbers_are_named(numbers: Shipped, tmp_path: Path) -> None:
    """Another program wrote into the folder: no server of ours journals what the schema refuses."""
    journal = Journal(tmp_path)
    [entry] = entries(numbers, trained(numbers)[:10], "3", SINCE)
    columns = dict(zip(entry.features.names, entry.features.columns or (), strict=True))
    columns["mean area"] = np.array(["large"] * 10, dtype=object)
    journal.append(_with(entry, columns))
    journal.close()
    with pytest.raises(CannotPredict, match="mean area"):
        watched(numbers, tmp_path)


def _with(entry: Answered, columns: dict[str, np.ndarray]) -> Answered:
    from msgspec.structs import replace

    return replace(entry, features=Features.of(columns))
