"""Finding a project, and which layer decides."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from trilho.errors import InvalidProject, ProjectNotFound
from trilho.project import ProjectFile, find, load
from trilho.settings import Origin
from unit.project.written import LEAST, Write


def test_a_project_is_found_from_any_folder_inside_it(write: Write, tmp_path: Path) -> None:
    write(LEAST)
    inside = tmp_path / "src" / "shop"
    inside.mkdir(parents=True)
    assert find(inside) == find(tmp_path) == find(tmp_path / "trilho.yaml") == tmp_path.resolve()


def test_the_nearest_project_counts(write: Write, tmp_path: Path) -> None:
    write(LEAST)
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "trilho.yaml").write_text(LEAST, encoding="utf-8")
    assert find(inner) == inner.resolve()


def test_a_folder_without_a_project_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ProjectNotFound, match=r"no trilho.yaml in .* or any folder above") as caught:
        find(tmp_path)
    assert "trilho new DIR" in caught.value.remedy


def test_a_misspelt_file_name_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "trilho.yml").write_text(LEAST, encoding="utf-8")
    with pytest.raises(ProjectNotFound, match=r"Rename trilho.yml to trilho.yaml"):
        load(tmp_path)


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectNotFound, match=r"There is no folder .*nowhere"):
        find(tmp_path / "nowhere")


def test_the_least_project_gets_every_default(write: Write) -> None:
    project = load(write(LEAST), environment={})
    assert (project.name, project.experiment, project.register.name) == ("shop", "shop", "shop")
    assert (project.primary_metric, project.evaluate.champion.metric) == ("f1", "brier")
    assert project.evaluate.metrics == ("accuracy", "precision", "recall", "f1", "roc_auc", "brier")
    assert (project.profile, project.tracking_uri, project.positive_class) == ("local", None, None)
    assert (project.serve.reload_every, project.monitor.window, project.retrain.cooldown) == (2.0, 86_400.0, 86_400.0)
    assert (project.split.method, project.split.test_size, project.transform.using) == ("hash", 0.2, "default")
    assert (project.model_dir, project.state_dir) == (Path("artifacts/model"), project.root / ".trilho")
    assert (project.train.params, project.steps, project.data.drop) == ({}, {}, ())


def test_regression_gets_metrics_of_its_own(write: Write) -> None:
    project = load(write(LEAST.replace("classification", "regression")), environment={})
    assert project.evaluate.metrics == ("rmse", "mae", "r2")
    assert project.primary_metric == project.evaluate.champion.metric == "rmse"


def test_defaults_of_the_values_and_of_the_settings_agree(write: Write, tmp_path: Path) -> None:
    from trilho.project.file import RetrainSection, ServeSection, SplitSection, TransformSection

    project = load(write(LEAST), environment={})
    assert project.split == SplitSection()
    assert project.serve == ServeSection()
    assert project.retrain == RetrainSection()
    assert project.transform == TransformSection()


def test_metrics_named_anywhere_are_computed_where_no_list_says_otherwise(write: Write) -> None:
    text = LEAST + "primary_metric: balanced_accuracy\nevaluate: {thresholds: {log_loss: 0.5}}\n"
    project = load(write(text), environment={})
    assert project.evaluate.metrics[-2:] == ("balanced_accuracy", "log_loss")
    assert project.evaluate.champion.metric == "balanced_accuracy"


def test_the_first_listed_metric_leads_where_the_usual_one_is_not_listed(write: Write) -> None:
    project = load(write(LEAST + "evaluate: {metrics: [recall, accuracy]}\n"), environment={})
    assert project.primary_metric == project.evaluate.champion.metric == "recall"


def test_metrics_of_the_users_own_evaluate_step_may_be_named(write: Write) -> None:
    text = LEAST + "primary_metric: profit\nsteps: {evaluate: 'shop:measure'}\nevaluate: {thresholds: {profit: 1000}}\n"
    project = load(write(text), environment={})
    assert (project.primary_metric, project.evaluate.champion.metric) == ("profit", "f1")
    assert project.evaluate.thresholds == {"profit": 1000}


def test_a_step_of_ones_own_stands_for_the_estimator_and_the_source(write: Write) -> None:
    text = "name: a\ntask: regression\ntarget: y\nsteps: {train: 'my.code:fit', ingest: 'my.code:read'}\n"
    project = load(write(text), environment={})
    assert (project.train.estimator, project.data.source) == ("my.code:fit", "my.code:read")
    assert str(project.origins["train.estimator"]) == "inferred from steps.train"


PORTS = {"file": 1001, "profile": 1002, ".env": 1003, "environment": 1004, "flag": 1005}


@pytest.mark.parametrize("highest", range(len(PORTS)))
def test_flag_beats_environment_beats_dotenv_beats_profile_beats_file(write: Write, highest: int) -> None:
    layers = list(PORTS)[: highest + 1]
    profile = "{serve: {port: 1002}}" if "profile" in layers else "{}"
    root = write(LEAST + f"serve: {{port: 1001}}\nprofiles:\n  local: {profile}\n")
    if ".env" in layers:
        write("# ports\nTRILHO_SERVE_PORT=1003\n", ".env")
    environment = {"TRILHO_SERVE_PORT": "1004"} if "environment" in layers else {}
    overrides = ["serve.port=1005"] if "flag" in layers else []
    project = load(root, environment=environment, overrides=overrides)
    assert project.serve.port == PORTS[layers[-1]]
    assert project.origins["serve.port"].source == layers[-1]


def test_every_origin_says_where_to_look(write: Write) -> None:
    root = write(LEAST + "profiles:\n  team:\n    tracking_uri: http://mlflow:5000\n")
    write("\nMLFLOW_EXPERIMENT_NAME='Projeto10_MLOps'\n", ".env")
    project = load(root, profile="team", environment={"TRILHO_TARGET": "left"}, overrides=["train.params.max_depth=3"])
    shown = {name: str(origin) for name, origin in project.origins.items()}
    assert shown["name"] == "trilho.yaml, line 1"
    assert shown["data.source"] == "trilho.yaml, line 4"
    assert shown["tracking_uri"] == "profile team, line 8"
    assert shown["experiment"] == ".env, line 2 (MLFLOW_EXPERIMENT_NAME)"
    assert shown["target"] == "env TRILHO_TARGET"
    assert shown["train.params.max_depth"] == shown["profile"] == "flag"
    assert shown["register.name"] == "inferred from name"
    assert shown["serve.port"] == "default"


def test_our_environment_name_beats_the_one_mlflow_uses(write: Write) -> None:
    names = {"MLFLOW_TRACKING_URI": "http://theirs:5000", "TRILHO_TRACKING_URI": "http://ours:5000"}
    assert load(write(LEAST), environment=names).tracking_uri == "http://ours:5000"


def test_an_empty_environment_value_counts_as_not_set(write: Write) -> None:
    root = write(LEAST + "profiles: {local: {tracking_uri: 'http://mlflow:5000/'}}\n")
    project = load(root, environment={"MLFLOW_TRACKING_URI": "", "TRILHO_PROFILE": " "})
    assert (project.tracking_uri, project.profile) == ("http://mlflow:5000", "local")


def test_the_environment_of_the_process_is_read_by_default(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRILHO_TRAIN_ESTIMATOR", "shop.models:fit")
    assert load(write(LEAST)).train.estimator == "shop.models:fit"


def test_environment_values_are_read_as_their_setting_needs(write: Write) -> None:
    environment = {
        "TRILHO_NAME": "2024",
        "TRILHO_SERVE_RELOAD_EVERY": "500ms",
        "TRILHO_POSITIVE_CLASS": "0",
        "TRILHO_SPLIT_TEST_SIZE": "0.25",
        "TRILHO_REGISTER_STAGES": "true",
        "TRILHO_MODEL_DIR": "out/model",
    }
    project = load(write(LEAST), environment=environment)
    assert (project.name, project.serve.reload_every, project.positive_class) == ("2024", 0.5, 0)
    assert (project.split.test_size, project.register.stages) == (0.25, True)
    assert project.model_dir == Path("out/model")


def test_a_profile_is_merged_deeply_and_lists_are_replaced(write: Write) -> None:
    text = LEAST.replace("Classifier}", "Classifier, params: {n_estimators: 50, max_depth: 4, class_weight: {0: 1}}}")
    text += "evaluate: {metrics: [f1, recall]}\nprofiles:\n  team:\n    train: {params: {n_estimators: 500}}\n"
    text += "    evaluate: {metrics: [f1]}\n"
    project = load(write(text), profile="team", environment={})
    assert project.train.params == {"n_estimators": 500, "max_depth": 4, "class_weight": {0: 1}}
    assert project.evaluate.metrics == ("f1",)
    assert str(project.origins["train.params.n_estimators"]) == "profile team, line 9"
    assert str(project.origins["train.params.max_depth"]) == "trilho.yaml, line 5"


@pytest.mark.parametrize("by", ["flag", "environment", ".env"])
def test_a_profile_is_chosen_by_flag_environment_or_dotenv(write: Write, by: str) -> None:
    root = write(LEAST + "profiles: {team: {experiment: central}}\n")
    if by == ".env":
        write("TRILHO_PROFILE=team", ".env")
    environment = {"TRILHO_PROFILE": "team"} if by == "environment" else {}
    project = load(root, profile="team" if by == "flag" else None, environment=environment)
    assert (project.profile, project.experiment) == ("team", "central")
    assert project.origins["profile"].source == by


def test_null_goes_back_to_the_default(write: Write) -> None:
    root = write(LEAST + "serve: {port: 9000}\ntracking_uri: http://x:1\nprofiles: {team: {tracking_uri: null}}\n")
    project = load(root, profile="team", environment={}, overrides=["serve.port=null"])
    assert (project.serve.port, project.tracking_uri) == (8000, None)
    assert project.origins["serve.port"] == Origin(source="default")


def test_null_takes_an_entry_out_of_a_mapping_but_is_a_value_among_params(write: Write) -> None:
    root = write(LEAST + "evaluate: {thresholds: {f1: 0.9, recall: 0.8}}\n")
    project = load(root, environment={}, overrides=["evaluate.thresholds.f1=null", "train.params.max_depth=null"])
    assert project.evaluate.thresholds == {"recall": 0.8}
    assert project.train.params == {"max_depth": None}
    assert "evaluate.thresholds.f1" not in project.origins


@pytest.mark.parametrize(
    ("override", "setting", "value"),
    [
        ("train.params.max_depth=3", "train.params", {"max_depth": 3}),
        ("train.params={max_depth: 3}", "train.params", {"max_depth": 3}),
        ("train={params: {max_depth: 3}}", "train.params", {"max_depth": 3}),
        ("data.options.dtype.a=text", "data.options", {"dtype": {"a": "text"}}),
        ("data.kinds.net.income=number", "data.kinds", {"net.income": "number"}),
        ("data.drop=[a, 'b c']", "data.drop", ("a", "b c")),
        ("data.source=sqlite:///x.db#t", "data.source", "sqlite:///x.db#t"),
        ("data.source=*.csv", "data.source", "*.csv"),
        ("target=1", "target", "1"),
        ("target='1 '", "target", "1 "),
        ("name=a=b".replace("=b", " b"), "name", "a b"),
        ("serve.reload_every=90s", "serve.reload_every", 90.0),
        ("positive_class=yes", "positive_class", "yes"),
        ("positive_class=1", "positive_class", 1),
        ("split.test_size=1e-1", "split.test_size", 0.1),
        ("retrain.on=[drift]", "retrain.on", ("drift",)),
        ("steps.train=shop:fit", "steps", {"train": "shop:fit"}),
    ],
)
def test_an_override_is_read_as_yaml(write: Write, override: str, setting: str, value: object) -> None:
    from trilho.project.sections import value_of

    assert value_of(load(write(LEAST), environment={}, overrides=[override]), setting) == value


def test_later_overrides_win(write: Write) -> None:
    overrides = ["train.params.a=1", "train.params.b=2", "train.params.a=3"]
    assert load(write(LEAST), environment={}, overrides=overrides).train.params == {"a": 3, "b": 2}


def test_yaml_words_mean_what_yaml_1_2_says(write: Write) -> None:
    text = LEAST + "positive_class: no\nretrain: {on: [drift]}\n"
    text = text.replace("Classifier}", "Classifier, params: {rate: 1e-3, day: 2024-01-01, time: 1:30}}")
    project = load(write(text), environment={})
    assert (project.positive_class, project.retrain.on) == ("no", ("drift",))
    assert project.train.params == {"rate": 0.001, "day": "2024-01-01", "time": "1:30"}


def test_anchors_and_aliases_work(write: Write) -> None:
    text = LEAST + "profiles:\n  a: &big\n    train: {params: {n: 1}}\n  b: *big\n"
    assert load(write(text), profile="b", environment={}).train.params == {"n": 1}


def test_a_section_that_is_empty_or_commented_out_is_no_mistake(write: Write) -> None:
    project = load(write(LEAST + "serve:\n  # port: 9000\nprofiles:\n  team:\n"), profile="team", environment={})
    assert project.serve.port == 8000


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    (tmp_path / "trilho.yaml").write_bytes(b"\xef\xbb\xbf" + LEAST.replace("\n", "\r\n").encode())
    assert load(tmp_path, environment={}).name == "shop"


def test_a_loaded_project_can_be_sent_to_another_process(write: Write) -> None:
    project = load(write(LEAST), environment={})
    again: ProjectFile = pickle.loads(pickle.dumps(project))
    assert again == project


def test_loading_a_project_imports_nothing_heavy(write: Write) -> None:
    root = write(LEAST)
    script = (
        "import sys; from pathlib import Path; from trilho.project import load; load(Path(sys.argv[1]));"
        "print(sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'mlflow', 'pandas', 'numpy', 'sklearn', 'rich', 'typer', 'dotenv', 'requests', 'pyarrow'}))"
    )
    done = subprocess.run([sys.executable, "-c", script, root], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unreadable_project_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "trilho.yaml").write_bytes(b"name: shop\ntarget: caf\xe9\n")
    with pytest.raises(InvalidProject, match="line 2: the byte 0xe9 is not UTF-8"):
        load(tmp_path, environment={})
