"""The model in charge."""

from __future__ import annotations

from dataclasses import dataclass, field

from trilho.bundle import Predictor
from trilho.serving.batching import Batcher
from trilho.serving.express import Express


@dataclass(frozen=True, kw_only=True)
class Served:
    """A model that answers, and what its answers need that never changes.

    Args:
        name: Of the registered model.
        version: Its number in the registry, or the beginning of the bundle's digest where no registry named it.
        since: When it was put in charge, seconds since 1970, UTC.
        batched: Are waiting requests answered together (`batching.pays`)?
        quick: So many rows of a native model are answered in the event loop (`batching.rows_at_once`).
    """

    predictor: Predictor
    name: str
    version: str
    since: float
    batched: bool = False
    quick: int = 0
    header: bytes = field(init=False)  # the version, as answers carry it
    key: str = field(init=False)  # of name and version, in counts
    images: frozenset[str] = field(init=False)  # the features of which the journal gets a digest and the size
    express: Express | None = field(init=False)  # the short way in, where the model allows one
    batcher: Batcher | None = field(init=False)  # for a native model that answers many rows at once in less time

    def __post_init__(self) -> None:
        schema = self.predictor.schema
        short = self.predictor.coded or (self.predictor.runtime == "native" and self.predictor.all_numbers)
        found = {
            "header": self.version.encode(),
            "key": f"{self.name}\n{self.version}",
            "images": frozenset(entry.name for entry in schema.fields if entry.kind == "image"),
            "express": Express(self.predictor) if short else None,
            "batcher": Batcher(self.predictor, quick=self.quick) if self.batched else None,
        }
        for name, value in found.items():
            object.__setattr__(self, name, value)


class Slot:
    """Holds one model, or none yet. A request reads `served` once and keeps to it, so that a swap needs no lock:
    requests in flight finish on the model they began with.
    """

    def __init__(self, served: Served | None = None) -> None:
        self.served = served

    def swap(self, served: Served) -> Served | None:
        """Put another model in charge; the one that was."""
        before, self.served = self.served, served
        return before
