"""Equal data, equal settings, equal seed: equal to the bit, in whatever process."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]  # tests/, where cases.py is found from

NAMES = ("forest", "boosting", "network", "stratified", "lightgbm")

MAKE = """
import hashlib, pathlib, sys
from unit.steps import cases

boosting = {"estimator": "sklearn.ensemble.HistGradientBoostingClassifier", "params": {"max_iter": 5}}
network = {"estimator": "sklearn.neural_network.MLPClassifier", "params": {"max_iter": 400}}
lightgbm = {"estimator": "lightgbm.LGBMClassifier", "params": {"n_estimators": 10, "verbose": -1, "n_jobs": 1}}
MADE = {
    "forest": (cases.mixed(), {}),
    "boosting": (cases.mixed(), {"train": boosting}),
    "network": (cases.cancer(200), {"transform": {"using": "standard_scaler"}, "train": network}),
    "stratified": (cases.cancer(200), {"split": {"method": "stratified"}}),
    "lightgbm": (cases.mixed(), {"train": lightgbm}),
}
for name in sys.argv[2:]:
    root, (found, changes) = pathlib.Path(sys.argv[1]) / name, MADE[name]
    materials = cases.after(cases.project(root, **changes), found, "split", "transform", "train", "evaluate")
    answers = materials.model.predict_proba(materials.test_rows).tobytes()
    print(name, "answers", hashlib.sha256(answers).hexdigest())
    for folder in materials.folders.values():
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            print(name, file.relative_to(root).as_posix(), hashlib.sha256(file.read_bytes()).hexdigest())
"""

Digests = dict[str, dict[str, str]]  # project → file → digest


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Digests, Digests]:
    """The same projects, made by two processes."""
    names = [name for name in NAMES if name != "lightgbm" or find_spec("lightgbm")]
    return (_made(tmp_path_factory.mktemp("one"), "1", names), _made(tmp_path_factory.mktemp("two"), "2", names))


def _made(root: Path, seed: str, names: list[str]) -> Digests:
    done = subprocess.run(
        [sys.executable, "-c", MAKE, str(root), *names],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    found: Digests = {}
    for line in done.stdout.splitlines():
        name, file, digest = line.split(" ")
        found.setdefault(name, {})[file] = digest
    return found


AGAIN = """
import pathlib, sys
from trilho.steps.materials import Materials
from unit.steps import cases

root = pathlib.Path(sys.argv[1]) / "forest"
folders = {step: root / "made" / step for step in ("ingest", "split", "transform")}
folders["train"] = root / "again"
folders["train"].mkdir()
from trilho.steps.train import train
train(Materials(cases.project(root), folders), folders["train"])
"""


def test_training_from_kept_features_makes_the_same_as_right_after_making_them(tmp_path: Path) -> None:
    digests = _made(tmp_path, "1", ["forest"])["forest"]
    done = subprocess.run(
        [sys.executable, "-c", AGAIN, str(tmp_path)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    assert done.returncode == 0
    again = (tmp_path / "forest" / "again" / "model.joblib").read_bytes()
    assert hashlib.sha256(again).hexdigest() == digests["made/train/model.joblib"]


@pytest.mark.parametrize("name", NAMES)
def test_two_processes_make_the_same_to_the_bit(made: tuple[Digests, Digests], name: str) -> None:
    if name == "lightgbm":
        pytest.importorskip("lightgbm", reason='pip install "trilho[lightgbm]"')
    one, other = made[0][name], made[1][name]
    expected = {"answers", "made/train/model.joblib", "made/transform/features.joblib", "made/split/parts.npy"}
    assert expected < set(one)
    assert any(file.endswith(".png") for file in one)
    assert one == other
