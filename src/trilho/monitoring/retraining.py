"""Should the model be trained again? A pure function: what is known in, a decision with its reasons out.

    cause         starts a retraining where
    drift         the newest report on the champion finds drift, and new labels are there to learn from
    performance   labels put a metric below evaluate.thresholds, whatever chance did, and new labels are there
    schedule      the last training was retrain.every ago, or longer
    asked         a person says so; nothing else is asked then

None starts while another is at work or `retrain.cooldown` lasts. A retraining whose holder fell silent is gone on with,
whatever the causes say by now: it was decided already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

from trilho.monitoring.measured import Performance
from trilho.monitoring.report import Report
from trilho.monitoring.wording import unknown_words
from trilho.project.file import RetrainSection
from trilho.registry import Claim
from trilho.settings import format_duration

_STALE = 60.0  # seconds after which it is said how old a report is

Action = Literal["none", "retrain", "resume"]
Question = Literal["champion", "at work", "asked", "drift", "performance", "schedule", "labels", "cooldown"]
Answer = Literal["yes", "no", "unknown"]


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was asked. `answer`: does it speak for training again?"""

    question: Question
    answer: Answer
    text: str

    @property
    def worded(self) -> str:
        """In a sentence with others: a cause is named, all else speaks for itself."""
        return f"{self.question}: {self.text}" if self.question in ("drift", "performance", "schedule") else self.text


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done, and why.

    Args:
        at: When it was decided, seconds since 1970, UTC.
        version: The champion's; "" where there is none.
        new_labels: Labels that no retraining has learned from yet.
    """

    at: float
    model: str
    version: str
    action: Action
    reasons: tuple[Reason, ...]
    new_labels: int = 0

    @property
    def why(self) -> str:
        """What starts it, where something is to be done; what speaks against it where nothing is."""
        if self.action == "none":
            return "; ".join(reason.worded for reason in self.reasons if reason.answer != "yes")
        return "; ".join(one.worded for one in self.reasons if one.answer == "yes" and one.question != "cooldown")

    @property
    def resumes(self) -> bool:
        """Is it about the work of somebody who fell silent?"""
        return self.action == "resume"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a decision is made from.

    Args:
        now: Seconds since 1970, UTC.
        version: The champion's, as text; "" where there is none.
        trained: When the champion was registered, seconds since 1970.
        report, performance: The newest there are, on whichever version.
        new_labels: Labels that no retraining has learned from yet.
        claim: The retraining begun last, at work or ended.
        asked: Who says that it shall be done now; "" where nobody does.
    """

    now: float
    model: str
    version: str
    trained: float = 0.0
    report: Report | None = None
    performance: Performance | None = None
    new_labels: int = 0
    claim: Claim | None = None
    asked: str = ""


def decide(evidence: Evidence, rule: RetrainSection) -> Decision:
    """Whether to train again now, by the section `retrain:` of the project.

    >>> from trilho.project.file import RetrainSection
    >>> known = Evidence(now=1_000_000.0, model="churn", version="3", trained=100_000.0, new_labels=12)
    >>> decision = decide(known, RetrainSection(on=("schedule",), every=604_800.0))
    >>> decision.action, decision.why
    ('retrain', 'schedule: the last training was 10d 10h ago, every 7d is asked')
    """
    action, reasons = _decided(evidence, rule)
    return Decision(
        at=evidence.now,
        model=evidence.model,
        version=evidence.version,
        action=action,
        reasons=reasons,
        new_labels=evidence.new_labels,
    )


def outrun(decision: Decision) -> Decision:
    """The same, by somebody who found that another was faster."""
    lost = Reason(question="at work", answer="no", text="somebody else began at the same moment")
    return msgspec.structs.replace(decision, action="none", reasons=(*decision.reasons, lost))


# ----------------------------------------------------------------------------------------------------------------------


