"""Every class of mistake: its line, the near name, what is allowed; all of them in one message."""

# ruff: noqa: E501 - one mistake, one line

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trilho.errors import InvalidProject
from trilho.project import load
from trilho.settings import BY_NAME
from unit.project.written import LEAST, Write


def mistakes(root: Path, **arguments: object) -> list[str]:
    with pytest.raises(InvalidProject) as caught:
        load(root, **{"environment": {}, **arguments})  # type: ignore[arg-type]
    return [line.strip() for line in caught.value.why.splitlines()]


# What is added to the least project (line 6 onwards) → the one mistake that must be told.
ADDED = {
    # unknown names
    "evaluat: {}": "line 6: evaluat is no setting. Did you mean evaluate? Allowed: name, task, target,",
    "serve: {prot: 1}": "line 6: serve.prot is no setting. Did you mean serve.port? Allowed in serve: host, port,",
    "serve:\n  prot: 1": "line 7: serve.prot is no setting. Did you mean serve.port?",
    "test_size: 0.2": "line 6: test_size is no setting. Did you mean split.test_size?",
    "monitor: {drift: {shar: 1}}": "line 6: monitor.drift.shar is no setting. Did you mean monitor.drift.share?",
    "completely: different": "line 6: completely is no setting. Allowed: name, task,",
    "serve.port: 1": "line 6: serve.port is written in one word; write serve: {port: …}.",
    "<<: {}": "line 6: << is no setting.",
    # wrong kinds of values
    "serve: 8000": "line 6: serve is a section; its settings go below it: host, port, ",
    "serve: {port: '8000'}": "line 6: serve.port is the text '8000'; a whole number is expected.",
    "serve: {port: 80.5}": "line 6: serve.port is the number 80.5; a whole number is expected.",
    "serve: {port: true}": "line 6: serve.port is true; a whole number is expected.",
    "serve: {journal: half}": "line 6: serve.journal is the text 'half'; a number is expected.",
    "serve: {journal: .nan}": "line 6: serve.journal is the number nan; a finite number is expected.",
    "serve: {trust_code: yes}": "line 6: serve.trust_code is the text 'yes'; write true or false.",
    "serve: {reload_every: 2}": "line 6: serve.reload_every is the number 2; a number with ms, s, m, h or d is expected",
    "serve: {reload_every: soon}": "line 6: serve.reload_every is the text 'soon'; a number with ms, s, m, h or d",
    "serve: {host: 127}": 'line 6: serve.host is the number 127; text is expected, so write it in quotes: "127".',
    "serve: {host: true}": 'line 6: serve.host is true; text is expected, so write it in quotes: "true".',
    "serve: {host: ''}": "line 6: serve.host is empty.",
    "serve: {host: [a]}": "line 6: serve.host is a list; text is expected.",
    "positive_class: [1]": "line 6: positive_class is a list; one value is expected.",
    "evaluate: {metrics: f1}": "line 6: evaluate.metrics is the text 'f1'; a list is expected: [f1].",
    "evaluate:\n  metrics:\n    - f1\n    - 3": "line 9: evaluate.metrics: an item is the number 3; text is expected",
    "transform: {params: 3}": "line 6: transform.params is the number 3; a mapping is expected: {name: value}.",
    "evaluate: {thresholds: {f1: high}}": "line 6: evaluate.thresholds.f1 is the text 'high'; a number is expected.",
    # limits and choices
    "serve: {port: 70000}": "line 6: serve.port is 70000; it must be at least 1 and at most 65535.",
    "split: {test_size: 20}": "line 6: split.test_size is 20; it must be above 0 and below 1.",
    "serve: {reload_every: 0s}": "line 6: serve.reload_every is 0s; it must be above 0.",
    "evaluate: {champion: {confidence: 0.5}}": "line 6: evaluate.champion.confidence is 0.5; it must be above 0.5 and below",
    "split: {method: stratifed}": "line 6: split.method is 'stratifed'. Did you mean stratified? Allowed: hash, stratified, time.",
    "register: {promote: if_beter}": "line 6: register.promote is 'if_beter'. Did you mean if_better? Allowed: if_better,",
    "retrain: {on: [drfit]}": "line 6: retrain.on: there is no drfit. Did you mean drift? Allowed: drift, schedule,",
    "retrain: {on: [performance]}": "line 6: retrain.on names performance, but evaluate.thresholds sets no metric a limit",
    "retrain: {on: [drift]}\njournal: {columns: [-name]}": (
        "line 7: journal.columns leaves features out, and retrain.data: original+labelled needs every one"
    ),
    "retrain: {data: labelled}": "line 6: retrain.data is 'labelled'",
    "retrain: {every: 0s}": "line 6: retrain.every is 0s; it must be above 0.",
    "tracking_uri: ./mlruns": "line 6: tracking_uri is './mlruns'; the address of a tracking server is expected",
    "tracking_uri: 'http://me:secret@host:x'": "line 6: tracking_uri is 'http://me:***@host:x'; the address",
    # import strings
    "transform: {using: standart_scaler}": (
        "line 6: transform.using is 'standart_scaler'. Did you mean standard_scaler? "
        "Allowed: default, standard_scaler, none, or an import string such as package.module:name."
    ),
    "train: {estimator: HistGradientBoostingClassifier}": (
        "line 6: train.estimator is 'HistGradientBoostingClassifier'. "
        "Did you mean sklearn.ensemble.HistGradientBoostingClassifier? Write it as an import string"
    ),
    "steps: {spilt: 'a:b'}": "line 6: steps.spilt: there is no spilt. Did you mean split? Allowed: ingest, split,",
    "steps: {split: nowhere}": "line 6: steps.split is 'nowhere'. Write it as an import string such as package.module:name.",
    # metrics
    "primary_metric: F1": "line 6: primary_metric: there is no metric F1. Did you mean f1? Allowed: accuracy,",
    "primary_metric: rmse": "line 6: primary_metric: rmse is for regression, not for classification. Allowed: accuracy,",
    "evaluate: {metrics: [f1, acuracy]}": "line 6: evaluate.metrics: there is no metric acuracy. Did you mean accuracy?",
    "evaluate: {metrics: [accuracy], thresholds: {f1: 0.9}}": (
        "line 6: evaluate.thresholds.f1: f1 is not computed; add it to evaluate.metrics."
    ),
    "evaluate: {metrics: [f1], champion: {metric: recall}}": (
        "line 6: evaluate.champion.metric is recall, which is not computed; add it to evaluate.metrics."
    ),
    "primary_metric: recall\nevaluate: {metrics: [f1]}": "line 6: primary_metric is recall, which is not computed; add it",
    "evaluate:\n  thresholds:\n    recal: 0.9": "line 8: evaluate.thresholds.recal: there is no metric recal. Did you mean recall?",
    "evaluate: {thresholds: {f1: 90}}": "line 6: evaluate.thresholds.f1 is 90; f1 lies between 0 and 1.",
    # combinations
    "split: {method: time}": "line 6: split.method: time needs split.time_column, the column to order the rows by.",
    "split: {time_column: day}": "line 6: split.time_column is only for method: time; split.method is hash.",
    "split: {method: time, time_column: day, group_by: who}": "line 6: split.group_by cannot be kept by method: time;",
    "split: {group_by: churn}": "line 6: split.group_by is churn, which is the target.",
    "transform: {params: {a: 1}}": "line 6: transform.params: default takes none; name your own in transform.using.",
    "model_dir: ../out": "line 6: model_dir is ../out; a folder inside the project is expected, such as artifacts/model.",
    "model_dir: .": "line 6: model_dir is .; a folder inside the project is expected",
    "register: {name: 'a/b'}": "line 6: register.name is 'a/b'; letters, digits, blanks, dots, - and _ are allowed",
    "register: {name: shop.history}": "line 6: register.name ends with .history, which is kept for the history",
    # profiles
    "profiles: 3": "line 6: profiles is a mapping of names to settings",
    "profiles:\n  team:\n    serve: {prot: 1}": "line 8: serve.prot is no setting. Did you mean serve.port?",
    "profiles:\n  team:\n    serve:\n      port: x": "line 9: serve.port is the text 'x'; a whole number is expected.",
    "profiles:\n  team: 3": "line 7: settings are expected here",
    "profiles:\n  team:\n    profiles: {}": "line 8: profiles.team.profiles: a profile cannot hold profiles.",
    # YAML itself
    "target: again": "line 6: target is written twice, first in line 3.",
    "serve:\n  port: 1\n  port: 2": "line 8: serve.port is written twice, first in line 7.",
    "serve: {port: 1": "line 7: this is not YAML:",
    "serve:\n\tport: 1": "line 7: this is not YAML:",
    "serve: !!python/name:os.system {}": "line 6: the tag tag:yaml.org,2002:python/name:os.system is not supported",
    "serve: *nothing": "line 6: *nothing refers to no earlier &nothing.",
    "transform: {params: {a: &a [*a]}}": "line 6: *a refers to no earlier &a.",
    "---\nname: other": "line 6: a second document starts here",
    "serve: {? [a] : 1}": "line 6: a list or mapping cannot be a key.",
    "a: \x07": "line 6: the character '\\x07' is not allowed in YAML.",
}


