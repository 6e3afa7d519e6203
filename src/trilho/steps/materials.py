"""What earlier steps made, read from their entries when a later step asks, each part once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trilho.data.dataset import Column, Dataset
from trilho.project.file import ProjectFile

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

TEST = 1  # in `parts`; 0 is train


class Materials:
    """Lazy access to the outputs of the steps before.

    Args:
        project: The project.
        folders: Step → the folder of its output, for every step that is done.
    """

    def __init__(self, project: ProjectFile, folders: Mapping[str, Path]) -> None:
        self.project = project
        self.folders = folders

    @cached_property
    def dataset(self) -> Dataset:
        import pandas as pd

        folder = self.folders["ingest"]
        facts = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
        columns = tuple(Column(**{**column, "values": tuple(column["values"])}) for column in facts.pop("columns"))
        frame = pd.read_parquet(folder / "data.parquet")
        return Dataset(**{**facts, "label_names": tuple(facts["label_names"])}, columns=columns, frame=frame)

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns that the model sees: not the target, not the weight."""
        return tuple(column for column in self.dataset.features if column.name != self.project.train.sample_weight)

    @cached_property
    def parts(self) -> np.ndarray:
        """0 for train, 1 for test. Shape (n,), uint8."""
        import numpy as np

        return np.asarray(np.load(self.folders["split"] / "parts.npy"))

    @cached_property
    def units(self) -> np.ndarray:
        """What is never split in two: a hash of the row, or of its group. Shape (n,), uint64."""
        import numpy as np

        return np.asarray(np.load(self.folders["split"] / "units.npy"))

    @cached_property
    def train_rows(self) -> pd.DataFrame:
        return model_frame(self.dataset.frame[self.parts != TEST], self.features)

    @cached_property
    def test_rows(self) -> pd.DataFrame:
        return model_frame(self.dataset.frame[self.parts == TEST], self.features)

    def truth(self, part: int) -> np.ndarray:
        """The target of the rows of a part, as the data holds it."""
        return labels_of(self.dataset.frame.loc[self.parts == part, self.dataset.target])

    def weights(self, part: int) -> np.ndarray | None:
        """The rows' weights, where the project names a column of them."""
        column = self.project.train.sample_weight
        if column is None:
            return None
        weights: np.ndarray = self.dataset.frame.loc[self.parts == part, column].to_numpy(dtype=float)
        return weights

    @cached_property
    def model(self) -> Any:
        """The fitted pipeline of transform and estimator."""
        import joblib

        return joblib.load(self.folders["train"] / "model.joblib")

    @cached_property
    def evaluation(self) -> Mapping[str, Any]:
        """evaluation.json: metrics on train and test, labels, positive label."""
        found: dict[str, Any] = json.loads((self.folders["evaluate"] / "evaluation.json").read_text(encoding="utf-8"))
        return found


def model_frame(frame: pd.DataFrame, features: tuple[Column, ...]) -> pd.DataFrame:
    """The rows as models see them: numbers and booleans as float64, all else as text objects, missing as NaN.

    One form, whatever the file's own types were, so that a column does not change type with the first missing value.
    """
    import numpy as np
    import pandas as pd

    columns: dict[str, Any] = {}
    for feature in features:
        values = frame[feature.name]
        if feature.kind in ("number", "boolean"):
            columns[feature.name] = values.to_numpy(dtype=np.float64, na_value=np.nan)
        elif feature.kind == "time":
            columns[feature.name] = values.to_numpy()
        else:
            texts = values.astype(object).where(values.notna(), np.nan)
            columns[feature.name] = pd.Series(texts.to_numpy(), dtype=object)  # pandas 3 would make it str
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame)))


def labels_of(values: pd.Series[Any]) -> np.ndarray:
    """A target column as a plain array: numbers and booleans as they are, words as str objects."""
    import pandas as pd

    if pd.api.types.is_bool_dtype(values.dtype) or pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy()
    return values.astype(object).to_numpy()