def _decided(evidence: Evidence, rule: RetrainSection) -> tuple[Action, tuple[Reason, ...]]:
    if not evidence.version:
        text = f"{evidence.model} has no champion yet; trilho run makes the first"
        return "none", (Reason(question="champion", answer="no", text=text),)
    claim = evidence.claim
    if claim is not None and not claim.ended:
        return _begun(claim, evidence, rule)
    if evidence.asked:
        return "retrain", (Reason(question="asked", answer="yes", text=f"asked for: {evidence.asked}"),)
    known = {"drift": _drift(evidence), "performance": _performance(evidence), "schedule": _schedule(evidence, rule)}
    causes = [known[name] for name in rule.on]
    labels, cooldown = _labels(evidence, rule), _cooldown(evidence, rule)
    urgent = any(reason.answer == "yes" and reason.question != "schedule" for reason in causes)
    due = any(reason.answer == "yes" and reason.question == "schedule" for reason in causes)
    if not causes:
        causes = [Reason(question="schedule", answer="no", text="retrain.on names nothing that starts one")]
    learns = [labels] if set(rule.on) - {"schedule"} else []
    go = ((urgent and labels.answer == "yes") or due) and cooldown.answer == "yes"
    return ("retrain" if go else "none"), (*causes, *learns, cooldown)


def _begun(claim: Claim, evidence: Evidence, rule: RetrainSection) -> tuple[Action, tuple[Reason, ...]]:
    silent = evidence.now - claim.alive
    since = f"{claim.who} began {_ago(evidence.now - claim.began)} ago"
    if silent < rule.takeover:
        text = f"{since} and was heard of {_ago(silent)} ago"
        return "none", (Reason(question="at work", answer="no", text=text),)
    text = f"{since} and fell silent {_ago(silent)} ago ({format_duration(rule.takeover)} are waited for)"
    return "resume", (Reason(question="at work", answer="yes", text=f"{text}: {claim.why}"),)


def _drift(evidence: Evidence) -> Reason:
    report = evidence.report
    if report is None or (report.model, report.version) != (evidence.model, evidence.version):
        return Reason(
            question="drift", answer="unknown", text=f"no report on v{evidence.version} yet; trilho monitor makes one"
        )
    if not report.enough:
        text = f"{report.rows} predictions in the window, {report.min_rows} are needed"
        return Reason(question="drift", answer="unknown", text=text)
    if not report.drift_known:
        return Reason(question="drift", answer="unknown", text=unknown_words(report))
    text = f"{len(report.moved)} of {len(report.judged)} columns moved"
    if evidence.now - report.until > _STALE:
        text += f" by {_ago(evidence.now - report.until)} ago"
    if not report.drift:
        return Reason(question="drift", answer="no", text=f"{text}, {report.share:.0%} are drift")
    return Reason(question="drift", answer="yes", text=text)


def _performance(evidence: Evidence) -> Reason:
    known = evidence.performance
    newest = known.newest(evidence.model, evidence.version) if known else None
    if newest is None:
        return Reason(question="performance", answer="unknown", text=f"too few labels of v{evidence.version}")
    worded = [
        f"{one.metric} {one.value:.3f}, at {'least' if one.greater_is_better else 'most'} {one.floor:g} is asked"
        for one in newest.below or newest.measured
        if one.floor is not None and one.value is not None
    ]
    answer: Answer = "yes" if newest.below else "no" if worded else "unknown"
    return Reason(question="performance", answer=answer, text="; ".join(worded) or "undefined on these labels")


def _schedule(evidence: Evidence, rule: RetrainSection) -> Reason:
    last = max(evidence.trained, evidence.claim.began if evidence.claim else 0.0)
    text = f"the last training was {_ago(evidence.now - last)} ago, every {format_duration(rule.every)} is asked"
    return Reason(question="schedule", answer="yes" if evidence.now - last >= rule.every else "no", text=text)


def _labels(evidence: Evidence, rule: RetrainSection) -> Reason:
    enough = evidence.new_labels >= rule.min_new_labels
    text = f"{evidence.new_labels:,} new labels, {rule.min_new_labels:,} are needed"
    return Reason(question="labels", answer="yes" if enough else "no", text=text)


def _cooldown(evidence: Evidence, rule: RetrainSection) -> Reason:
    if evidence.claim is None:
        return Reason(question="cooldown", answer="yes", text="no retraining so far")
    passed = evidence.now - evidence.claim.began
    text = f"the last retraining was {_ago(passed)} ago, {format_duration(rule.cooldown)} must pass"
    return Reason(question="cooldown", answer="yes" if passed >= rule.cooldown else "no", text=text)


def _ago(seconds: float) -> str:
    """In the two largest units: "10d 10h"."""
    left, words = round(max(seconds, 0.0)), []
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            words.append(f"{count}{unit}")
    return " ".join(words[:2]) or "0s"
