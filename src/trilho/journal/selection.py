"""Which features are kept: `journal.columns`."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from trilho.errors import InvalidProject

if TYPE_CHECKING:
    import pyarrow as pa

_log = logging.getLogger("trilho.journal")


class Selection:
    """Keeps the features that are named, or all but those named with a "-" before them. A * stands for any letters.

        age, city     these two alone
        -cpf, -name*  all but cpf and what begins with name
        -*            none
        (nothing)     all

    Args:
        names: As in `journal.columns`.

    Raises:
        InvalidProject: some names have a "-", some have none.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        left_out = [name.startswith("-") for name in names]
        if any(left_out) and not all(left_out):
            raise InvalidProject(
                "journal.columns names columns to keep, and columns to leave out.",
                why=f"It is: {', '.join(names)}.",
                remedy='Name the columns to keep, or all those to leave out with a "-" before each: ["-cpf", "-name"].',
            )
        self._keep = not any(left_out)
        self._names = {name: _pattern(name if self._keep else name[1:]) for name in names}
        self._places: dict[pa.Schema, list[int]] = {}

    def of(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch without the features that are not kept."""
        if not self._names:
            return batch
        import pyarrow as pa

        from trilho.journal.buffers import struct

        if batch.schema not in self._places:
            self._places[batch.schema] = self._chosen([field.name for field in batch.schema.field("features").type])
        features = batch.column("features")
        places = self._places[batch.schema]
        kept = struct([features.type[place].name for place in places], [features.field(place) for place in places],
                      batch.num_rows)  # fmt: skip
        columns = [kept if name == "features" else batch.column(name) for name in batch.schema.names]
        return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)

    def _chosen(self, features: Sequence[str]) -> list[int]:
        for name, pattern in self._names.items():
            if not any(pattern.fullmatch(feature) for feature in features):
                _log.warning("journal.columns names '%s', and the model has no such feature.", name)
        named = [any(pattern.fullmatch(feature) for pattern in self._names.values()) for feature in features]
        return [place for place, found in enumerate(named) if found == self._keep]


# ----------------------------------------------------------------------------------------------------------------------


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(re.escape(name).replace(r"\*", ".*"), re.DOTALL)
