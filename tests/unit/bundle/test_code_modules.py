from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from trilho import bundle
from trilho.bundle.archive import Contents
from trilho.bundle.code_modules import module_names, packed
from trilho.errors import BadData, UntrustedModel
from unit.bundle.tables import bundled, cancer

FEATURES = """
import numpy as np
from shaping.factor import FACTOR

def add_ratios(frame):
    from shaping.factor import FACTOR as again
    return np.column_stack([frame.to_numpy()[:, :3] / 100, np.full(len(frame), FACTOR * {version}.0 + 0 * again)])
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project of two modules, importable, and gone from this process afterwards."""
    root = tmp_path / "project"
    write_project(root, version=1)
    # Python knows a stale .pyc by size and second: versions of one length, written in one second, look alike to it.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(str(root))
    yield root
    forget()


def write_project(root: Path, *, version: int) -> None:
    (root / "shaping").mkdir(parents=True, exist_ok=True)
    (root / "shaping" / "__init__.py").write_text("")
    (root / "shaping" / "factor.py").write_text(f"FACTOR = {version}.5\n")
    (root / "my_features.py").write_text(FEATURES.format(version=version))
    (root / ".hidden").write_text("secret")
    (root / "shaping" / "__pycache__").mkdir(exist_ok=True)
    (root / "shaping" / "__pycache__" / "x.pyc").write_bytes(b"")


def forget() -> None:
    from trilho.bundle import code_modules

    for name in [name for name in sys.modules if name.partition(".")[0] in ("my_features", "shaping")]:
        del sys.modules[name]
    code_modules._last.clear()
    importlib.invalidate_caches()


def paths(root: Path) -> list[Path]:
    return [root / "my_features.py", root / "shaping"]


def model() -> Pipeline:
    function = importlib.import_module("my_features").add_ratios
    return Pipeline([("transform", FunctionTransformer(function)), ("estimator", LogisticRegression())])


def test_a_function_of_the_project_travels_with_the_model(project: Path, tmp_path: Path) -> None:
    frame, truth = cancer()
    built = bundled(model(), frame, truth, tmp_path, code=paths(project))
    assert built.runtime == "native"
    assert "FunctionTransformer" in built.why_native
    assert [name for name in Contents(built.path).members if name.startswith("code/")] == [
        "code/my_features.py",
        "code/shaping/__init__.py",
        "code/shaping/factor.py",
    ]


def test_code_is_not_run_unless_it_is_trusted(project: Path, tmp_path: Path) -> None:
    frame, truth = cancer()
    built = bundled(model(), frame, truth, tmp_path, code=paths(project))
    with pytest.raises(UntrustedModel, match=r"(?s)code of its own \(my_features, shaping\).*trust_code: true"):
        bundle.open(built.path)
    assert bundle.open(built.path, trust_code=True).predict_frame(frame).labels.shape == (len(frame),)


def test_code_that_does_not_travel_is_refused_when_the_bundle_is_made(project: Path, tmp_path: Path) -> None:
    frame, truth = cancer()
    with pytest.raises(UntrustedModel, match=r"(?s)my_features.add_ratios.*my_features is a module of your project"):
        bundled(model(), frame, truth, tmp_path)


def test_it_answers_on_a_machine_that_has_not_the_project(project: Path, tmp_path: Path) -> None:
    frame, truth = cancer()
    built = bundled(model(), frame, truth, tmp_path, code=paths(project))
    wanted = bundle.open(built.path, trust_code=True).predict_frame(frame).labels.tolist()
    shutil.rmtree(project)
    extracted = tmp_path / "extracted"
    Contents(built.path).extract(extracted)
    for path in (built.path, extracted):
        script = f"""
from pathlib import Path
from sklearn.datasets import load_breast_cancer
from trilho import bundle
frame = load_breast_cancer(as_frame=True).data
print(bundle.open(Path({str(path)!r}), trust_code=True).predict_frame(frame).labels.tolist())
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == str(wanted)


def test_two_versions_of_the_same_module_answer_side_by_side(project: Path, tmp_path: Path) -> None:
    frame, truth = cancer()
    built = []
    for version in (1, 2):
        write_project(project, version=version)
        forget()
        built.append(bundled(model(), frame, truth, tmp_path / str(version), code=paths(project)))
    forget()
    shutil.rmtree(project)
    old, new = (bundle.open(one.path, trust_code=True) for one in built)
    last = [made._engine._model[0].transform(frame[:2])[0, -1] for made in (old, new, old)]  # type: ignore[union-attr]
    assert last == [1.5 * 1, 2.5 * 2, 1.5 * 1]


def test_the_project_keeps_its_own_module_when_a_bundle_is_opened(project: Path, tmp_path: Path) -> None:
    frame, truth = cancer()
    built = bundled(model(), frame, truth, tmp_path, code=paths(project))
    mine = importlib.import_module("my_features")
    bundle.open(built.path, trust_code=True)
    assert sys.modules["my_features"] is mine
    assert sys.path.count(str(project)) == 1
    assert not [entry for entry in sys.path if "trilho-code" in entry]


def test_altered_code_is_not_imported(project: Path, tmp_path: Path) -> None:
    from trilho.errors import BundleDamaged

    frame, truth = cancer()
    built = bundled(model(), frame, truth, tmp_path, code=paths(project))
    extracted = tmp_path / "extracted"
    Contents(built.path).extract(extracted)
    (extracted / "code" / "shaping" / "factor.py").write_text("raise SystemExit('ran')\n")
    with pytest.raises(BundleDamaged, match=r"factor\.py"):
        bundle.open(extracted, trust_code=True)


def test_a_compiled_model_carries_no_code(project: Path, tmp_path: Path) -> None:
    frame, truth = cancer()
    plain: Any = Pipeline([("estimator", LogisticRegression(max_iter=10000))])
    built = bundled(plain, frame / 1000, truth, tmp_path, code=paths(project))
    assert built.runtime == "onnx"
    assert not [name for name in Contents(built.path).members if name.startswith("code/")]


def test_one_module_may_be_packed_alone(tmp_path: Path) -> None:
    (tmp_path / "alone.py").write_text("x = 1\n")
    members = packed([tmp_path / "alone.py"])
    assert members == {"code/alone.py": b"x = 1\n"}
    assert module_names(members) == ("alone",)


def test_one_path_is_as_good_as_a_list_of_one(project: Path, tmp_path: Path) -> None:
    (project / "my_features.py").write_text("def add_ratios(frame):\n    return frame.to_numpy() / 1000\n")
    frame, truth = cancer()
    built = bundled(model(), frame, truth, tmp_path, code=project / "my_features.py")
    assert [name for name in Contents(built.path).members if name.startswith("code/")] == ["code/my_features.py"]


def test_code_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no code at"):
        packed([tmp_path / "nowhere"])


def test_a_numpy_function_is_no_code(tmp_path: Path) -> None:
    frame, truth = cancer()
    built = bundled(
        Pipeline([("transform", FunctionTransformer(np.log1p)), ("estimator", LogisticRegression(max_iter=5000))]),
        frame,
        truth,
        tmp_path,
    )
    assert built.runtime == "native"
    assert bundle.open(built.path).runtime == "native"
