"""The pictures of an evaluation, and scikit-learn's text report."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trilho.metrics.outcome import Outcome
from trilho.steps.materials import Materials

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SHOWN = 20  # columns, by importance
_BLUE, _GREY = "#2f6690", "#9aa5b1"


def draw(materials: Materials, outcome: Outcome, lost: np.ndarray, out: Path) -> None:
    """Write report.txt and figures/*.png for the test rows; `lost` is from `importance.lost_by_shuffling`."""
    (out / "figures").mkdir()
    names = [str(name) for name in materials.test_rows.columns]
    _importance(names, lost, out / "figures" / "permutation_importance.png")
    if materials.project.task == "regression":
        _save(out / "figures" / "predicted_against_true.png", lambda axes: _predicted(axes, outcome))
        _save(out / "figures" / "residuals.png", lambda axes: _residuals(axes, outcome))
        residuals = outcome.predicted - outcome.truth
        text = "\n".join(
            f"{name:>4} % of residuals below {np.percentile(residuals, name):g}" for name in (5, 25, 50, 75, 95)
        )
    else:
        from sklearn.metrics import classification_report

        text = classification_report(outcome.truth, outcome.predicted, zero_division=0)
        _save(out / "figures" / "confusion_matrix.png", lambda axes: _confusion(axes, outcome))
        if outcome.probabilities is not None:
            _save(out / "figures" / "roc_curve.png", lambda axes: _curves(axes, outcome, "roc"))
            _save(out / "figures" / "precision_recall_curve.png", lambda axes: _curves(axes, outcome, "pr"))
    (out / "report.txt").write_text(text + "\n", encoding="utf-8")


def _save(file: Path, paint: Any) -> None:
    import matplotlib
    from matplotlib.figure import Figure

    # Names of columns and labels are no formulas, whatever dollars they hold; a letter the font lacks is a box.
    with matplotlib.rc_context({"text.parse_math": False}), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        figure = Figure(figsize=(5.6, 4.4), dpi=90, layout="constrained")
        axes = figure.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        paint(axes)
        figure.savefig(file, metadata={"Software": None})  # equal figures, equal bytes


def _confusion(axes: Axes, outcome: Outcome) -> None:
    from sklearn.metrics import confusion_matrix

    labels = list(outcome.labels)
    counts = confusion_matrix(outcome.truth, outcome.predicted, labels=labels)
    axes.imshow(counts, cmap="Blues")
    axes.set(xlabel="predicted", ylabel="true", title="Confusion matrix")
    if len(labels) <= 20:
        names = [str(label) for label in labels]
        axes.set_xticks(range(len(labels)), names, rotation=0 if len(labels) < 6 else 60)
        axes.set_yticks(range(len(labels)), names)
        for (row, column), value in np.ndenumerate(counts):
            dark = value > counts.max() / 2
            axes.text(column, row, f"{value}", ha="center", va="center", color="white" if dark else "black")


def _curves(axes: Axes, outcome: Outcome, kind: str) -> None:
    from sklearn.metrics import precision_recall_curve, roc_curve

    assert outcome.probabilities is not None
    shown = [outcome.positive] if outcome.positive is not None else outcome.labels[:10]
    for label in shown:
        score = outcome.probabilities[:, outcome.labels.index(label)]
        is_label = outcome.truth == label
        if kind == "roc":
            x, y, _ = roc_curve(is_label, score)
        else:
            y, x, _ = precision_recall_curve(is_label, score)
        axes.plot(x, y, color=_BLUE if len(shown) == 1 else None, label=str(label))
    if kind == "roc":
        axes.plot([0, 1], [0, 1], color=_GREY, linestyle=":", linewidth=1)
        axes.set(xlabel="false positive rate", ylabel="true positive rate", title="ROC curve")
    else:
        axes.set(xlabel="recall", ylabel="precision", title="Precision and recall")
    axes.legend(title="label", frameon=False)


def _importance(names: list[str], lost: np.ndarray, file: Path) -> None:
    mean, spread = lost.mean(axis=1), lost.std(axis=1)
    order = np.argsort(mean)[::-1][:_SHOWN][::-1]

    def paint(axes: Axes) -> None:
        axes.barh([names[index] for index in order], mean[order], xerr=spread[order], color=_BLUE, ecolor=_GREY)
        axes.set(title="Permutation importance", xlabel="loss of score when the column is shuffled")
        axes.tick_params(axis="y", labelsize=7)

    _save(file, paint)


def _predicted(axes: Axes, outcome: Outcome) -> None:
    low, high = float(outcome.truth.min()), float(outcome.truth.max())
    axes.scatter(outcome.truth, outcome.predicted, s=9, alpha=0.5, color=_BLUE, edgecolors="none")
    axes.plot([low, high], [low, high], color=_GREY, linestyle=":", linewidth=1)
    axes.set(xlabel="true", ylabel="predicted", title="Predicted against true")


def _residuals(axes: Axes, outcome: Outcome) -> None:
    axes.hist(outcome.predicted - outcome.truth, bins=40, color=_BLUE)
    axes.set(xlabel="predicted − true", ylabel="rows", title="Residuals")