@pytest.mark.parametrize("added", ADDED)
def test_a_mistake_is_told_with_its_line_and_what_is_allowed(write: Write, added: str) -> None:
    told = mistakes(write(f"{LEAST}{added}\n"))
    assert [line for line in told if line.startswith(ADDED[added])], told
    assert len(told) <= 2


CHANGED = {
    ("target: churn\n", ""): "trilho.yaml: target is missing: the column to predict.",
    ("name: shop\n", ""): "trilho.yaml: name is missing: the project's name.",
    ("name: shop", "name: 2024"): 'line 1: name is the number 2024; text is expected, so write it in quotes: "2024".',
    ("source: ", "sorce: "): "line 4: data.sorce is no setting. Did you mean data.source?",
    ("classification", "clasification"): "line 2: task is 'clasification'. Did you mean classification? Allowed: class",
    ("sklearn.ensemble.RandomForestClassifier", "forest"): "line 5: train.estimator is 'forest'. Write it as an import",
    ("classification", "regression\npositive_class: 1"): "line 3: positive_class has no meaning for task: regression;",
    ("shop.csv}", "shop.csv, drop: [id, churn]}"): "line 3: target is churn, which data.drop takes out.",
    ("shop.csv}", "shop.csv, kinds: {age: numbr}}"): "line 4: data.kinds.age is 'numbr'. Did you mean number? Allowed:",
    ("Classifier}", "Classifier, sample_weight: churn}"): "line 5: train.sample_weight is churn, which is the target.",
}


