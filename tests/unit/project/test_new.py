"""trilho new: names, what is written, what is refused, and that a table of one's own is described truly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trilho.errors import InvalidProject, UnknownName
from trilho.project import load
from trilho.project.infer import ColumnFacts, infer
from trilho.project.new import create, module_name, project_name, render, templates
from trilho.project.own_data import own_data_file, reading, source_for
from trilho.project.quoting import commented, quoted
from trilho.project.tree import parse
from trilho.settings import Origin

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("folder", "name", "module"),
    [
        ("churn", "churn", "churn"),
        ("Churn Model 2", "Churn-Model-2", "churn_model_2"),
        ("previsão_preços", "previsao-precos", "previsao_precos"),
        ("2024", "2024", "project_2024"),
        ("sklearn", "sklearn", "sklearn_project"),
        ("json", "json", "json_project"),
        ("class", "class", "class_project"),
        ("a.history", "a-history", "a_history"),
        ("---", "project", "project"),
        ("日本", "project", "project"),
    ],
)
def test_names_suit_mlflow_and_python_and_hide_no_module(folder: str, name: str, module: str) -> None:
    assert project_name(Path("/somewhere") / folder) == name
    assert module_name(name) == module


@pytest.mark.parametrize("template", templates())
def test_a_template_makes_a_project_without_mistakes(tmp_path: Path, template: str) -> None:
    made = create(tmp_path / "my shop", template=template)
    project = load(made.folder, environment={})
    assert project.name == project.experiment == "my-shop"
    assert project.register.stages
    assert {path.relative_to(made.folder).as_posix() for path in made.written} == {
        ".gitignore",
        "README.md",
        "pyproject.toml",
        "trilho.yaml",
        "notebooks/explore.ipynb",
        "src/my_shop/__init__.py",
        "src/my_shop/features.py",
        "tests/test_features.py",
        "tests/test_project.py",
    }
    for path in made.written:
        text = path.read_text(encoding="utf-8")
        assert "{{" not in text
        assert "\r" not in text


def test_every_profile_and_commented_setting_of_the_template_is_valid(tmp_path: Path) -> None:
    file = create(tmp_path / "shop").folder / "trilho.yaml"
    text = file.read_text(encoding="utf-8").replace("# steps:", "steps:")
    text = text.replace("using: standard_scaler", "using: shop.features:build")
    file.write_text(text, encoding="utf-8")
    project = load(file, profile="team", environment={})
    assert project.tracking_uri == "http://mlflow.example:5000"
    assert project.steps == {"split": "shop.features:split"}


def test_the_notebook_is_a_notebook(tmp_path: Path) -> None:
    notebook = json.loads((create(tmp_path / "shop").folder / "notebooks/explore.ipynb").read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert {"kernelspec", "language_info"} <= set(notebook["metadata"])
    identities = [cell["id"] for cell in notebook["cells"]]
    assert len(set(identities)) == len(identities) > 3
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            compile(cell["source"], "cell", "exec")
            assert (cell["outputs"], cell["execution_count"]) == ([], None)


def test_the_package_metadata_is_valid(tmp_path: Path) -> None:
    import tomllib

    made = create(tmp_path / "My Shop")
    project = tomllib.loads((made.folder / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["name"] == "my-shop"
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["src/my_shop"]


def test_an_unknown_template_is_told_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"no template tabluar\. Did you mean tabular\?"):
        create(tmp_path / "shop", template="tabluar")
    assert not (tmp_path / "shop").exists()


def test_a_folder_with_other_files_is_filled_beside_them(tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_text("a,b\n", encoding="utf-8")
    (tmp_path / "README.md").write_text("mine", encoding="utf-8")
    made = create(tmp_path)
    assert [path.name for path in made.kept] == ["README.md"]
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == "mine"
    assert (tmp_path / "trilho.yaml").is_file()


def test_files_in_the_way_are_named_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    for name in ("pyproject.toml", "tests/test_features.py"):
        (tmp_path / name).write_text("mine", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InvalidProject) as caught:
        create(tmp_path)
    assert caught.value.why.split() == ["pyproject.toml", "tests/test_features.py"]
    assert sorted(tmp_path.rglob("*")) == before


def test_a_second_project_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    create(tmp_path)
    with pytest.raises(InvalidProject, match="holds a project already"):
        create(tmp_path)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("", encoding="utf-8")
    with pytest.raises(InvalidProject, match="is a file"):
        create(tmp_path / "shop")


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "tests").write_text("a file where a folder must go", encoding="utf-8")
    with pytest.raises(OSError):
        create(tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["tests"]


def test_placeholders_in_values_are_left_alone() -> None:
    assert render("{{a}} {{{b}}}", a="{{b}}", b="{{a}}") == "{{b}} {{{a}}}"


_WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12) | (
    st.sampled_from(["yes", "1", "a: b", "# x", "null", "- a", "{", "'", '"', "\\", "a\tb", " ", "{{name}}", "é", "😀"])
)
_PLAIN = st.recursive(
    _WORDS | st.booleans() | st.none() | st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=3),
    max_leaves=6,
)


@given(value=_PLAIN)
def test_quoted_values_read_back_as_they_were(value: Any) -> None:
    tree, mistakes = parse(f"key: {quoted(value)}  # comment", Origin(source="file", line=1))
    assert mistakes == []
    assert tree is not None
    assert tree.plain() == {"key": value}


@given(text=st.text())
def test_a_comment_stays_on_its_line(text: str) -> None:
    assert yaml.safe_load(f"a: 1 # {commented(text)}\nb: 2") == {"a": 1, "b": 2}
    assert len(commented(text)) <= 100


_COLUMN = st.builds(
    ColumnFacts,
    name=_WORDS.filter(lambda name: name.strip() != ""),
    kind=st.sampled_from(["number", "category", "boolean", "text", "time"]),
    distinct=st.integers(2, 500),
    whole=st.booleans(),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(columns=st.lists(_COLUMN, max_size=6, unique_by=lambda column: column.name), rows=st.integers(600, 10**6))
def test_whatever_is_inferred_makes_a_valid_project(tmp_path: Path, columns: list[ColumnFacts], rows: int) -> None:
    target = ColumnFacts(name="the target", kind="category", distinct=2, labels={"a b": 300, "c: #": 300})
    feature = ColumnFacts(name="the feature", kind="number", distinct=90)
    found = infer([feature, *columns, target], target="the target", rows=rows)
    text = own_data_file(
        found,
        folder=tmp_path,
        source="../my data.csv",
        target="the target",
        rows=rows,
        columns=len(columns) + 2,
        given={"options": {"separator": ";", "na_values": ["?", "-"]}, "drop": ("a column",), "kinds": {"b": "text"}},
    )
    (tmp_path / "trilho.yaml").write_text(text, encoding="utf-8")
    project = load(tmp_path, environment={})
    assert project.target == "the target"
    assert project.positive_class in ("a b", "c: #")
    assert project.data.options == {"separator": ";", "na_values": ["?", "-"]}
    assert set(project.data.drop) == {"a column", *found.drop}
    assert project.data.kinds == {**found.kinds, "b": "text"}
    assert project.train.params == found.params.value


def test_the_data_file_is_named_relative_to_the_project(tmp_path: Path) -> None:
    assert source_for(tmp_path / "data" / "my.csv", tmp_path / "shop") == "../data/my.csv"
    assert source_for(tmp_path / "shop" / "my.csv", tmp_path / "shop") == "my.csv"


def test_how_to_read_the_data_is_said_with_set() -> None:
    found = reading(["data.options.separator=;", "data.drop=[a]", "data.kinds.zip=category"])
    assert found == {"options": {"separator": ";"}, "drop": ("a",), "kinds": {"zip": "category"}}


def test_a_set_that_is_not_about_reading_is_told_with_all_other_mistakes() -> None:
    with pytest.raises(InvalidProject) as caught:
        reading(["serve.port=1", "data.kinds.zip=categry"])
    assert "serve.port is for trilho.yaml" in caught.value.why
    assert "Did you mean category?" in caught.value.why
