from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from trilho import bundle
from trilho.bundle import archive
from trilho.bundle.archive import Contents, verify, write_archive
from trilho.errors import BundleDamaged
from unit.bundle.tables import bundled, iris

MEMBERS = {"a.json": b"{}", "code/features/more.py": b"x = 1\n", "model.onnx": bytes(range(256)) * 2, "empty.txt": b""}


@pytest.fixture
def packed(tmp_path: Path) -> tuple[Path, str]:
    out = tmp_path / "bundle.tar"
    return out, write_archive(MEMBERS, {"runtime": "onnx"}, out)


def test_every_member_reads_back(packed: tuple[Path, str]) -> None:
    contents = Contents(packed[0])
    assert {name: contents.read(name) for name in contents.members} == MEMBERS
    assert contents.manifest["runtime"] == "onnx"


def test_it_is_a_tar_that_other_tools_read(packed: tuple[Path, str]) -> None:
    with tarfile.open(packed[0]) as found:
        names = found.getnames()
        assert names[0] == "manifest.json"
        assert set(names[1:]) == set(MEMBERS)
        member = found.extractfile("model.onnx")
        assert member is not None
        assert member.read() == MEMBERS["model.onnx"]


def test_equal_content_gives_equal_bytes_in_whatever_order_it_came(packed: tuple[Path, str], tmp_path: Path) -> None:
    again = tmp_path / "again.tar"
    assert write_archive(dict(reversed(MEMBERS.items())), {"runtime": "onnx"}, again) == packed[1]
    assert again.read_bytes() == packed[0].read_bytes()


def test_the_digest_is_that_of_the_file(packed: tuple[Path, str]) -> None:
    import hashlib

    assert hashlib.sha256(packed[0].read_bytes()).hexdigest() == packed[1] == Contents(packed[0]).digest()
    verify(*packed)


def test_an_altered_byte_is_noticed_wherever_it_is(packed: tuple[Path, str], tmp_path: Path) -> None:
    whole = packed[0].read_bytes()
    altered = tmp_path / "altered.tar"
    for place in range(0, len(whole), 11):  # no header, padding or member is shorter
        altered.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(BundleDamaged):
            verify(altered)


def test_an_archive_cut_anywhere_is_noticed(packed: tuple[Path, str], tmp_path: Path) -> None:
    whole = packed[0].read_bytes()
    cut = tmp_path / "cut.tar"
    for length in range(0, len(whole), 97):
        cut.write_bytes(whole[:length])
        with pytest.raises(BundleDamaged):
            verify(cut)


def test_half_an_archive_says_where_it_ends_and_what_to_do(packed: tuple[Path, str], tmp_path: Path) -> None:
    half = tmp_path / "half.tar"
    half.write_bytes(packed[0].read_bytes()[: packed[0].stat().st_size // 2])
    with pytest.raises(
        BundleDamaged, match=r"half.tar is damaged. It was not opened.\nIt ends at byte \d+.*\n.*trilho run --force"
    ):
        Contents(half)


def test_something_after_the_end_is_noticed(packed: tuple[Path, str]) -> None:
    with packed[0].open("ab") as file:
        file.write(b"\0")
    with pytest.raises(BundleDamaged, match="after its end"):
        Contents(packed[0])


def test_another_whole_bundle_is_not_the_one_the_registry_names(packed: tuple[Path, str]) -> None:
    with pytest.raises(BundleDamaged, match=r"another one: SHA-256 .* the registry says 00000000"):
        verify(packed[0], "0" * 64)


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=3000))
def test_what_is_no_bundle_is_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "any.tar"
    path.write_bytes(content)
    with pytest.raises(BundleDamaged):
        Contents(path)


@pytest.mark.parametrize(
    "name", ["../evil.py", "/etc/passwd", "a/../../evil", "C:\\evil", "a\\b", "a//b", "./a", "manifest.json", "", ".."]
)
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    out = tmp_path / "bundle.tar"
    write_archive({name: b"evil"}, {"runtime": "onnx"}, out)
    with pytest.raises(BundleDamaged, match="outside of it"):
        Contents(out)


def test_a_foreign_tar_with_a_name_that_leads_out_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.tar"
    with tarfile.open(path, "w") as made:
        entry = tarfile.TarInfo("../evil.py")
        entry.size = 4
        made.addfile(entry, io.BytesIO(b"evil"))
    with pytest.raises(BundleDamaged, match="not a trilho bundle"):
        Contents(path)
    assert not (tmp_path.parent / "evil.py").exists()


def test_a_newer_format_is_refused_and_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "bundle.tar"
    monkeypatch.setattr(archive, "FORMAT", 2)
    write_archive(MEMBERS, {"runtime": "onnx"}, out)
    monkeypatch.undo()
    with pytest.raises(
        BundleDamaged, match=r"format 2; this trilho reads format 1. It was not opened.\n.*pip install -U trilho"
    ):
        Contents(out)


def test_an_extracted_bundle_is_checked_as_the_archive_is(packed: tuple[Path, str], tmp_path: Path) -> None:
    folder = tmp_path / "extracted"
    Contents(packed[0]).extract(folder)
    verify(folder, packed[1])
    (folder / "code" / "features" / "more.py").write_bytes(b"x = 2\n")
    with pytest.raises(BundleDamaged, match=r"content of 'code/features/more.py'"):
        verify(folder)


def test_a_file_that_is_gone_from_an_extracted_bundle_is_named(packed: tuple[Path, str], tmp_path: Path) -> None:
    folder = tmp_path / "extracted"
    Contents(packed[0]).extract(folder)
    (folder / "a.json").unlink()
    with pytest.raises(BundleDamaged, match=r"'a.json' cannot be read"):
        verify(folder)


def test_an_edited_manifest_is_noticed(packed: tuple[Path, str], tmp_path: Path) -> None:
    folder = tmp_path / "extracted"
    Contents(packed[0]).extract(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["runtime"] = "native"
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))
    with pytest.raises(BundleDamaged, match="altered"):
        Contents(folder)


def test_a_missing_file_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(BundleDamaged, match="cannot be read"):
        Contents(tmp_path / "nowhere.tar")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "bundle.tar"
    before = write_archive(MEMBERS, {"runtime": "onnx"}, out)
    with pytest.raises(ValueError):
        write_archive({"x" * 300: b""}, {"runtime": "onnx"}, out)  # no tar header holds such a name
    assert Contents(out).digest() == before
    assert [path.name for path in tmp_path.iterdir()] == ["bundle.tar"]


def test_a_real_bundle_opened_with_any_part_altered_is_refused(tmp_path: Path) -> None:
    frame, truth = iris()
    shuffled = np.random.default_rng(0).permutation(len(frame))
    built = bundled(LogisticRegression(max_iter=1000), frame.iloc[shuffled], truth.iloc[shuffled], tmp_path)
    whole = built.path.read_bytes()
    altered = tmp_path / "altered.tar"
    for place in range(100, len(whole), 509):
        altered.write_bytes(whole[:place] + bytes([whole[place] ^ 64]) + whole[place + 1 :])
        with pytest.raises(BundleDamaged):
            bundle.verify(altered, built.digest)
