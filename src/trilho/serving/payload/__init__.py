"""Bytes in, columns out; predictions in, bytes out: MLflow's scoring protocol.

json_body     dataframe_split, dataframe_records, inputs, instances
csv_body      CSV with a header
parquet_body  a Parquet file
given         what all three give: values by column, as the body has them, and what is wrong with a body as a whole
values        one column of such values → one canonical column, or an error that names column and row
times         texts and numbers that are moments
images        base64 text → bytes

What MLflow's own server makes of a body is written down in `tests/integration/test_scoring_protocol.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from trilho.bundle import Predictions, Schema
from trilho.serving.payload.csv_body import read_csv
from trilho.serving.payload.given import Columns
from trilho.serving.payload.json_body import read_json

__all__ = ["READERS", "Columns", "read_csv", "read_json", "read_parquet", "write_json"]


def read_parquet(body: bytes, schema: Schema) -> Columns:
    """The rows of a Parquet file. Otherwise as `read_json`."""
    from trilho.serving.payload.parquet_body import read_parquet as read  # Arrow is loaded by who needs it

    return read(body, schema)


READERS: Mapping[str, Callable[[bytes, Schema], Columns]] = {
    "application/json": read_json,
    "text/csv": read_csv,
    "application/vnd.apache.parquet": read_parquet,
}


def write_json(predictions: Predictions) -> bytes:
    """{"predictions": [one label or number per row]}."""
    return msgspec.json.encode({"predictions": predictions.labels.tolist()})
