"""A Streamlit app for whatever model is in charge: inputs, probabilities and footer come from the running server.

trilho serve                                      # in one terminal
streamlit run examples/streamlit/app.py           # in another; opens http://localhost:8501
"""

from __future__ import annotations

import os
import random
from typing import Any

import streamlit as st

from trilho.client import Client, Column, Model
from trilho.errors import TrilhoError

SERVER = os.environ.get("MODEL_SERVER", "http://127.0.0.1:8000")


@st.cache_resource
def connected(address: str) -> Client:
    """One client for all visitors and reruns: its connections are kept."""
    return Client(address, api_key=os.environ.get("MODEL_SERVER_KEY"))


def main() -> None:
    client = connected(SERVER)
    try:
        model = client.model()  # asked at every rerun: after a promotion, this is the new one
    except TrilhoError as error:
        st.error(str(error))
        st.stop()
    st.title(f"{model.model}: {model.target}")
    st.button("Random row", on_click=fill, args=(model,), icon=":material/casino:")
    row = inputs(model)
    with st.sidebar:  # in sight, however many inputs there are
        show_answer(client, row)
        st.caption(footer(model))


def show_answer(client: Client, row: dict[str, Any]) -> None:
    try:
        answer = client.predict(row)
    except TrilhoError as error:
        st.warning(str(error))
        return
    st.metric("Prediction", answer.label or f"{answer.prediction:.6g}")
    for name, share in (answer.probabilities or {}).items():
        st.progress(share, text=f"{name}: {share:.1%}")
    st.caption(f"Answered by {answer.model} v{answer.version}, prediction {answer.id}")


def inputs(model: Model) -> dict[str, Any]:
    """An input for each column, three beside each other; what is in them."""
    row = {}
    for start in range(0, len(model.columns), 3):
        for place, column in zip(st.columns(3), model.columns[start : start + 3], strict=False):
            with place:
                row[column.name] = value_of(column)
    return row


def value_of(column: Column) -> Any:
    """The input for one column, which starts at what is typical for the training data."""
    key = key_of(column)
    if key not in st.session_state and column.kind != "image":
        st.session_state[key] = shown(column, column.typical)
    if column.kind == "boolean":
        return st.checkbox(column.name, key=key)
    if column.kind == "category" and column.values:
        options = [None, *column.values] if column.nullable else list(column.values)
        return st.selectbox(column.name, options, key=key, accept_new_options=not column.closed)
    if column.kind == "image":
        file = st.file_uploader(column.name, key=key)
        return file.getvalue() if file else None
    if column.kind == "number":
        if column.integer:
            return st.number_input(column.name, key=key, step=1, help=trained(column))
        return st.number_input(column.name, key=key, step=step_of(column), format="%.6g", help=trained(column))
    return st.text_input(column.name, key=key) or None


def fill(model: Model) -> None:
    """Put a random row into the inputs, each value as often as in the training data."""
    for column in model.columns:
        if column.kind == "image":
            continue
        drawn: Any = column.typical
        if column.quantiles:
            place = random.random() * (len(column.quantiles) - 1)
            low, high = column.quantiles[int(place)], column.quantiles[int(place) + 1]
            drawn = low + (high - low) * (place % 1)
        elif column.values:
            drawn = random.choices(column.values, column.shares)[0]
        st.session_state[key_of(column)] = shown(column, drawn)


def shown(column: Column, value: Any) -> Any:
    """A value as the column's input takes it."""
    if column.kind == "boolean":
        return value in (True, "true")
    if column.kind == "number" and value is not None:
        return round(value) if column.integer else float(value)
    return value


def key_of(column: Column) -> str:
    """Streamlit's name for a column's input. Another kind of column makes another input."""
    return f"{column.kind} {column.name}"


def step_of(column: Column) -> float:
    """A hundredth of the range of the training data."""
    if column.minimum is None or column.maximum is None:
        return 1.0
    return (column.maximum - column.minimum) / 100 or 1.0


def trained(column: Column) -> str:
    return f"{column.minimum:.6g} to {column.maximum:.6g} in training" if column.minimum is not None else ""


def footer(model: Model) -> str:
    scores = ", ".join(f"{name} {value:.3f}" for name, value in model.metrics.items() if isinstance(value, float))
    return f"In charge: {model.model} v{model.version}" + (f" · {scores}" if scores else "")


main()
