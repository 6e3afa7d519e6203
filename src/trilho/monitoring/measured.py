"""What labels say of the answers, as frozen values with a JSON form."""

from __future__ import annotations

import msgspec

from trilho.errors import JournalUnreadable
from trilho.metrics import METRICS

FORMAT = 1


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One metric.

    Args:
        value: None where it is undefined on these rows.
        interval: 95 %; None where nothing varies (all right, or one answer for all) or resampling says nothing.
        floor: Its limit from `evaluate.thresholds`, the most for errors such as rmse; None where it has none.
    """

    metric: str
    value: float | None
    interval: tuple[float, float] | None = None
    floor: float | None = None

    @property
    def greater_is_better(self) -> bool:
        return METRICS[self.metric].greater_is_better

    @property
    def under(self) -> bool:
        """Is the number on the wrong side of its floor? Chance alone may have put it there."""
        return self.floor is not None and self.value is not None and self._worse(self.value, self.floor)

    @property
    def below(self) -> bool:
        """Is it, whatever chance did: with the whole interval?"""
        if not self.under or self.floor is None or self.interval is None:
            return self.under
        return self._worse(self.interval[1] if self.greater_is_better else self.interval[0], self.floor)

    def _worse(self, value: float, than: float) -> bool:
        return value < than if self.greater_is_better else value > than


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One version's answers in a stretch of time, beside the truth.

    Args:
        since, until: When they were answered, seconds since 1970, UTC.
        labelled: Answers whose truth is known.
        late: Of these, the truth came after `until`.
        unusable: Answers whose label is none that this version can give; not among `labelled`.
        delay: Median of the seconds from answer to truth; None without labels.
        measured: () with fewer than `min_labels`.
    """

    model: str
    version: str
    since: float
    until: float
    labelled: int
    min_labels: int
    late: int = 0
    unusable: int = 0
    delay: float | None = None
    measured: tuple[Measured, ...] = ()

    @property
    def enough(self) -> bool:
        return self.labelled >= self.min_labels

    @property
    def below(self) -> tuple[Measured, ...]:
        """The metrics that are below their floor, whatever chance did."""
        return tuple(one for one in self.measured if one.below)


class Estimated(msgspec.Struct, frozen=True, kw_only=True):
    """One metric as it probably is. `interval`: 95 %, where the model's probabilities are right."""

    metric: str
    value: float
    interval: tuple[float, float]


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What the model's own probabilities say of its answers in the newest window: an estimate, nothing measured.

    Args:
        rows: Answers of the version in charge in that window.
        tested: Test rows on which its probabilities were compared with the truth; 0 where they were not.
        error: By about how much they were off there; None where that is not known.
        estimated: () where `problem` says why there are none.
    """

    rows: int
    tested: int = 0
    error: float | None = None
    estimated: tuple[Estimated, ...] = ()
    problem: str = ""


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """What labels say of all versions, now.

    Args:
        since, until: Of all windows together.
        windows: One for each window and version that has labels, the newest first.
        whole: One for each version, over all windows.
        labels: Lines that were read, repeated ones too.
        repeated: Of these, came for a prediction that had one; the latest counts.
        unmatched: Predictions with a label that are not in these windows: older, deleted, not journaled, or none.
        damaged: Lines that cannot be read, cut off by a kill.
        estimate: Of the newest window of the version in charge, from probabilities alone. No verdict goes by it.
    """

    since: float
    until: float
    windows: tuple[Measurement, ...] = ()
    whole: tuple[Measurement, ...] = ()
    labels: int = 0
    repeated: int = 0
    unmatched: int = 0
    damaged: int = 0
    estimate: Estimate | None = None

    def of(self, model: str, version: str) -> tuple[Measurement, ...]:
        """The windows of one version, newest first."""
        return tuple(one for one in self.windows if (one.model, one.version) == (model, version))

    def total(self, model: str, version: str) -> Measurement | None:
        """One version over all windows; None without labels."""
        return next((one for one in self.whole if (one.model, one.version) == (model, version)), None)

    def newest(self, model: str, version: str) -> Measurement | None:
        """What to go by: the newest window with labels enough, or else all windows together; None: too few labels."""
        known = [*self.of(model, version), *filter(None, [self.total(model, version)])]
        return next((one for one in known if one.enough), None)

    def dropped(self, model: str, version: str) -> bool:
        """Is a metric below its floor, in what there is to go by?"""
        newest = self.newest(model, version)
        return newest is not None and bool(newest.below)

    def to_json(self) -> str:
        """As text; `from_json` gives back an equal one."""
        return msgspec.json.encode({"format": FORMAT, **msgspec.to_builtins(self)}).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Performance:
        """Raises JournalUnreadable: not that, cut off, or of a newer format."""
        try:
            if msgspec.json.decode(text, type=_Form).format <= FORMAT:
                return msgspec.json.decode(text, type=cls)
            why = "it was written by a newer trilho"
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            why = str(error)
        raise JournalUnreadable(
            f"What was measured of the answers cannot be read: {why}.",
            remedy="Measure again: trilho monitor",
        )


# ----------------------------------------------------------------------------------------------------------------------


class _Form(msgspec.Struct):
    format: int
