"""A JSON Schema of trilho.yaml for editors, made from SETTINGS."""

from __future__ import annotations

from typing import Any

from trilho.project.names import METRICS
from trilho.project.values import IMPORT_STRING
from trilho.settings import DURATION, SETTINGS, Setting

Schema = dict[str, Any]
_NULL: Schema = {"type": "null"}


def json_schema() -> Schema:
    """The schema (draft 2020-12). What settings mean together it cannot say; `trilho config` checks that too.

    In an editor with yaml-language-server: write it to a file, and start trilho.yaml with
    `# yaml-language-server: $schema=trilho.schema.json`.
    """
    properties: Schema = {}
    for setting in SETTINGS:
        *sections, last = setting.name.split(".")
        place = properties
        for section in sections:
            place = place.setdefault(section, _section({}))["properties"]
        place[last] = _described(setting)
    profile = _section(properties)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "trilho.yaml",
        "description": "A trilho project: one file from data to a served model.",
        **_section(
            {
                **properties,
                "profiles": {
                    "description": "What differs by place: profile → the same settings, laid over those above.",
                    "type": ["object", "null"],
                    "additionalProperties": profile,
                },
            }
        ),
        "type": "object",
        "required": [setting.name for setting in SETTINGS if setting.required and "." not in setting.name],
    }


def _section(properties: Schema) -> Schema:
    return {"type": ["object", "null"], "properties": properties, "additionalProperties": False}


def _described(setting: Setting) -> Schema:
    words = [setting.help]
    if setting.unit:
        words.append(f"In {setting.unit}." if setting.unit != "of the metric" else "In the unit of the metric.")
    if setting.derived:
        words.append(f"Default: from {setting.derived}.")
    shape = _shape(setting)
    if not setting.required:  # null means the default
        shape = {"anyOf": [*shape.get("anyOf", [shape]), _NULL]}
    default = {} if setting.default is None else {"default": setting.default}
    return {"description": " ".join(words), **shape, **default}


def _shape(setting: Setting) -> Schema:
    import_string: Schema = {"type": "string", "pattern": f"^({IMPORT_STRING})$"}
    if setting.name in ("primary_metric", "evaluate.champion.metric"):  # offered; those of one's own step are allowed
        return {"anyOf": [{"enum": list(METRICS)}, {"type": "string"}]}
    if setting.name == "evaluate.metrics":
        return {"type": "array", "items": {"enum": list(METRICS)}}
    numbers = {
        "minimum": setting.at_least,
        "exclusiveMinimum": setting.above,
        "maximum": setting.at_most,
        "exclusiveMaximum": setting.below,
    }
    limits = {word: limit for word, limit in numbers.items() if limit is not None}
    match setting.kind:
        case "choice":
            return {"enum": list(setting.choices)}
        case "import":
            return {"anyOf": [*([{"enum": list(setting.choices)}] if setting.choices else []), import_string]}
        case "address":
            return {"type": "string", "pattern": "^https?://"}
        case "integer":
            return {"type": "integer", **limits}
        case "number" | "share":
            return {"type": "number", **limits}
        case "duration":
            return {"type": "string", "pattern": f"^{DURATION}$"}
        case "boolean":
            return {"type": "boolean"}
        case "value":
            return {"type": ["string", "number", "boolean"]}
        case "list":
            return {
                "type": "array",
                "items": {"enum": list(setting.choices)} if setting.choices else {"type": "string"},
            }
        case "mapping":
            return {"type": "object"}
        case "numbers":
            return {"type": "object", "additionalProperties": {"type": ["number", "null"]}}
        case "texts":
            return {"type": "object", "additionalProperties": {"enum": [*setting.choices, None]}}
        case "imports":
            return {
                "type": "object",
                "properties": {step: {"anyOf": [import_string, _NULL]} for step in setting.choices},
                "additionalProperties": False,
            }
        case _:
            return {"type": "string"}
