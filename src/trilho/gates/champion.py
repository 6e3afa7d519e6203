"""The gate "champion": is the new version good enough to replace the one in charge?

By `register.promote`, all on rows that neither was trained on:

    if_not_worse   non-inferiority: with the asked confidence worse by no more than evaluate.champion.margin
    if_better      superiority: with the asked confidence better by more than evaluate.champion.min_improvement
    always         the comparison is shown and decides nothing
    never          nothing is promoted by itself

Both comparisons ask the one-sided lower bound, not the measured difference: a version that is measured 0.001 better may
well be 0.01 worse. Two versions that predict the same pass if_not_worse and never if_better. Where nobody can say
(too few rows, a champion that cannot score them, an undefined metric) both refuse.

Source:
    Piaggio et al. (2012), Reporting of noninferiority and equivalence randomized trials: extension of the CONSORT 2010
    statement, JAMA 308(24), 2594-2604.
"""

from __future__ import annotations

import math

from trilho.gates.comparison import Comparison, Incomparable, compare
from trilho.gates.evidence import Evidence, Rule
from trilho.gates.verdict import Answer, Verdict, number

_FORCE = 'trilho promote --force --reason "…"'


def judge_champion(evidence: Evidence, rule: Rule) -> tuple[Verdict, ...]:
    """One verdict, with the comparison in it wherever there is one, even where the policy does not ask it."""
    if evidence.champion is None:
        return (_first(rule),)
    found = compare(evidence, rule)
    if rule.policy in ("always", "never"):
        return (_by_decree(found, evidence, rule),)
    if isinstance(found, Incomparable):
        return (
            Verdict(
                gate="champion",
                outcome="not comparable",
                reason=f"Not comparable with v{evidence.champion}: {found.why}.",
                remedy=f"{found.remedy} Or promote it all the same: {_FORCE}",
                setting=found.setting or "register.promote",
            ),
        )
    return (_decided(found, evidence, rule),)


def _first(rule: Rule) -> Verdict:
    if rule.policy == "never":
        return _never("")
    return Verdict(
        gate="champion",
        outcome="pass",
        reason="There is no champion to beat.",
        setting="register.promote",
    )


def _by_decree(found: Comparison | Incomparable, evidence: Evidence, rule: Rule) -> Verdict:
    if isinstance(found, Incomparable):
        seen = f"not comparable with v{evidence.champion}: {found.why}"
        return _never(seen) if rule.policy == "never" else _always(seen)
    seen = _seen(found, evidence, rule)
    return _never(seen, found) if rule.policy == "never" else _always(seen, found)


def _always(seen: str, found: Comparison | None = None) -> Verdict:
    return _verdict("pass", f"register.promote is always; {seen}.", found, setting="register.promote")


def _never(seen: str, found: Comparison | None = None) -> Verdict:
    reason = f"register.promote is never{'; ' if seen else ''}{seen}."
    return _verdict("fail", reason, found, remedy=f"Promote it by hand: {_FORCE}", setting="register.promote")


def _decided(found: Comparison, evidence: Evidence, rule: Rule) -> Verdict:
    if rule.policy == "if_better":
        required, setting = rule.min_improvement, "evaluate.champion.min_improvement"
        passed = found.gain.lower > required
        asked = f"more than {number(required)} better is required"
    else:
        required, setting = -rule.margin, "evaluate.champion.margin"
        passed = found.gain.lower >= required
        asked = f"{number(rule.margin)} worse is allowed"
    return _verdict(
        "pass" if passed else "fail",
        f"{_seen(found, evidence, rule)}; {asked}.",
        found,
        required=required,
        remedy="" if passed else _remedy(found, required, rule),
        setting=setting,
    )


def _verdict(
    outcome: Answer,
    reason: str,
    found: Comparison | None,
    *,
    required: float | None = None,
    remedy: str = "",
    setting: str,
) -> Verdict:
    gain = found.gain if found else None
    return Verdict(
        gate="champion",
        outcome=outcome,
        reason=reason,
        measured=gain.value if gain else None,
        required=required,
        interval=(gain.lower, gain.upper) if gain else None,
        detectable=gain.detectable if gain else None,
        remedy=remedy,
        setting=setting,
    )


def _seen(found: Comparison, evidence: Evidence, rule: Rule) -> str:
    """What was measured, as the middle of a sentence."""
    champion, rows = f"v{evidence.champion}", f"{found.rows:,} rows that neither was trained on"
    if not found.differing:
        unseen = 1 - (1 - rule.confidence) ** (1 / found.rows)
        return (
            f"{rule.metric} {number(found.challenger)}, the same predictions as {champion} on all {rows}, which leaves "
            f"up to {100 * unseen:.2g} % of others where they may differ"
        )
    gain = found.gain
    if gain.value == 0 and gain.standard_error == 0:
        scores = f"{rule.metric} {number(found.challenger)} as {champion} on {rows}"
        return f"{scores}, and none of the rows on which they differ counts in it"
    bound = f"better by at least {number(gain.lower)}" if gain.lower > 0 else f"worse by at most {number(-gain.lower)}"
    if found.differing < found.rows:
        rows += f", {found.differing:,} of them predicted differently"
    gone = f", undefined in {gain.undefined:,} of {gain.resamples:,} resamples" if gain.undefined else ""
    return (
        f"{rule.metric} {number(found.challenger)} against {number(found.champion)} of {champion} on {rows}: "
        f"{_words(gain.value)}, with {100 * rule.confidence:.4g} % confidence {bound}{gone}"
    )


def _words(gain: float) -> str:
    if gain == 0:
        return "equal"
    return f"{'better' if gain > 0 else 'worse'} by {number(abs(gain))}"


def _remedy(found: Comparison, required: float, rule: Rule) -> str:
    """What would let a model of this kind through, from what these rows can show."""
    gain, force = found.gain, f"Or promote it all the same: {_FORCE}"
    if gain.detectable is None or gain.value < required:
        return f"Train a better model. {force}"
    if rule.policy == "if_better":
        wanted = f"These rows show a gain of {number(gain.detectable)} or more; a smaller one needs more rows"
        return f"{wanted}, or register.promote: if_not_worse. {force}"
    if gain.detectable <= rule.margin:
        enough = (
            f"An equally good model passes on these {found.rows:,} rows at least 8 times in 10, so train a better one"
        )
        return f"{enough}, or accept this one by evaluate.champion.margin {_upwards(-gain.lower)}. {force}"
    ways = [f"evaluate.champion.margin {number(gain.detectable)}"]
    if gain.detectable < 30 * rule.margin:  # else it would take 900 times the rows, and saying so helps nobody
        ways.insert(0, f"about {_round_up(found.rows * (gain.detectable / rule.margin) ** 2):,} such rows")
    finer = " evaluate.champion.metric brier can tell more from the same rows." if found.coarse else ""
    return f"An equally good model passes 8 times in 10 with {' or with '.join(ways)}.{finer} {force}"


def _upwards(margin: float) -> str:
    """Rounded so that it is surely enough."""
    return number(math.ceil(margin * 1e4) / 1e4)


def _round_up(rows: float) -> int:
    """Two digits are as much as this estimate is worth."""
    step = 10 ** max(len(str(int(rows))) - 2, 0)
    return int(-(-rows // step) * step)
