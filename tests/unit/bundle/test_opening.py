from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from trilho import bundle
from trilho.bundle.archive import Contents, write_archive
from trilho.errors import BundleDamaged, UntrustedModel
from unit.bundle.tables import bundled, cancer, mixed


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> bundle.Built:
    """A compiled forest over words and numbers."""
    frame, truth = mixed()
    encoder = OneHotEncoder(handle_unknown="ignore")
    transform = ColumnTransformer(
        [
            ("numbers", SimpleImputer(), ["income", "age", "member"]),
            ("words", make_pipeline(SimpleImputer(strategy="constant", fill_value="?"), encoder), ["city", "plan"]),
        ]
    )
    model = make_pipeline(transform, RandomForestClassifier(10, random_state=0))
    return bundled(
        model, frame, truth, tmp_path_factory.mktemp("words"), metrics={"f1": 0.8}, row_hashes=[7, 2**64 - 1, 3]
    )


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> bundle.Built:
    frame, truth = cancer()
    model = make_pipeline(StandardScaler(), KNeighborsClassifier())
    return bundled(model, frame, truth, tmp_path_factory.mktemp("native"))


HEAVY = ("mlflow", "pandas", "sklearn", "scipy", "skl2onnx", "onnx", "skops", "pyarrow")


def test_opening_and_asking_a_compiled_bundle_loads_no_heavy_package(words: bundle.Built) -> None:
    script = f"""
import json, sys
from pathlib import Path
from trilho import bundle
predictor = bundle.open(Path({str(words.path)!r}))
row = {{"income": [1000.0], "age": [30], "member": [True], "city": ["Recife"], "plan": [None], "street": ["x"]}}
answer = predictor.predict(row)
assert answer.labels[0] in ("stays", "leaves"), answer
assert bundle.training_rows(Path({str(words.path)!r})).tolist() == [3, 7, 2**64 - 1]
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}} & set({HEAVY!r}))))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


def test_importing_the_room_loads_not_even_numpy() -> None:
    script = "import sys; import trilho.bundle; print('numpy' in sys.modules, 'onnxruntime' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_every_public_name_can_be_had() -> None:
    for name in bundle.__all__:
        assert getattr(bundle, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        bundle.nonsense  # noqa: B018


def test_an_extracted_bundle_answers_as_its_archive(words: bundle.Built, native: bundle.Built, tmp_path: Path) -> None:
    for built, (frame, _) in ((words, mixed()), (native, cancer())):
        folder = tmp_path / built.digest
        Contents(built.path).extract(folder)
        assert (
            bundle.open(folder).predict_frame(frame).labels.tolist()
            == bundle.open(built.path).predict_frame(frame).labels.tolist()
        )


def test_everything_beside_the_model_can_be_read_alone(words: bundle.Built) -> None:
    assert bundle.read_schema(words.path) == words.schema
    assert bundle.read_parity(words.path) == words.parity
    profile = bundle.read_profile(words.path)
    assert profile.rows == 280
    assert [column.name for column in profile.columns] == list(words.schema.names)
    assert [column.name for column in profile.predicted] == ["prediction", "score"]
    assert bundle.training_rows(words.path).tolist() == [3, 7, 2**64 - 1]
    assert bundle.training_rows(words.path).dtype == np.uint64


def test_metadata_names_features_labels_metrics_and_packages(words: bundle.Built, tmp_path: Path) -> None:
    facts = bundle.read_metadata(words.path)
    assert facts["name"] == "tried"
    assert facts["feature_names"] == ["income", "age", "member", "city", "plan", "street"]
    assert facts["label_names"] == ["leaves", "stays"]
    assert facts["metrics"] == {"f1": 0.8}
    assert facts["packages"]["scikit-learn"]
    bundle.write_metadata(words.path, tmp_path / "model" / "metadata.json")
    written = json.loads((tmp_path / "model" / "metadata.json").read_text(encoding="utf-8"))
    assert written == {**facts, "digest": words.digest}
    assert bundle.open(words.path).metadata["name"] == "tried"


def test_hexadecimal_row_hashes_are_the_same_numbers(tmp_path: Path) -> None:
    frame, truth = cancer()
    built = bundled(LogisticRegression(max_iter=10000), frame / 1000, truth, tmp_path, row_hashes=["ff", "0a"])
    assert bundle.training_rows(built.path).tolist() == [10, 255]


def repacked(built: bundle.Built, out: Path, *, facts: dict[str, object] | None = None, **members: bytes) -> Path:
    """The same bundle with other facts or members, and all checksums right."""
    contents = Contents(built.path)
    kept = {name: contents.read(name) for name in contents.members}
    manifest = {
        name: value for name, value in contents.manifest.items() if name not in ("format", "members", "checksum")
    }
    write_archive({**kept, **members}, {**manifest, **(facts or {})}, out)
    return out


def test_a_model_of_an_unknown_kind_is_refused(words: bundle.Built, tmp_path: Path) -> None:
    with pytest.raises(BundleDamaged, match="unknown kind: 'quantum'"):
        bundle.open(repacked(words, tmp_path / "b.tar", facts={"runtime": "quantum"}))


def test_a_compiled_model_that_onnxruntime_does_not_take_is_refused(words: bundle.Built, tmp_path: Path) -> None:
    path = repacked(words, tmp_path / "b.tar", **{"model.onnx": b"nonsense"})
    with pytest.raises(BundleDamaged, match="onnxruntime does not take"):
        bundle.open(path)


def test_a_bundle_without_a_schema_is_refused(words: bundle.Built, tmp_path: Path) -> None:
    contents = Contents(words.path)
    members = {name: contents.read(name) for name in contents.members if name != "schema.json"}
    write_archive(members, {"runtime": "onnx"}, tmp_path / "b.tar")
    with pytest.raises(BundleDamaged, match=r"no member 'schema.json'"):
        bundle.open(tmp_path / "b.tar")


def test_types_that_a_manifest_vouches_for_itself_are_not_trusted(native: bundle.Built, tmp_path: Path) -> None:
    from textwrap import dedent

    from sklearn.preprocessing import FunctionTransformer

    from trilho.bundle.trusted import saved

    evil = repacked(
        native,
        tmp_path / "b.tar",
        facts={"trusted": ["textwrap.dedent"]},
        **{"self_test.json": b"{}"},
        **{"model.skops": saved(FunctionTransformer(dedent))},
    )
    with pytest.raises(UntrustedModel, match=r"nobody vouched for: textwrap.dedent. It was not opened"):
        bundle.open(evil)
    assert bundle.open(evil, trusted=["textwrap.dedent"]).runtime == "native"
    assert bundle.open(evil, trust_code=True).runtime == "native"
