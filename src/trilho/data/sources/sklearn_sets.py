"""The data sets that scikit-learn carries inside its own package; nothing is downloaded."""

from __future__ import annotations

from trilho.data.sources.table import Table, row_numbers


def read_sklearn(name: str) -> Table:
    """A set by its name (iris, wine, …): features as scikit-learn calls them, and a column "target"."""
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    labels = tuple(str(label) for label in getattr(bunch, "target_names", ()))
    return Table(frame=bunch.frame, where=row_numbers, labels=labels)
