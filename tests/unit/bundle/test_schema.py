from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trilho.bundle import Field, Schema
from trilho.errors import BundleDamaged

numbers = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(max_size=20)
fields = st.builds(
    Field,
    name=texts,
    kind=st.sampled_from(["number", "category", "boolean", "text", "time", "image"]),
    nullable=st.booleans(),
    closed=st.booleans(),
    dtype=texts,
    minimum=st.none() | numbers,
    maximum=st.none() | numbers,
    quantiles=st.lists(numbers, max_size=21).map(tuple),
    typical=st.none() | numbers | texts,
    values=st.lists(texts, max_size=5).map(tuple),
    shares=st.lists(numbers, max_size=5).map(tuple),
    missing=numbers,
    integer=st.booleans(),
)
labels = st.one_of(
    st.lists(st.integers(), max_size=4),
    st.lists(texts, max_size=4),
    st.just([False, True]),
    st.lists(numbers, max_size=4),
)
schemas = st.builds(
    Schema,
    task=texts,
    target=texts,
    fields=st.lists(fields, max_size=4).map(tuple),
    labels=labels.map(tuple),
    label_names=st.lists(texts, max_size=4).map(tuple),
    positive=st.none() | st.integers() | texts | st.booleans(),
)


@settings(deadline=None)
@given(schemas)
def test_a_schema_reads_back_equal(schema: Schema) -> None:
    back = Schema.from_json(schema.to_json())
    assert back == schema
    assert [type(label) for label in back.labels] == [type(label) for label in schema.labels]


def test_an_image_is_a_field_like_any_other() -> None:
    schema = Schema(
        task="image-classification", target="label", fields=(Field(name="x", kind="image", nullable=False),)
    )
    assert Schema.from_json(schema.to_json()).fields[0].kind == "image"


def test_an_entry_of_a_later_version_is_ignored() -> None:
    text = json.dumps(
        {
            "format": 1,
            "task": "t",
            "target": "y",
            "fields": [{"name": "a", "kind": "number", "nullable": True, "unit": "kg"}],
        }
    )
    assert Schema.from_json(text).names == ("a",)


def test_a_newer_format_is_refused_and_says_how_to_go_on() -> None:
    with pytest.raises(BundleDamaged, match=r"format 99.*\n.*pip install -U trilho"):
        Schema.from_json(json.dumps({"format": 99, "task": "t", "target": "y", "fields": []}))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{}", '{"format": 1}', '{"format": 1, "fields": [{"kind": 3}], "task": "", "target": ""}'],
)
def test_what_is_no_schema_is_refused(text: str) -> None:
    with pytest.raises(BundleDamaged, match="schema cannot be read"):
        Schema.from_json(text)