@pytest.mark.parametrize("change", CHANGED)
def test_a_mistake_in_what_every_project_says_is_told(write: Write, change: tuple[str, str]) -> None:
    told = mistakes(write(LEAST.replace(*change)))
    assert [line for line in told if line.startswith(CHANGED[change])], told


def test_all_mistakes_come_at_once_in_the_order_of_the_file(write: Write) -> None:
    text = LEAST.replace("churn", "5") + "serve: {port: x}\nprofiles:\n  team: {trian: {}}\nevaluat: {}\n"
    write("TRILHO_SERVE_JOURNAL=2\n", ".env")
    told = mistakes(
        write(text), environment={"TRILHO_SPLIT_TEST_SIZE": "big"}, overrides=["train.parms.a=1", "nonsense"]
    )
    places = [line.split(": ")[0] for line in told]
    assert places[:4] == ["line 3", "line 6", "line 8", "line 9"]
    assert places[4:] == [
        ".env, line 1 (TRILHO_SERVE_JOURNAL)",
        "env TRILHO_SPLIT_TEST_SIZE",
        "--set train.parms.a=1",
        "--set nonsense",
    ]
    assert "train.parms is no setting. Did you mean train.params?" in told[6]


def test_the_message_names_the_file_the_count_and_the_way_out(write: Write) -> None:
    root = write(LEAST + "serve: {port: x, hots: y}\n")
    with pytest.raises(InvalidProject) as caught:
        load(root, environment={})
    assert caught.value.what == f"{root.resolve() / 'trilho.yaml'} has 2 mistakes."
    assert caught.value.remedy.startswith("Correct trilho.yaml; trilho config --schema")


