"""The models that the page is tested and shown with, and a server that answers for one of them, in this process."""

from __future__ import annotations

import importlib
import io
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import uvicorn
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from trilho import bundle
from trilho.data import Column
from trilho.journal import Journal
from trilho.journal.labelling import read_lines
from trilho.serving.asking import Desk
from trilho.serving.assembly import assembled
from trilho.serving.counting import Counts
from trilho.serving.keys import Keys
from trilho.serving.pointer import Promotion
from trilho.serving.slot import Served, Slot
from trilho.serving.state import State
from unit.bundle.tables import cancer, columns_of, diabetes, mixed, wide

METRICS = {"accuracy": 0.9649, "precision": 0.9535, "recall": 0.9762, "f1": 0.9647, "roc_auc": 0.9954}
PROMOTION = Promotion(kind="promotion", who="ana", when=1_795_200_000.0, why="")


def breast_cancer(folder: Path) -> bundle.Predictor:
    """30 numbers."""
    frame, truth = cancer()
    model = make_pipeline(StandardScaler(), LogisticRegression())
    return _opened(model, frame, truth, folder, label_names=("malignant", "benign"))


def customers(folder: Path) -> bundle.Predictor:
    """Numbers, booleans, categories and times, with missing values."""
    frame, truth = mixed()
    chance = np.random.default_rng(3)
    frame["since"] = pd.Timestamp("2019-01-01") + pd.to_timedelta(chance.integers(0, 2000, len(frame)), unit="D")
    words = make_pipeline(SimpleImputer(strategy="constant", fill_value="none"), OneHotEncoder(handle_unknown="ignore"))
    numbers = SimpleImputer(strategy="median")
    columns = [("numbers", numbers, ["income", "age", "member"]), ("words", words, ["city", "plan", "street"])]
    model = make_pipeline(ColumnTransformer(columns), RandomForestClassifier(20, random_state=0))
    return _opened(model, frame, truth, folder)


def two_hundred(folder: Path) -> bundle.Predictor:
    """200 numbers whose names share words."""
    frame, truth = wide()
    parts = ["engine", "gearbox", "brake", "cabin", "battery", "axle"]
    frame.columns = pd.Index([f"{parts[place % 6]} {'temp' if place % 2 else 'load'} {place}" for place in range(200)])
    return _opened(make_pipeline(StandardScaler(), LogisticRegression()), frame, truth.rename("fails"), folder)


def progression(folder: Path) -> bundle.Predictor:
    """A number is predicted."""
    frame, truth = diabetes()
    return _opened(RandomForestRegressor(10, random_state=0), frame, truth, folder)


def hostile(folder: Path) -> bundle.Predictor:
    """Names and labels that a careless page would run, or fall over."""
    frame, truth = mixed()
    frame = frame.rename(
        columns={
            "income": "<script>document.title='owned'</script>",
            "age": "\"'><img src=x onerror=document.title='owned'>",
            "member": "__proto__",
            "city": "{{ 7 * 7 }} 🚆 it's",
            "plan": "</script><b>plan",
            "street": "a\\b%22,c\td",
        }
    )
    names = list(frame.columns)
    numbers = SimpleImputer(strategy="median")
    words = make_pipeline(SimpleImputer(strategy="constant", fill_value="none"), OneHotEncoder(handle_unknown="ignore"))
    columns = [("numbers", numbers, names[:3]), ("words", words, names[3:])]
    model = make_pipeline(ColumnTransformer(columns), RandomForestClassifier(5, random_state=0))
    truth = truth.map({"stays": "<b onmouseover=alert(1)>stays</b>", "leaves": 'leaves "🍂" </script>'})
    return _opened(model, frame, truth.rename("<i>outcome</i>"), folder)


def scans(folder: Path) -> bundle.Predictor:
    """An image and a number: is the picture light or dark?"""
    source = folder / "looking"
    source.mkdir()
    (source / "looking_at.py").write_text(
        "import io\n\nimport numpy as np\nfrom PIL import Image\n\n\ndef brightness(frame):\n"
        "    scans = [Image.open(io.BytesIO(scan)).convert('L') for scan in frame['scan']]\n"
        "    return np.array([[np.asarray(scan).mean()] for scan in scans])\n",
        encoding="utf-8",
    )
    sys.path.insert(0, str(source))
    try:
        brightness = importlib.import_module("looking_at").brightness
    finally:
        sys.path.remove(str(source))
    shades = np.random.default_rng(5).integers(0, 256, 60)
    frame = pd.DataFrame({"scan": [png(int(shade)) for shade in shades], "age": shades % 70 + 20.0})
    truth = pd.Series(np.where(shades > 127, "light", "dark"), name="finding")
    model = make_pipeline(FunctionTransformer(brightness), LogisticRegression(max_iter=1000))
    kinds = (Column(name="scan", kind="image"), Column(name="age", kind="number", nullable=True))
    return _opened(model, frame, truth, folder, columns=kinds, code=source / "looking_at.py")


