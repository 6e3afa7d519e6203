"""Judge a version by the gates and act on what they say: promote it, or refuse it."""

from __future__ import annotations

from dataclasses import replace

from trilho import gates, registry
from trilho.errors import PromotionContested, TrilhoError
from trilho.project.file import ProjectFile
from trilho.steps.evidence import collect, rule_of
from trilho.steps.judgement import Judgement
from trilho.wire import Client

ATTEMPTS = 20  # a promotion that loses to another is judged again, against the new champion


def judge(project: ProjectFile, client: Client, version: registry.Version, *, act: bool, force: str = "") -> Judgement:
    """Gates over the version against the champion of this moment; then promote or refuse it, if `act`.

    Args:
        force: A reason to promote it whatever the gates say.
    """
    store = registry.open_store(client)
    who = client.address.signature
    for _ in range(ATTEMPTS):
        champion = registry.champion(store, version.name)
        before = champion.number if champion else None
        if before == version.number:
            return Judgement(version=version, before=before)
        verdicts = _verdicts(project, client, version, champion, force)
        judgement = Judgement(version=version, verdicts=verdicts, before=before)
        if not act:
            return judgement
        said = gates.verdicts_to_json(verdicts)
        if not force and not all(verdict.passed for verdict in verdicts):
            failed = "; ".join(verdict.reason.rstrip(".") for verdict in verdicts if not verdict.passed) + "."
            return replace(
                judgement,
                event=registry.refuse(store, version.name, version.number, who=who, why=failed, verdicts_json=said),
            )
        why = force or "all gates passed"
        try:
            event = registry.promote(
                store, version.name, version.number, before=before, why=why, forced=bool(force),
                stages=project.register.stages, who=who, verdicts_json=said,
            )  # fmt: skip
        except PromotionContested:
            continue  # somebody else was promoted meanwhile: judge against that one
        return replace(judgement, event=event)
    raise PromotionContested(
        f"{version.name} v{version.number} was not promoted: others were, {ATTEMPTS} times in a row.",
        state="The version is registered; the champion is one of theirs.",
        remedy=f"trilho promote {version.number}",
    )


def _verdicts(
    project: ProjectFile, client: Client, version: registry.Version, champion: registry.Version | None, force: str
) -> tuple[gates.Verdict, ...]:
    try:
        evidence = collect(project, client, version, champion)
        return gates.judge(evidence, rule_of(project, evidence))
    except TrilhoError:
        if force:  # forced is forced: even what cannot be judged
            return ()
        raise
