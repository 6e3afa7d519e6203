"""The JSON Schema for editors, checked with a reader of the few words that it uses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from trilho.errors import InvalidProject
from trilho.project import json_schema, load
from trilho.project.new import create
from trilho.project.tree import parse
from trilho.settings import BY_NAME, Origin
from unit.project.test_mistakes import ADDED
from unit.project.written import LEAST, Write

TYPES = {"string": str, "object": dict, "array": list, "boolean": bool, "null": type(None), "number": (int, float)}
KNOWN = {
    *("$schema", "title", "description", "default", "type", "properties", "additionalProperties", "required"),
    *("enum", "pattern", "anyOf", "items", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
}


def fits(value: Any, schema: Any) -> bool:
    """Does a value fit a schema, by JSON Schema's draft 2020-12?"""
    if isinstance(schema, bool):
        return schema
    assert set(schema) <= KNOWN
    types = schema.get("type", list(TYPES))
    if not any(_is(value, kind) for kind in ([types] if isinstance(types, str) else types)):
        return False
    if "enum" in schema and not any(value == one and type(value) is type(one) for one in schema["enum"]):
        return False
    if "anyOf" in schema and not any(fits(value, one) for one in schema["anyOf"]):
        return False
    if isinstance(value, str):
        return re.search(schema.get("pattern", ""), value) is not None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        infinite = float("inf")
        within = schema.get("minimum", -infinite) <= value <= schema.get("maximum", infinite)
        return within and schema.get("exclusiveMinimum", -infinite) < value < schema.get("exclusiveMaximum", infinite)
    if isinstance(value, list):
        return all(fits(item, schema.get("items", True)) for item in value)
    if isinstance(value, dict):
        known, rest = schema.get("properties", {}), schema.get("additionalProperties", True)
        return set(schema.get("required", ())) <= set(value) and all(
            fits(one, known.get(name, rest)) for name, one in value.items()
        )
    return True


def _is(value: Any, kind: str) -> bool:
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, TYPES[kind]) and not (kind == "number" and isinstance(value, bool))


def read(text: str) -> Any:
    tree, _ = parse(text, Origin(source="file", line=1))
    return tree.plain() if tree else None


def test_the_templates_project_file_fits(tmp_path: Path) -> None:
    text = (create(tmp_path / "shop").folder / "trilho.yaml").read_text(encoding="utf-8")
    assert fits(read(text), json_schema())


def test_the_project_file_of_the_readme_of_architecture_fits(write: Write) -> None:
    text = LEAST + (
        "positive_class: 0\nsplit: {test_size: 0.2, method: time, time_column: day}\n"
        "transform: {using: standard_scaler}\nevaluate: {thresholds: {f1: 0.9}, max_latency: 50ms}\n"
        "register: {promote: if_better, stages: true}\nserve: {port: 8000, reload_every: 2s, journal: 1.0}\n"
        "monitor: {window: 24h, drift: {share: 0.3, min_rows: 200}}\nretrain: {on: [drift, schedule]}\n"
        "steps: {split: 'shop:split'}\nprofiles: {team: {tracking_uri: 'http://mlflow:5000', serve: null}}\n"
    )
    assert fits(read(text), json_schema())
    load(write(text), environment={})


# What only the loader knows: combinations, columns, the form of the file, and names inside text.
ONLY_LOADER = re.compile(
    r"written twice|not YAML|the tag|refers to no|second document|cannot be a key|not allowed in YAML|is empty|nan|"
    r"is not computed|is for regression|there is no metric|lies between|split\.|transform\.params|model_dir|"
    r"register\.name|http://me:\*\*\*|put in quotes|reload_every is 0s|retrain\.every is 0s|"
    r"evaluate\.thresholds sets no metric a limit|journal\.columns leaves features out"
)


@pytest.mark.parametrize("added", [added for added, told in ADDED.items() if not ONLY_LOADER.search(told)])
def test_the_schema_refuses_what_the_loader_refuses(added: str) -> None:
    assert not fits(read(f"{LEAST}{added}\n"), json_schema())


def test_every_setting_has_its_help_and_default_in_the_schema() -> None:
    schema = json_schema()
    for name, setting in BY_NAME.items():
        place = schema
        for part in name.split("."):
            place = place["properties"][part]
        assert place["description"].startswith(setting.help), name
        assert place.get("default") == setting.default, name
        if setting.default is not None:
            assert fits(setting.default, place), name


def test_the_same_settings_are_offered_in_a_profile() -> None:
    schema = json_schema()
    offered = schema["properties"]["profiles"]["additionalProperties"]["properties"]
    assert set(offered) == set(schema["properties"]) - {"profiles"}


def test_the_schema_and_the_loader_agree_on_a_project_without_a_target(write: Write) -> None:
    text = LEAST.replace("target: churn\n", "")
    assert not fits(read(text), json_schema())
    with pytest.raises(InvalidProject, match="target is missing"):
        load(write(text), environment={})
