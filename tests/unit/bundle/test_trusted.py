from __future__ import annotations

import importlib

import numpy as np
import pytest
from sklearn.cluster import Birch
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, SplineTransformer

from trilho import bundle
from trilho.bundle.trusted import VETTED, refuse
from trilho.errors import UntrustedModel
from unit.bundle.tables import cancer

frame, truth = cancer()


@pytest.mark.parametrize(
    "model",
    [
        RandomForestClassifier(3),
        HistGradientBoostingClassifier(max_iter=3),
        make_pipeline(SelectKBest(k=3), KNeighborsClassifier(algorithm="kd_tree")),
        make_pipeline(
            SplineTransformer(n_knots=3), FunctionTransformer(np.log1p), KNeighborsClassifier(algorithm="ball_tree")
        ),
    ],
    ids=lambda model: type(model).__name__,
)
def test_models_of_scikit_learns_own_parts_need_nobodys_word(model: object) -> None:
    fitted = model.fit(frame.abs(), truth)  # type: ignore[attr-defined]
    assert bundle.unvetted(fitted) == []


def test_what_mlflow_must_be_told_is_named() -> None:
    assert bundle.vetted_in(RandomForestClassifier(3).fit(frame, truth)) == ["sklearn.tree._tree.Tree"]


def test_a_function_of_another_module_is_named() -> None:
    model = FunctionTransformer(importlib.import_module("textwrap").dedent)
    assert bundle.unvetted(model) == ["textwrap.dedent"]
    with pytest.raises(UntrustedModel, match=r"(?s)textwrap.dedent.*train: \{trusted_types: \[textwrap.dedent\]\}"):
        refuse(bundle.unvetted(model))
    refuse(bundle.unvetted(model), allowed=["textwrap.dedent"])


def test_a_dangerous_function_inside_a_trusted_wrapper_is_named() -> None:
    import functools
    import os

    model = FunctionTransformer(functools.partial(os.system, "echo"))
    assert [name for name in bundle.unvetted(model) if name.endswith(".system")] == [
        "posix.system" if os.name == "posix" else "nt.system"
    ]


def test_a_lambda_is_refused_with_what_to_do() -> None:
    with pytest.raises(UntrustedModel, match=r"(?s)<lambda>, which no other process can find.*def add_ratios"):
        refuse(bundle.unvetted(FunctionTransformer(lambda rows: rows)))


def test_a_part_that_can_be_pickled_only_is_refused() -> None:
    with pytest.raises(UntrustedModel, match="cannot be saved without pickle"):
        bundle.unvetted(Birch(n_clusters=2).fit(frame))


def test_every_vetted_type_of_an_installed_package_exists_or_is_of_another_version() -> None:
    known = 0
    for name in VETTED:
        module, _, attribute = name.rpartition(".")
        try:
            known += hasattr(importlib.import_module(module), attribute)
        except ImportError:
            continue
    assert known > len(VETTED) / 2


def test_a_neural_network_needs_nobodys_word() -> None:
    model = MLPClassifier(hidden_layer_sizes=(2,), max_iter=500, tol=1.0, random_state=0)
    assert bundle.unvetted(model.fit(frame / 1000, truth)) == []
