"""The fingerprint of a source: what it depends on, and that it costs no import."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from trilho import data
from trilho.errors import SourceUnreadable, UnknownName

ROWS = b"age,churn\n31,yes\n45,no\n"


def test_equal_bytes_have_equal_fingerprints_wherever_they_lie(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "a.csv").write_bytes(ROWS)
    (tmp_path / "deep" / "er" / "v1.2.csv").write_bytes(ROWS)
    here = data.fingerprint("a.csv", root=tmp_path)
    assert here == data.fingerprint("deep/er/v1.2.csv", root=tmp_path)
    assert here == data.fingerprint(str(tmp_path / "a.csv"), root=Path("/"))
    assert here is not None
    assert len(here) == 40


def test_one_changed_byte_changes_the_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(ROWS)
    before = data.fingerprint("a.csv", root=tmp_path)
    (tmp_path / "a.csv").write_bytes(ROWS.replace(b"31", b"32"))
    assert data.fingerprint("a.csv", root=tmp_path) != before


def test_what_changes_the_reading_changes_the_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(ROWS)
    (tmp_path / "a.tsv").write_bytes(ROWS)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(ROWS))
    plain = data.fingerprint("a.csv", root=tmp_path)
    others = [
        data.fingerprint("a.tsv", root=tmp_path),
        data.fingerprint("a.csv.gz", root=tmp_path),
        data.fingerprint("a.csv", root=tmp_path, options={"decimal": ","}),
        data.fingerprint("a.csv", root=tmp_path, options={"decimal": ";"}),
    ]
    assert len({plain, *others}) == 5
    same = data.fingerprint("a.csv", root=tmp_path, options={"separator": ",", "decimal": "."})
    assert same == data.fingerprint("a.csv", root=tmp_path, options={"decimal": ".", "separator": ","})


def test_a_folder_and_a_pattern_over_the_same_files_agree(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    (folder / "year=2026").mkdir(parents=True)
    for name in ("b.csv", "a.csv"):
        (folder / name).write_bytes(name.encode() + ROWS)
    assert data.fingerprint("parts", root=tmp_path) == data.fingerprint("parts/*.csv", root=tmp_path)
    assert data.fingerprint("parts/", root=tmp_path) == data.fingerprint("parts/**/*.csv", root=tmp_path)


def test_names_in_a_folder_are_content_because_they_order_the_rows(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "a.csv").write_bytes(ROWS)
    (tmp_path / "two" / "b.csv").write_bytes(ROWS)
    assert data.fingerprint("one", root=tmp_path) != data.fingerprint("two", root=tmp_path)


def test_hidden_files_and_markers_are_no_data(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "a.csv").write_bytes(ROWS)
    before = data.fingerprint("parts", root=tmp_path)
    for name in (".a.csv", "_SUCCESS", "_old.csv", "notes.txt", ".DS_Store"):
        (folder / name).write_bytes(ROWS)
    assert data.fingerprint("parts", root=tmp_path) == before


def test_a_new_file_in_a_folder_changes_the_fingerprint(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.csv").write_bytes(ROWS)
    before = data.fingerprint("parts", root=tmp_path)
    (folder / "sub" / "b.csv").write_bytes(ROWS)
    assert data.fingerprint("parts", root=tmp_path) != before


def test_only_reading_can_tell_what_a_database_or_a_function_holds(tmp_path: Path) -> None:
    assert data.fingerprint("sqlite:///shop.db#orders", root=tmp_path) is None
    assert data.fingerprint("features:read", root=tmp_path, options={"anything": 1}) is None


def test_a_set_of_scikit_learn_is_named_by_its_name_and_version(tmp_path: Path) -> None:
    iris = data.fingerprint("sklearn:iris", root=tmp_path)
    assert iris == data.fingerprint("sklearn:iris", root=tmp_path / "elsewhere")
    assert iris != data.fingerprint("sklearn:wine", root=tmp_path)
    with pytest.raises(UnknownName, match="no options"):
        data.fingerprint("sklearn:iris", root=tmp_path, options={"as_frame": True})


def test_a_missing_file_is_an_error_and_not_a_fingerprint(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match=r"has no 'a\.csv'"):
        data.fingerprint("a.csv", root=tmp_path)


def test_load_gives_the_same_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(ROWS)
    for source, target in (("a.csv", "churn"), ("sklearn:iris", "target")):
        loaded = data.load(source, target=target, root=tmp_path)
        assert loaded.fingerprint == data.fingerprint(source, root=tmp_path)
    loaded = data.load("*.csv", target="churn", root=tmp_path, memory=tmp_path / "memory")
    assert loaded.fingerprint == data.fingerprint("*.csv", root=tmp_path, memory=tmp_path / "memory")


def test_a_fingerprint_imports_no_library_that_reads_data(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(ROWS)
    code = (
        "import sys; from pathlib import Path; from trilho import data\n"
        "for source in ('a.csv', '*.csv', 'sklearn:iris', 'features:read', 'sqlite:///a.db#t'):\n"
        "    data.fingerprint(source, root=Path('.'), memory=Path('memory'))\n"
        "print(sorted({'pandas', 'numpy', 'sklearn', 'pyarrow', 'sqlalchemy', 'mlflow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr
