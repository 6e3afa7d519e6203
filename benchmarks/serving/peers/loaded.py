"""The model as somebody who writes a server by hand loads it: the ONNX graph where there is one, else the pipeline.

Used by the FastAPI, BentoML and LitServe peers; the folder is in PEER_MODEL.
"""

import json
import os
from pathlib import Path

FOLDER = Path(os.environ["PEER_MODEL"])
FACTS = json.loads((FOLDER / "model.json").read_text(encoding="utf-8"))


def load():
    """A function: names of columns and rows in, a list of labels out."""
    return _compiled() if FACTS["compiled"] else _native()


def _compiled():
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(FOLDER / "model.onnx"), options)
    first, labels = [session.get_outputs()[0].name], np.array(FACTS["labels"])
    words = [FACTS["columns"].index(word) for word in FACTS["words"]]
    codes = {**FACTS["codes"], None: float("nan")}

    def answer(columns, data):
        if columns != FACTS["columns"]:
            raise ValueError("other columns")
        for row in data if words else ():
            for place in words:
                row[place] = codes.get(row[place], -1.0)
        (index,) = session.run(first, {"rows": np.array(data, dtype=np.float64)})
        return labels[index].tolist()

    return answer


def _native():
    import joblib
    import pandas as pd

    model = joblib.load(FOLDER.parent / "artifacts" / "model" / "model.joblib")

    def answer(columns, data):
        return model.predict(pd.DataFrame(data, columns=columns)).tolist()

    return answer
