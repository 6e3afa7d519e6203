"""What the user has: any source becomes a Dataset whose columns have kinds and whose content has a fingerprint.

Reading needs pandas; knowing whether the data changed does not, so `load` and `kinds_of` are imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trilho.data.content import fingerprint
from trilho.data.dataset import KINDS, Column, Dataset, Kind

if TYPE_CHECKING:
    from trilho.data.kinds import kinds_of
    from trilho.data.loading import load

__all__ = ["KINDS", "Column", "Dataset", "Kind", "fingerprint", "kinds_of", "load"]


def __getattr__(name: str) -> Any:
    if name == "load":
        from trilho.data.loading import load

        return load
    if name == "kinds_of":
        from trilho.data.kinds import kinds_of

        return kinds_of
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
