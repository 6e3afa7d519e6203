"""Objects written to files whose bytes tell equal objects from others."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from joblib.numpy_pickle import NumpyPickler


def write(value: Any, file: Path) -> None:
    """As joblib.dump, which reads it back with joblib.load; equal values give equal bytes in every process.

    A pickle refers back to a text that it has written before if it meets the same object again, and whether two equal
    texts are one object depends on what else the process has done. Here equal texts are always one.
    """
    with file.open("wb") as out:
        _Pickler(out, protocol=4).dump(value)


class _Pickler(NumpyPickler):  # type: ignore[misc]
    def save(self, value: Any) -> None:
        super().save(sys.intern(value) if type(value) is str else value)
