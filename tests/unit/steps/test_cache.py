from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from trilho.steps import cache as caching
from trilho.steps.cache import Cache, Damaged, Entry


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def keep(cache: Cache, key: str, files: dict[str, str], step: str = "train") -> Entry:
    with cache.lock(step, key), cache.workplace(step, key) as out:
        for name, text in files.items():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_text(text, encoding="utf-8")
        return cache.keep(step, key, out, ingredients={"max_depth": 6}, facts="six", seconds=1.5)


def found(cache: Cache, key: str) -> Entry:
    entry = cache.find("train", key)
    assert isinstance(entry, Entry)
    return entry


def problem(cache: Cache, key: str) -> str:
    entry = cache.find("train", key)
    assert isinstance(entry, Damaged)
    return entry.problem


def test_a_kept_entry_is_found_as_it_was_made(cache: Cache) -> None:
    made = keep(cache, "k", {"model.bin": "weights", "figures/roc.png": "picture"})
    entry = found(cache, "k")
    assert entry == made
    assert (entry.facts, entry.seconds, entry.ingredients) == ("six", 1.5, {"max_depth": 6})
    assert (entry.folder / "model.bin").read_text(encoding="utf-8") == "weights"
    assert (entry.folder / "figures" / "roc.png").read_text(encoding="utf-8") == "picture"


def test_what_was_not_kept_is_not_found(cache: Cache) -> None:
    keep(cache, "k", {"a": "1"})
    assert cache.find("train", "other") is None
    assert cache.find("evaluate", "k") is None
    assert Cache(cache.root / "absent").last("train") is None


def test_equal_files_have_equal_digests_whatever_the_key(cache: Cache) -> None:
    one, two = keep(cache, "one", {"a": "1", "b": "2"}), keep(cache, "two", {"b": "2", "a": "1"})
    assert one.digest == two.digest


@pytest.mark.parametrize("files", [{"a": "2"}, {"b": "1"}, {"a": "1", "b": ""}, {}, {"d/a": "1"}])
def test_other_files_have_another_digest(cache: Cache, files: dict[str, str]) -> None:
    assert keep(cache, "one", {"a": "1"}).digest != keep(cache, "two", files).digest


def test_a_new_entry_takes_the_place_of_the_old(cache: Cache) -> None:
    keep(cache, "k", {"a": "1", "gone": "x"})
    keep(cache, "k", {"a": "2"})
    assert (found(cache, "k").folder / "a").read_text(encoding="utf-8") == "2"
    assert not (found(cache, "k").folder / "gone").exists()
    assert sorted(path.name for path in (cache.root / "train").iterdir()) == ["k"]


# Damage.


def test_a_file_cut_in_half_is_damage_and_named(cache: Cache) -> None:
    file = keep(cache, "k", {"a": "1", "model.bin": "weights"}).folder / "model.bin"
    file.write_bytes(file.read_bytes()[:3])
    assert "model.bin" in problem(cache, "k")


def test_a_file_cut_in_half_that_looks_as_old_as_before_is_damage(cache: Cache) -> None:
    file = keep(cache, "k", {"model.bin": "weights"}).folder / "model.bin"
    status = file.stat()
    file.write_bytes(file.read_bytes()[:3])
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert "model.bin" in problem(cache, "k")


def test_a_deleted_file_is_damage_and_named(cache: Cache) -> None:
    (keep(cache, "k", {"figures/roc.png": "1"}).folder / "figures" / "roc.png").unlink()
    assert problem(cache, "k") == "roc.png is missing"


def test_a_file_altered_to_the_same_size_is_damage_and_named(cache: Cache) -> None:
    file = keep(cache, "k", {"model.bin": "weights"}).folder / "model.bin"
    file.write_text("WEIGHTS", encoding="utf-8")
    status = file.stat()
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 1))  # whatever the clock's grain
    assert "model.bin" in problem(cache, "k")


def test_a_file_that_is_only_dated_anew_is_whole(cache: Cache) -> None:
    file = keep(cache, "k", {"model.bin": "weights"}).folder / "model.bin"
    os.utime(file, (1, 1))
    assert found(cache, "k").facts == "six"


def test_a_folder_in_the_place_of_a_file_is_damage(cache: Cache) -> None:
    file = keep(cache, "k", {"model.bin": "weights"}).folder / "model.bin"
    file.unlink()
    file.mkdir()
    assert problem(cache, "k")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_record_cut_in_half_is_damage_and_named(cache: Cache, share: float) -> None:
    record = keep(cache, "k", {"a": "1"}).folder / "entry.json"
    whole = record.read_bytes()
    record.write_bytes(whole[: int(len(whole) * share)])
    assert "entry.json" in problem(cache, "k")


