from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from trilho import bundle
from trilho.errors import BundleDamaged
from trilho.wire import Client, connect, upload
from unit.bundle.tables import bundled, cancer


@dataclass(frozen=True)
class Shipped:
    artifact_root: str
    bundle_path: str
    digest: str


@pytest.fixture
def shipped(mlflow_server: str, tmp_path: Path) -> Iterator[tuple[Client, Shipped, bundle.Built]]:
    """A bundle in the artifacts of a real server."""
    frame, truth = cancer()
    built = bundled(make_pipeline(StandardScaler(), LogisticRegression()), frame, truth, tmp_path / "made")
    root = f"mlflow-artifacts:/{tmp_path.name}/artifacts"
    with connect(mlflow_server) as client:
        upload(client, root, "trilho/bundle.tar", built.path)
        yield client, Shipped(root, "trilho/bundle.tar", built.digest), built


def test_a_bundle_arrives_whole_and_answers(shipped: tuple[Client, Shipped, bundle.Built], tmp_path: Path) -> None:
    client, version, built = shipped
    path = bundle.fetch(client, version, tmp_path / "here")
    assert path.read_bytes() == built.path.read_bytes()
    assert [entry.name for entry in path.parent.iterdir()] == [f"{built.digest}.tar"]
    assert bundle.open(path).predict_frame(cancer()[0]).labels.shape == (569,)


def test_a_bundle_that_is_there_is_not_fetched_again(
    shipped: tuple[Client, Shipped, bundle.Built], tmp_path: Path
) -> None:
    client, version, _ = shipped
    path = bundle.fetch(client, version, tmp_path / "here")
    gone = replace(version, artifact_root="mlflow-artifacts:/nowhere")
    assert bundle.fetch(client, gone, tmp_path / "here") == path


def test_a_bundle_that_was_damaged_here_is_fetched_again(
    shipped: tuple[Client, Shipped, bundle.Built], tmp_path: Path
) -> None:
    client, version, built = shipped
    path = bundle.fetch(client, version, tmp_path / "here")
    path.write_bytes(path.read_bytes()[:1000])
    assert bundle.fetch(client, version, tmp_path / "here").read_bytes() == built.path.read_bytes()


def test_what_is_not_what_the_registry_says_is_refused_and_not_kept(
    shipped: tuple[Client, Shipped, bundle.Built], tmp_path: Path
) -> None:
    client, version, _ = shipped
    with pytest.raises(BundleDamaged, match="the registry says 00000000"):
        bundle.fetch(client, replace(version, digest="0" * 64), tmp_path / "here")
    assert list((tmp_path / "here").iterdir()) == []


def test_a_version_without_a_bundle_says_how_to_make_one(
    shipped: tuple[Client, Shipped, bundle.Built], tmp_path: Path
) -> None:
    client, version, _ = shipped
    with pytest.raises(BundleDamaged, match=r"(?s)no bundle.*trilho register runs:/"):
        bundle.fetch(client, replace(version, digest=""), tmp_path / "here")
