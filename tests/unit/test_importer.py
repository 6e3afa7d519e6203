from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.metadata import metadata
from pathlib import Path
from types import ModuleType

import pytest

from trilho import importer
from trilho.errors import ImportFailed, MissingExtra
from trilho.importer import load_module, load_object, project_code, source_of


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A project's folder whose module is called like no other's; forgotten afterwards."""
    yield tmp_path
    for name in [name for name in sys.modules if source_of(name, tmp_path)]:
        del sys.modules[name]


def write(folder: Path, name: str, text: str, *, later: int = 0) -> None:
    """Write a module; `later` seconds count as passed since the last one."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    os.utime(file, (1_700_000_000 + later, 1_700_000_000 + later))


@pytest.mark.parametrize("path", ["os.path:join", "os.path.join"])
def test_both_forms_of_an_import_string_lead_to_the_object(path: str) -> None:
    assert load_object(path) is os.path.join


def test_a_dotted_name_leads_into_a_class() -> None:
    assert load_object("pathlib:Path.cwd") == Path.cwd


@pytest.mark.parametrize("path", ["build", "", ":build", "features:", "."])
def test_what_is_no_import_string_is_said_to_be_none(path: str) -> None:
    with pytest.raises(ImportFailed, match="is not an import string") as caught:
        load_object(path)
    assert "package.module:name" in caught.value.remedy


def test_a_name_that_is_not_there_names_the_near_one() -> None:
    with pytest.raises(ImportFailed, match="Did you mean 'RandomForestClassifier'"):
        load_object("sklearn.ensemble.RandomForestClasifier")


def test_an_estimator_in_the_wrong_place_is_named_with_the_right_one() -> None:
    with pytest.raises(
        ImportFailed, match=r"Did you mean 'sklearn\.ensemble\.HistGradientBoostingRegressor'"
    ) as caught:
        load_object("sklearn.HistGradientBoostingRegressor")
    assert "define" not in caught.value.remedy  # nobody adds a name to scikit-learn


def test_a_name_without_a_near_one_is_named_with_its_module() -> None:
    with pytest.raises(ImportFailed, match=r"'os\.path' has no 'zzzzzz'\.") as caught:
        load_object("os.path:zzzzzz")
    assert "mean" not in caught.value.what


def test_a_module_that_is_not_there_is_named(project: Path) -> None:
    with project_code(project), pytest.raises(ImportFailed, match="No module named 'features_absent'"):
        load_object("features_absent:build")


def test_a_package_that_a_module_of_the_project_needs_is_named(project: Path) -> None:
    write(project, "needs_other.py", "import package_that_is_absent\n")
    with project_code(project), pytest.raises(ImportFailed, match="package_that_is_absent") as caught:
        load_module("needs_other")
    assert "'needs_other'" in caught.value.why


