"""The model in charge."""

from __future__ import annotations

from dataclasses import dataclass

from trilho.bundle import Predictor


@dataclass(frozen=True, kw_only=True)
class Served:
    """A model that answers.

    Args:
        name: Of the registered model.
        version: Its number in the registry, or the beginning of the bundle's digest where no registry named it.
        since: When it was put in charge, seconds since 1970, UTC.
    """

    predictor: Predictor
    name: str
    version: str
    since: float


class Slot:
    """Holds one model. A request reads `served` once and keeps to it, so that a swap needs no lock: requests in flight
    finish on the model they began with.
    """

    def __init__(self, served: Served) -> None:
        self.served = served

    def swap(self, served: Served) -> Served:
        """Put another model in charge; the one that was."""
        before, self.served = self.served, served
        return before
