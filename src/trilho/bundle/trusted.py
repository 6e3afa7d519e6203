"""Which types a model file may hold. Nothing is trusted silently: what is on no list is named and refused.

skops saves a model without pickle: data, and the names of types to put it into. It knows most of scikit-learn's public
estimators; the list here adds the parts they are made of. All were looked at: they hold data, or are plain functions of
scikit-learn, numpy or scipy; making one from a file runs no code of the file's.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from typing import Any

from trilho.errors import UntrustedModel

_DISTANCES = (
    "Euclidean", "SEuclidean", "Manhattan", "Chebyshev", "Minkowski", "Canberra", "BrayCurtis", "Hamming",
    "Jaccard", "Dice", "RogersTanimoto", "RussellRao", "SokalSneath", "Haversine", "Mahalanobis",
)  # fmt: skip

VETTED: tuple[str, ...] = (
    "collections.OrderedDict",
    "functools.partial",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMModel",
    "lightgbm.sklearn.LGBMRegressor",
    "numpy.dtype",
    "numpy.mean",
    "numpy.median",
    "scipy._lib.array_api_compat.numpy._aliases.asarray",
    "scipy.interpolate._bsplines.BSpline",
    "scipy.sparse._csr.csr_matrix",
    "sklearn._loss.loss.HalfTweedieLoss",
    "sklearn._loss.loss.HalfTweedieLossIdentity",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.feature_selection._mutual_info.mutual_info_classif",
    "sklearn.feature_selection._mutual_info.mutual_info_regression",
    "sklearn.feature_selection._univariate_selection.chi2",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "sklearn.feature_selection._univariate_selection.f_regression",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    *(
        f"sklearn.gaussian_process.kernels.{name}"
        for name in (
            "CompoundKernel", "ConstantKernel", "DotProduct", "ExpSineSquared", "Exponentiation", "Hyperparameter",
            "Matern", "PairwiseKernel", "Product", "RBF", "RationalQuadratic", "Sum", "WhiteKernel",
        )
    ),
    *(f"sklearn.metrics._dist_metrics.{name}Distance{bits}" for name in _DISTANCES for bits in ("", "32", "64")),
    *(f"sklearn.neighbors._kd_tree.KDTree{bits}" for bits in ("", "32", "64")),
    *(f"sklearn.neighbors._ball_tree.BallTree{bits}" for bits in ("", "32", "64")),
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils.validation.check_array",
)  # fmt: skip


def unvetted(model: Any) -> list[str]:
    """The types in a fitted model that neither skops nor this page vouches for, sorted; empty for most models.

    Raises:
        UntrustedModel: the model cannot be saved without pickle at all.
    """
    return unvetted_in(saved(model))


def vetted_in(model: Any) -> list[str]:
    """The types of a fitted model that skops asks about and this page vouches for: MLflow's `skops_trusted_types`."""
    import skops.io

    return sorted(set(skops.io.get_untrusted_types(data=saved(model))) & set(VETTED))


def unvetted_in(data: bytes) -> list[str]:
    """As `unvetted`, of a model that is saved already."""
    import skops.io

    return sorted(set(skops.io.get_untrusted_types(data=data)) - set(VETTED))


def saved(model: Any) -> bytes:
    """The model as a skops file.

    Raises:
        UntrustedModel: a part of it can be saved by pickle only.
    """
    import skops.io

    try:
        data: bytes = skops.io.dumps(model)
    except Exception as error:  # skops raises what the parts' own __getstate__ raises, too
        raise UntrustedModel(
            f"{type(model).__name__} cannot be saved without pickle.",
            why=f"{type(error).__name__}: {str(error).split('. ')[0]}",
            remedy="Use parts whose attributes are numbers, words, arrays and scikit-learn's own types.",
        ) from error
    return data


def refuse(types: Sequence[str], *, allowed: Collection[str] = ()) -> None:
    """Raise where a type is on no list.

    Raises:
        UntrustedModel: names the types and the setting that allows them.
    """
    left = sorted(set(types) - set(allowed))
    if not left:
        return
    named = ", ".join(left)
    nameless = [name for name in left if "<" in name or name.startswith("__main__.")]
    if nameless:
        raise UntrustedModel(
            f"The model holds {', '.join(nameless)}, which no other process can find.",
            state="Nothing was bundled.",
            why="A lambda has no name, a function inside a function or a notebook has no module.",
            remedy="Move it to the top of a module of the project: def add_ratios(frame): …",
        )
    own = sorted({name.partition(".")[0] for name in left} - sys.stdlib_module_names - {"numpy", "scipy", "sklearn"})
    hint = (
        f"\nIf {own[0]} is a module of your project, keep it there, so that it travels with the version." if own else ""
    )
    raise UntrustedModel(
        f"The model holds {'a type' if len(left) == 1 else f'{len(left)} types'} that nobody vouched for: {named}.",
        state="Nothing was bundled.",
        why="Loading it would run that code on every machine that serves the model.",
        remedy=f"If you trust {'it' if len(left) == 1 else 'them'}, say so in trilho.yaml:\n"
        f"  train: {{trusted_types: [{named}]}}" + hint,
    )