@pytest.mark.parametrize("package", sorted(importer.EXTRAS))
def test_a_missing_package_of_an_extra_gives_its_install_line(
    project: Path, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # Python's own way to say: not installed
    write(project, "needs_extra.py", f"import {package}.sub\n")
    with project_code(project), pytest.raises(MissingExtra, match=f"{package} is not installed") as caught:
        load_module("needs_extra")
    assert caught.value.remedy == f'pip install "trilho[{importer.EXTRAS[package]}]"'


def test_every_extra_that_an_install_line_names_exists() -> None:
    assert set(importer.EXTRAS.values()) <= set(metadata("trilho").get_all("Provides-Extra") or [])


@pytest.mark.parametrize("line", ["1 / 0", "raise SystemExit(3)", "def broken(:"])
def test_a_module_that_fails_while_imported_is_named_with_its_error(project: Path, line: str) -> None:
    write(project, "failing.py", line + "\n")
    with project_code(project), pytest.raises(ImportFailed, match="'failing' cannot be imported: ") as caught:
        load_module("failing")
    assert caught.value.__cause__ is not None


def test_modules_are_found_in_src_before_the_folder_itself(project: Path) -> None:
    write(project, "both_places.py", "where = 'folder'\n")
    write(project, "src/both_places.py", "where = 'src'\n")
    with project_code(project):
        assert load_object("both_places:where") == "src"
    assert source_of("both_places", project) == project / "src" / "both_places.py"


def test_a_package_goes_before_a_module_of_its_name(project: Path) -> None:
    write(project, "two_forms.py", "where = 'module'\n")
    write(project, "two_forms/__init__.py", "where = 'package'\n")
    with project_code(project):
        assert load_object("two_forms:where") == "package"
    assert source_of("two_forms", project) == project / "two_forms" / "__init__.py"


def test_the_path_is_as_before_afterwards_even_after_an_error(project: Path) -> None:
    before = list(sys.path)
    write(project, "tidying.py", f"import sys\nsys.path.remove({str(project)!r})\n1 / 0\n")
    with pytest.raises(ImportFailed), project_code(project):
        load_module("tidying")
    assert sys.path == before


def test_the_path_leads_to_the_project_first(project: Path) -> None:
    with project_code(project):
        assert sys.path[:2] == [str(project / "src"), str(project)]
        with project_code(project):
            assert sys.path.count(str(project)) == 1
        assert str(project) in sys.path


@pytest.mark.parametrize("name", ["", "..", "a..b", "../other", "a/b", "features.py:x"])
def test_no_name_leads_out_of_the_project(project: Path, name: str) -> None:
    write(project.parent, "other.py", "")
    assert source_of(name, project) is None


# What a notebook does: edit a module between two runs in one process.


def value_of(project: Path) -> int:
    with project_code(project):
        found: int = load_object("edited:value")()
        return found


def test_a_changed_module_is_read_again(project: Path) -> None:
    write(project, "edited.py", "def value():\n    return 1\n")
    assert value_of(project) == 1
    write(project, "edited.py", "def value():\n    return 22\n", later=60)
    assert value_of(project) == 22


def test_a_changed_module_reaches_those_that_import_from_it(project: Path) -> None:
    write(project, "edited.py", "from inner import value\n")
    write(project, "inner.py", "def value():\n    return 1\n")
    assert value_of(project) == 1
    write(project, "inner.py", "def value():\n    return 22\n", later=60)
    assert value_of(project) == 22


def test_a_module_imported_before_trilho_came_is_read_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(project))
    write(project, "edited.py", "def value():\n    return 1\n")
    __import__("edited")
    write(project, "edited.py", "def value():\n    return 22\n", later=60)
    assert value_of(project) == 22


def test_an_unchanged_module_stays_the_same_object(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "_COARSE_NS", -(10**15))  # files count as old, though the test has just written them
    write(project, "edited.py", "def value():\n    return 1\n")
    value_of(project)
    value_of(project)
    before = sys.modules["edited"]
    value_of(project)
    assert sys.modules["edited"] is before


def test_a_module_of_that_name_from_another_project_is_not_taken(project: Path, tmp_path: Path) -> None:
    write(tmp_path / "one", "edited.py", "def value():\n    return 1\n")
    write(tmp_path / "two", "edited.py", "def value():\n    return 2\n")
    assert [value_of(tmp_path / "one"), value_of(tmp_path / "two"), value_of(tmp_path / "one")] == [1, 2, 1]
    del sys.modules["edited"]


def test_a_module_of_that_name_that_came_from_elsewhere_is_not_taken(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "_COARSE_NS", -(10**15))
    write(project, "edited.py", "def value():\n    return 1\n")
    elsewhere = ModuleType("edited")  # as a bundle's own copy of the project's code
    elsewhere.value = lambda: 2  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "edited", elsewhere)
    assert value_of(project) == 1


def test_pythons_own_modules_stay_whatever_the_project_calls_its_files(project: Path) -> None:
    json, pandas = sys.modules["json"], sys.modules.get("pandas")
    write(project, "json.py", "")
    write(project, "trilho.py", "")
    with project_code(project):
        assert sys.modules["json"] is json
        assert sys.modules["trilho.importer"] is importer
        assert sys.modules.get("pandas") is pandas