@pytest.mark.parametrize("text", ["[]", "3", "null", '"text"', "{}", '{"files": []}', '{"files": {"a": [1]}}', "\0"])
def test_a_record_of_another_form_is_damage(cache: Cache, text: str) -> None:
    (keep(cache, "k", {"a": "1"}).folder / "entry.json").write_text(text, encoding="utf-8")
    assert "entry.json" in problem(cache, "k")


@pytest.mark.parametrize("name", ["digest", "facts", "seconds", "ingredients", "files"])
def test_a_record_that_lacks_a_field_is_damage(cache: Cache, name: str) -> None:
    record = keep(cache, "k", {"a": "1"}).folder / "entry.json"
    fields = json.loads(record.read_text(encoding="utf-8"))
    del fields[name]
    record.write_text(json.dumps(fields), encoding="utf-8")
    assert "entry.json" in problem(cache, "k")


def test_an_entry_without_its_record_is_damage(cache: Cache) -> None:
    (keep(cache, "k", {"a": "1"}).folder / "entry.json").unlink()
    assert problem(cache, "k") == "entry.json is missing"


def test_a_damaged_entry_can_be_made_anew(cache: Cache) -> None:
    shutil.rmtree(keep(cache, "k", {"d/a": "1"}).folder / "d")
    assert problem(cache, "k")
    keep(cache, "k", {"d/a": "1"})
    assert found(cache, "k").facts == "six"


# What does not become an entry.


def fail(cache: Cache, error: type[BaseException]) -> None:
    with cache.lock("train", "k"), cache.workplace("train", "k") as out:
        (out / "a").write_text("half", encoding="utf-8")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_step_that_fails_leaves_nothing(cache: Cache, error: type[BaseException]) -> None:
    with pytest.raises(error):
        fail(cache, error)
    assert cache.find("train", "k") is None
    assert list((cache.root / "train").iterdir()) == []


def test_a_failed_attempt_leaves_the_entry_that_was_there(cache: Cache) -> None:
    keep(cache, "k", {"a": "1"})
    with pytest.raises(ValueError):
        fail(cache, ValueError)
    assert (found(cache, "k").folder / "a").read_text(encoding="utf-8") == "1"


def test_a_workplace_is_empty_whatever_a_killed_run_left(cache: Cache) -> None:
    left = cache.root / "train" / ".making-k" / "out" / "half.bin"
    left.parent.mkdir(parents=True)
    left.write_text("half", encoding="utf-8")
    assert [file for file in keep(cache, "k", {"a": "1"}).folder.iterdir() if file.name == "half.bin"] == []
    assert not left.exists()


def test_what_killed_runs_left_is_swept_but_not_what_others_are_making(cache: Cache) -> None:
    left = cache.root / "train" / ".making-killed" / "out"
    left.mkdir(parents=True)
    with cache.lock("train", "living"), cache.workplace("train", "living") as theirs:
        (theirs / "a").write_text("1", encoding="utf-8")
        keep(cache, "k", {"a": "1"})
        assert (theirs / "a").exists()
    assert sorted(path.name for path in (cache.root / "train").iterdir()) == ["k"]


# Tidying.


def date(cache: Cache, key: str, moment: int) -> None:
    os.utime(cache.root / "train" / key, (moment, moment))


def test_tidying_keeps_those_used_last(cache: Cache) -> None:
    for number in range(caching.KEPT):
        keep(cache, f"k{number}", {"a": str(number)})
    for number in range(caching.KEPT):
        date(cache, f"k{number}", 1000 + number)
    assert found(cache, "k0").facts == "six"  # used just now
    keep(cache, "new", {"a": "new"})
    kept = {path.name for path in (cache.root / "train").iterdir()}
    assert kept == {"k0", "new", *(f"k{number}" for number in range(2, caching.KEPT))}


def test_tidying_leaves_other_steps_alone(cache: Cache) -> None:
    keep(cache, "old", {"a": "1"}, step="ingest")
    os.utime(cache.root / "ingest" / "old", (1000, 1000))
    for number in range(caching.KEPT + 3):
        keep(cache, f"k{number}", {"a": str(number)})
    assert isinstance(cache.find("ingest", "old"), Entry)


def test_the_entry_used_last_is_told_even_if_a_file_of_it_is_damaged(cache: Cache) -> None:
    keep(cache, "old", {"a": "1"})
    newer = keep(cache, "newer", {"a": "2"})
    date(cache, "old", 1000)
    (newer.folder / "a").unlink()
    last = cache.last("train")
    assert last is not None
    assert last.folder.name == "newer"


def test_an_entry_without_a_record_is_not_told_as_the_last(cache: Cache) -> None:
    keep(cache, "old", {"a": "1"})
    newer = keep(cache, "newer", {"a": "2"})
    date(cache, "old", 1000)
    (newer.folder / "entry.json").write_text("{", encoding="utf-8")
    last = cache.last("train")
    assert last is not None
    assert last.folder.name == "old"
