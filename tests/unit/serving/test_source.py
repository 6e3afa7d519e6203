from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from shipped import Shipped
from trilho.errors import BundleDamaged, NotRunYet, ServerUnreachable
from trilho.serving import find

DOWN = ServerUnreachable("The tracking server at http://127.0.0.1:1 does not answer.", remedy="Start it.")
URI = "models:/tried@champion"


@pytest.fixture
def served_before(tmp_path: Path, numbers: Shipped) -> Path:
    """A folder as it is after version 4 was served."""
    from trilho.bundle.archive import Contents

    folder = tmp_path / "serving"
    name = f"{Contents(numbers.path).digest()}.tar"
    (folder / "bundles").mkdir(parents=True)
    shutil.copy(numbers.path, folder / "bundles" / name)
    entry = {"path": f"bundles/{name}", "name": "tried", "version": "4"}
    (folder / "last.json").write_text(json.dumps({URI: entry}))
    return folder


def test_bundle_is_found_as_a_file_and_in_a_folder(tmp_path: Path, numbers: Shipped) -> None:
    for model in (numbers.path, numbers.path.parent):
        found = find(str(model), folder=tmp_path)
        assert (found.path, found.name, len(found.version), found.note) == (numbers.path, "tried", 12, "")


def test_extracted_bundle_has_the_version_of_its_archive(tmp_path: Path, numbers: Shipped) -> None:
    from trilho.bundle.archive import Contents

    Contents(numbers.path).extract(tmp_path / "out")
    found = find(str(tmp_path / "out"), folder=tmp_path)
    assert found.version == find(str(numbers.path), folder=tmp_path).version
    assert found.path == tmp_path / "out"


@pytest.mark.parametrize("model", ["nothing/here", "."])
def test_place_without_a_bundle_says_what_can_be_named(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotRunYet, match="bundle") as caught:
        find(model, folder=tmp_path)
    assert "models:/NAME@champion" in caught.value.remedy


def test_damaged_file_is_refused(tmp_path: Path, numbers: Shipped) -> None:
    damaged = tmp_path / "bundle.tar"
    content = bytearray(numbers.path.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(BundleDamaged):
        find(str(damaged), folder=tmp_path)


def test_last_champion_is_served_when_the_registry_is_down(served_before: Path) -> None:
    found = find(URI, folder=served_before, problem=DOWN)
    assert (found.name, found.version) == ("tried", "4")
    assert found.note == f"{DOWN.what} This is the last version known."


def test_registry_that_is_down_is_an_error_where_nothing_was_served_yet(served_before: Path, tmp_path: Path) -> None:
    for uri, folder in ((URI, tmp_path / "empty"), ("models:/other@champion", served_before)):
        with pytest.raises(ServerUnreachable):
            find(uri, folder=folder, problem=DOWN)


def test_last_champion_that_was_altered_on_disk_is_refused(served_before: Path) -> None:
    [path] = (served_before / "bundles").iterdir()
    with path.open("ab") as file:
        file.write(b"x")
    with pytest.raises(BundleDamaged):
        find(URI, folder=served_before, problem=DOWN)


@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_damaged_memory_of_what_was_served_is_as_none(served_before: Path, content: str) -> None:
    (served_before / "last.json").write_text(content)
    with pytest.raises(ServerUnreachable):
        find(URI, folder=served_before, problem=DOWN)