def test_a_profile_that_does_not_exist_is_told_with_the_near_one(write: Write) -> None:
    root = write(LEAST + "profiles: {team: {}, aws: {}}\n")
    told = mistakes(root, profile="taem")
    assert told == ["--profile taem: there is no profile taem. Did you mean team? Profiles: local, team, aws."]
    told = mistakes(root, environment={"TRILHO_PROFILE": "prod"})
    assert told == ["env TRILHO_PROFILE: there is no profile prod. Profiles: local, team, aws."]


def test_an_empty_file_lists_what_is_missing(write: Write) -> None:
    told = mistakes(write("# nothing yet\n"))
    missing = {line.split(": ")[1].removesuffix(" is missing") for line in told}
    assert missing == {setting.name for setting in BY_NAME.values() if setting.required}


def test_a_file_that_is_no_mapping_is_told(write: Write) -> None:
    assert mistakes(write("- name\n- task\n"))[0].startswith("line 1: settings are expected here")


def test_a_huge_number_or_nesting_or_alias_bomb_is_a_mistake_not_a_crash(write: Write) -> None:
    digits = "9" * 5000
    assert "a whole number is expected" in mistakes(write(f"{LEAST}serve: {{port: {digits}}}\n"))[0]
    assert "finite number" in mistakes(write(f"{LEAST}serve: {{journal: {'9' * 400}}}\n"))[0]
    assert "levels of nesting" in mistakes(write("[" * 200_000 + "]" * 200_000))[0]
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    assert any("values." in line for line in mistakes(write(bomb)))


def test_a_broken_dotenv_is_told_without_its_secrets(write: Write) -> None:
    write('A=1\nAWS_SECRET="hunter2\n', ".env")
    told = mistakes(write(LEAST))
    assert told == [".env, line 2 (AWS_SECRET=…): write NAME=value; a value with a quote in it goes in quotes."]


_ANY_VALUE = st.recursive(
    st.sampled_from(["1", "0.5", "yes", "true", "~", "'x'", "2s", "f1", "a:b", "a.b", "[", "{", ".inf", "*x", "!x"])
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(st.text(max_size=5), inner, max_size=3).map(
            lambda items: "{" + ", ".join(f"{key}: {value}" for key, value in items.items()) + "}"
        )
    ),
    max_leaves=5,
)


def _loads_or_tells(folder: Path, text: str, **arguments: object) -> None:
    (folder / "trilho.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    with contextlib.suppress(InvalidProject):
        load(folder, **{"environment": {}, **arguments})  # type: ignore[arg-type]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text())
def test_arbitrary_text_loads_or_is_told(tmp_path: Path, text: str) -> None:
    _loads_or_tells(tmp_path, text)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=st.dictionaries(st.sampled_from(sorted(BY_NAME)), _ANY_VALUE, max_size=4))
def test_arbitrary_values_load_or_are_told(tmp_path: Path, written: dict[str, str]) -> None:
    lines = []
    for name, value in written.items():
        *sections, last = name.split(".")
        lines += [f"{'  ' * depth}{section}:" for depth, section in enumerate(sections)]
        lines.append(f"{'  ' * len(sections)}{last}: {value}")
    _loads_or_tells(tmp_path, LEAST + "\n".join(lines))
    _loads_or_tells(tmp_path, "profiles:\n local:\n" + "\n".join(f"  {line}" for line in [*LEAST.splitlines(), *lines]))


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    overrides=st.lists(
        st.text() | st.tuples(st.sampled_from(sorted(BY_NAME)) | st.text(max_size=9), _ANY_VALUE).map("=".join),
        max_size=3,
    ),
    environment=st.dictionaries(
        st.sampled_from(sorted(name for setting in BY_NAME.values() for name in setting.env)), _ANY_VALUE, max_size=2
    ),
    profile=st.none() | st.text(max_size=5),
)
def test_arbitrary_flags_and_environments_load_or_are_told(
    tmp_path: Path, overrides: list[str], environment: dict[str, str], profile: str | None
) -> None:
    _loads_or_tells(tmp_path, LEAST, overrides=overrides, environment=environment, profile=profile)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text() | st.lists(st.text(alphabet="ABTRILHO_='\"\\ #\n$export", max_size=20)).map("\n".join))
def test_an_arbitrary_dotenv_loads_or_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / ".env").write_bytes(text.encode("utf-8", "surrogatepass"))
    _loads_or_tells(tmp_path, LEAST)