def png(shade: int, *, size: tuple[int, int] = (64, 48)) -> bytes:
    """A picture of one grey, with a gradient that makes it look like one."""
    from PIL import Image

    across = np.linspace(-12, 12, size[0])
    pixels = np.clip(shade + across[None, :] + np.zeros((size[1], 1)), 0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def _opened(
    model: Any,
    frame: pd.DataFrame,
    truth: pd.Series[Any],
    folder: Path,
    *,
    label_names: tuple[str, ...] = (),
    columns: tuple[Column, ...] | None = None,
    code: Path | None = None,
) -> bundle.Predictor:
    border = int(len(frame) * 0.7)
    with threadpool_limits(1):
        model.fit(frame[:border], truth[:border])
        labels = list(getattr(model, "classes_", ()))
        schema = bundle.describe(
            frame[:border],
            columns or columns_of(frame),
            task="classification" if labels else "regression",
            target=str(truth.name),
            labels=labels,
            label_names=label_names,
        )
        built = bundle.build(
            model,
            schema=schema,
            train=frame[:border],
            test=frame[border:],
            metrics=METRICS if labels else {"rmse": 55.2, "r2": 0.4451},
            row_hashes=range(border),
            metadata={"name": "tried", "rows": {"train": border, "test": len(frame) - border}},
            out=folder / "bundle.tar",
            code=code,
        )
    return bundle.open(built.path, trust_code=code is not None)


@dataclass
class Stage:
    """A running server, and the slot behind it."""

    slot: Slot
    journal: Path
    address: str = ""
    promotion: Promotion | None = PROMOTION

    def promote(self, predictor: bundle.Predictor, *, name: str, version: str, who: str = "joão") -> None:
        """Put another version in charge, as the registry's alias would; who did it is told a moment later."""
        self.promotion = None
        self.slot.swap(Served(predictor=predictor, name=name, version=version, since=time.time()))
        told = Promotion(kind="promotion", who=who, when=PROMOTION.when + 3600, why="")
        threading.Timer(2.5, setattr, (self, "promotion", told)).start()

    @property
    def notes(self) -> list[dict[str, Any]]:
        """What was said to /feedback."""
        found = [one for path in sorted(self.journal.glob("labels-*")) for one in read_lines(path)[0]]
        return [{"id": one.id, "label": one.label} for one in found]


@contextmanager
def staged(
    predictor: bundle.Predictor | None, *, name: str, version: str = "12", key: str | None = None
) -> Iterator[Stage]:
    """A server on a free port of this machine, as `trilho serve` puts it together, without its processes."""
    served = None if predictor is None else Served(predictor=predictor, name=name, version=version, since=time.time())
    with tempfile.TemporaryDirectory() as folder, socket.socket() as sock:
        stage = Stage(slot=Slot(served), journal=Path(folder))
        journal = Journal(stage.journal)

        def state() -> State:
            known = stage.slot.served
            return State(promotion=stage.promotion, version="" if known is None else known.version)

        app = assembled(
            Desk(stage.slot, Counts(), journal), journal=stage.journal, keys=Keys([key] if key else []), state=state
        )
        sock.bind(("127.0.0.1", 0))
        stage.address = f"http://127.0.0.1:{sock.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
        thread.start()
        try:
            yield stage
        finally:
            server.should_exit = True
            thread.join(timeout=20)
            journal.close()


MODELS: Mapping[str, Callable[[Path], bundle.Predictor]] = {
    "breast-cancer": breast_cancer,
    "customers": customers,
    "two-hundred": two_hundred,
    "scans": scans,
    "progression": progression,
    "hostile": hostile,
}


def made_once(folder: Callable[[str], Path]) -> Callable[[str], bundle.Predictor]:
    """A function from a name in MODELS to its model, which is made when it is first asked for.

    Args:
        folder: Makes a folder with a name like the given one.
    """

    @cache
    def find(name: str) -> bundle.Predictor:
        return MODELS[name](folder("model"))

    return find
