"""Every error trilho raises on purpose: one root, one level, one shape.

    TrilhoError
    ├── what the user wrote      ProjectNotFound  InvalidProject  UnknownName  ImportFailed  MissingExtra
    ├── what the user has        SourceUnreadable  BadData  ChecksFailed
    ├── making a model           StepFailed  NotRunYet  CannotPredict
    ├── reaching MLflow          ServerUnreachable  ServerRefused
    ├── what was tried           SpoolDamaged  UntrustedModel
    ├── what was accepted        VersionNotFound  PromotionRefused  PromotionContested
    ├── what is shipped          BundleDamaged  NotCompilable
    ├── what runs here           ServiceFailed
    ├── what is kept elsewhere   BackupFailed  BackupDamaged
    └── what happened            JournalUnreadable  JournalUnwritable  BadFeedback

An error says what happened, what state things are in now, why, and what to do. It knows neither exit codes nor HTTP
statuses: `cli/main.py` and `serving/app.py` hold those tables.
"""

from __future__ import annotations

from typing import Any


class TrilhoError(Exception):
    """The root. `str(error)` is the whole message, the parts are attributes for `--json`.

    Args:
        what: What happened, one sentence.
        state: What state things are in now ("v11 is still champion").
        why: Why, as measured against required; several lines are allowed.
        remedy: What to do, as a command to paste or a line to change. Required: an error without one helps nobody.
    """

    def __init__(self, what: str, *, remedy: str, state: str = "", why: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.state = state
        self.why = why
        self.remedy = remedy

    def __str__(self) -> str:
        head = f"{self.what} {self.state}".strip()
        return "\n".join(part for part in (head, self.why, self.remedy) if part)

    def __reduce__(self) -> tuple[object, ...]:
        parts = {name: value for name, value in vars(self).items() if name not in ("what", "__notes__")}
        return (_rebuild, (type(self), self.what, parts))


class ProjectNotFound(TrilhoError):
    """No trilho.yaml here or in any folder above."""


class InvalidProject(TrilhoError):
    """trilho.yaml has mistakes; `why` lists all of them, one a line, each with its line number."""


class UnknownName(TrilhoError):
    """A name that does not exist was asked for; `why` names the near ones and what is allowed."""


class ImportFailed(TrilhoError):
    """An import string ("package.module:name") leads to nothing."""


class MissingExtra(TrilhoError):
    """A package that an optional feature needs is not installed; `remedy` is the install line."""


class SourceUnreadable(TrilhoError):
    """A data source cannot be opened or read: missing file, wrong encoding, refused connection."""


class BadData(TrilhoError):
    """The data was read, but cannot be learned from: missing target, one class only, mixed types, no rows."""


class ChecksFailed(TrilhoError):
    """`data.checks` found rows that break the rules; `why` lists all of them."""


class StepFailed(TrilhoError):
    """A step, or the user's function in its place, raised; the cause is chained."""


class NotRunYet(TrilhoError):
    """Something was asked of a step, run or model that does not exist yet."""


class CannotPredict(TrilhoError):
    """Rows do not fit the model: missing column, wrong type, a null or a number it cannot take.

    `column` and `row` (from 0) say where, as far as that is known. `malformed` ones could not be read as rows at all;
    of those `by_model` nothing was wrong that the model's schema could name: it raised by itself.
    """

    def __init__(
        self,
        what: str,
        *,
        remedy: str,
        state: str = "",
        why: str = "",
        column: str | None = None,
        row: int | None = None,
        malformed: bool = False,
        by_model: bool = False,
    ) -> None:
        super().__init__(what, remedy=remedy, state=state, why=why)
        self.column = column
        self.row = row
        self.malformed = malformed
        self.by_model = by_model


class ServerUnreachable(TrilhoError):
    """The tracking server, or the model server that a client asks, does not answer, or not in time."""


class ServerRefused(TrilhoError):
    """The tracking server, or the model server that a client asks, answered with an error.

    `status` is the HTTP status, `error_code` MLflow's own name for the error ("" where it gave none).
    """

    def __init__(
        self, what: str, *, remedy: str, state: str = "", why: str = "", status: int = 0, error_code: str = ""
    ) -> None:
        super().__init__(what, remedy=remedy, state=state, why=why)
        self.status = status
        self.error_code = error_code


class SpoolDamaged(TrilhoError):
    """A spooled run cannot be read back."""


class UntrustedModel(TrilhoError):
    """Loading or saving a model would need types or code that nobody vouched for."""


class VersionNotFound(TrilhoError):
    """No such model, version or alias in the registry."""


class PromotionRefused(TrilhoError):
    """A gate said no. The old champion stays."""


class PromotionContested(TrilhoError):
    """Others promoted at the same time, every time we tried."""


class BundleDamaged(TrilhoError):
    """A bundle is incomplete, altered, or of a format this trilho does not know."""


class NotCompilable(TrilhoError):
    """A model cannot become ONNX, or its ONNX form does not agree with it; `why` is one sentence."""


class ServiceFailed(TrilhoError):
    """A local service did not start, or died; `why` shows the end of its log."""


class BackupFailed(TrilhoError):
    """A backup or a restore cannot be made: a tool is missing, the target is in use, a store refuses."""


class BackupDamaged(TrilhoError):
    """A backup is cut short, altered, or of a format this trilho does not know."""


class JournalUnreadable(TrilhoError):
    """The prediction journal, or a report in it, cannot be read."""


class JournalUnwritable(TrilhoError):
    """True labels, or ids to forget, could not be written: the disk is full, or the folder is not ours."""


class BadFeedback(TrilhoError):
    """True labels that cannot be: no prediction id, or a label that the model does not have.

    `row` (from 0) says which of several it is; None where there is one, or where it is not about one.
    """

    def __init__(self, what: str, *, remedy: str, state: str = "", why: str = "", row: int | None = None) -> None:
        super().__init__(what, remedy=remedy, state=state, why=why)
        self.row = row


def _rebuild(kind: type[TrilhoError], what: str, parts: dict[str, Any]) -> TrilhoError:
    """Errors cross process boundaries (pickle), keyword-only arguments included."""
    return kind(what, **parts)
