"""The least that answers rightly: an ASGI function on uvicorn (uvloop, httptools) around one ONNX session.

    python raw_loop.py PORT FOLDER

Typed decoding by msgspec, the names of the columns compared, words looked up in a dict, one call of the session, labels
encoded. No routes, no checks of values, no version, no metrics, no journal, no keys. What others reach is measured
against this.
"""

import json
import sys
from pathlib import Path

import msgspec
import numpy as np
import onnxruntime
import uvicorn

FACTS = json.loads(Path(sys.argv[2], "model.json").read_text(encoding="utf-8"))
COLUMNS, LABELS = FACTS["columns"], np.array(FACTS["labels"])
WORDS = [FACTS["columns"].index(word) for word in FACTS["words"]]
CODES = {**FACTS["codes"], None: float("nan")}
AS_IS = FACTS["labels"] == list(range(len(LABELS)))


class Split(msgspec.Struct):
    columns: list[str]
    data: list[list[float | str | None]] if WORDS else list[list[float | None]]


class Body(msgspec.Struct):
    dataframe_split: Split


options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.log_severity_level = 3
session = onnxruntime.InferenceSession(str(Path(sys.argv[2], "model.onnx")), options)
run, first = session.run, [session.get_outputs()[0].name]
decode, encode = msgspec.json.Decoder(Body).decode, msgspec.json.Encoder().encode


async def app(scope, receive, send):  # noqa: ARG001 - ASGI
    message = await receive()
    body = message["body"]
    while message["more_body"]:
        message = await receive()
        body += message["body"]
    split = decode(body).dataframe_split
    if split.columns != COLUMNS:
        raise ValueError("other columns")
    rows = split.data
    if WORDS:
        for row in rows:
            for place in WORDS:
                row[place] = CODES.get(row[place], -1.0)
    (index,) = run(first, {"rows": np.array(rows, dtype=np.float64)})
    labels = index if AS_IS else LABELS[index]
    answer = encode({"predictions": labels.tolist()})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


if __name__ == "__main__":
    quiet = {"log_config": None, "access_log": False, "lifespan": "off", "ws": "none"}
    uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", server_header=False, **quiet)
