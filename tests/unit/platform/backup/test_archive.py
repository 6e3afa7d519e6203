"""A backup file gives back what went in, and says when it does not."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trilho.errors import BackupDamaged, BackupFailed
from trilho.platform.backup.archive import Member, members, writing

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=150).filter(
    lambda name: name.strip("/") == name and name not in ("SHA256SUMS", "manifest.json")
)


def read(file: Path) -> dict[str, bytes]:
    return {member.name: member.stream.read() for member in members(file)}


def write(file: Path, content: dict[str, bytes]) -> None:
    with writing(file) as writer:
        for name, data in content.items():
            writer.add(name, BytesIO(data), len(data))
        writer.finish({"format": 1})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(content=st.dictionaries(NAMES, st.binary(max_size=3000), max_size=6))
def test_what_goes_in_comes_out(content: dict[str, bytes], tmp_path: Path) -> None:
    file = tmp_path / "b.tar.zst"
    file.unlink(missing_ok=True)
    write(file, content)
    found = read(file)
    assert found.pop("manifest.json") == b'{\n "format": 1\n}'
    assert found == content


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_no_altered_or_truncated_file_is_taken_for_whole(data: st.DataObject, tmp_path: Path) -> None:
    file = tmp_path / "b.tar.zst"
    if not file.exists():
        write(file, {"artifacts/a": bytes(range(256)) * 20, "artifacts/b": b"x" * 9999})
    whole = file.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        changed = whole[:place]
    else:
        changed = whole[:place] + bytes([whole[place] ^ data.draw(st.integers(1, 255))]) + whole[place + 1 :]
    other = tmp_path / "other"
    other.write_bytes(changed)
    try:
        found = read(other)
    except BackupDamaged:
        return
    assert found == read(file), "a bit of the packing that means nothing"


def test_a_member_that_is_not_read_is_checked_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "b.tar.zst"
    write(file, {"a": b"x" * 3_000_000, "b": b"y"})
    assert [(member.name, member.size) for member in members(file)][:2] == [("a", 3_000_000), ("b", 1)]


def test_a_file_that_shrinks_while_it_is_read_is_filled_and_reported(tmp_path: Path) -> None:
    with writing(tmp_path / "b.tar.zst") as writer:
        assert writer.add("whole", BytesIO(b"abc"), 3)
        assert not writer.add("shrunk", BytesIO(b"abc"), 5)
        assert writer.add("grown", BytesIO(b"abcdef"), 3), "what comes after is left out"
        writer.finish({})
    assert read(tmp_path / "b.tar.zst")["shrunk"] == b"abc\0\0"
    assert read(tmp_path / "b.tar.zst")["grown"] == b"abc"


def test_an_error_on_the_way_leaves_nothing_behind(tmp_path: Path) -> None:
    with suppress(RuntimeError), writing(tmp_path / "b.tar.zst") as writer:
        writer.add("a", BytesIO(b"x" * 1_000_000), 1_000_000)
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_came_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "b.tar.zst"

    def overtaken() -> None:
        with writing(file) as writer:
            writer.finish({})
            file.write_text("mine", encoding="utf-8")

    with pytest.raises(BackupFailed, match="exists already"):
        overtaken()
    assert file.read_text(encoding="utf-8") == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["b.tar.zst"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="There is no folder"), writing(tmp_path / "no" / "b.tar.zst"):
        pass


def test_sha256sum_checks_it_too(tmp_path: Path) -> None:
    write(tmp_path / "b.tar.zst", {"artifacts/ä b": b"1", "artifacts/back\\slash": b"2"})
    for member in members(tmp_path / "b.tar.zst"):
        _save(tmp_path / "out" / member.name, member)
    sums = tmp_path / "out" / "SHA256SUMS"
    sums.write_bytes(_sums(tmp_path / "b.tar.zst"))
    done = subprocess.run(["sha256sum", "-c", sums.name], cwd=sums.parent, capture_output=True, text=True, check=False)
    if done.returncode == 127:
        pytest.skip("no sha256sum here")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": OK") == 3


def _save(path: Path, member: Member) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(member.stream.read())


def _sums(file: Path) -> bytes:
    import tarfile

    import pyarrow

    with tarfile.open(fileobj=pyarrow.input_stream(str(file), compression="zstd"), mode="r|") as tar:
        return next(tar.extractfile(info).read() for info in tar if info.name == "SHA256SUMS")  # type: ignore[union-attr]
