"""What waits in the spool becomes versions, and each version is judged: once, whoever does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from trilho import registry, tracking
from trilho.errors import ServerRefused, ServerUnreachable, SpoolDamaged
from trilho.project.file import ProjectFile
from trilho.steps.judgement import Judgement
from trilho.steps.publish import (
    Receipt,
    Standing,
    belongs_here,
    publish,
    read_receipt,
    rule_fingerprint,
    write_receipt,
)
from trilho.wire import FORBIDDEN, NOT_KNOWN, Client

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What became of the versions, as in `delivery.Delivery`."""

    receipt: Receipt | None = None
    judged: tuple[Judgement, ...] = ()
    champion: registry.Version | None = None
    refusal: registry.Event | None = None


@dataclass(frozen=True, kw_only=True)
class Synced:
    """What became of the runs that waited. `damaged` ones wait on: sending them again will not help."""

    judged: tuple[Judgement, ...] = ()
    damaged: tuple[SpoolDamaged, ...] = ()


def sync(project: ProjectFile, client: Client, *, say: Say = lambda _: None) -> Synced:
    """Send every waiting run, oldest first, and settle each version that comes of it. On an error the rest waits.

    The spool forgets a run when its version is settled; also if that failed, unless another time may do better: where
    the server was away, or did not let us.
    """
    judged, damaged = [], []
    store = registry.open_store(client)
    with tracking.one_sync(project.state_dir / "spool"):
        for folder in tracking.waiting(project.state_dir / "spool"):
            if tracking.is_alive(folder):
                continue  # its own process sends it
            try:
                if not belongs_here(project, folder):
                    continue  # of another profile: it waits for that profile's server
                package, receipt = publish(project, client, store, folder)
            except SpoolDamaged as error:
                say(str(error))
                damaged.append(error)
                continue
            try:
                if receipt is not None:
                    judged.append(settle(project, client, package, receipt))
            except BaseException as problem:
                if not _may_pass(problem):
                    tracking.discard(folder)
                raise
            tracking.discard(folder)
    return Synced(judged=tuple(judged), damaged=tuple(damaged))


def settle(project: ProjectFile, client: Client, package: str, receipt: Receipt) -> Judgement:
    """Judge the version of a receipt and act on it, once for each rule."""
    from trilho.steps.judging import judge

    version = registry.open_store(client).get(receipt.name, receipt.number)
    judgement = judge(project, client, version, act=project.register.promote != "never")
    write_receipt(project, package, replace(receipt, rule=rule_fingerprint(project)))
    return judgement


def settled(project: ProjectFile, client: Client, key: str, standing: Standing, say: Say) -> Settled:
    """What is sent is judged; a version that stands as champion was judged before, and nothing more is asked.

    Args:
        key: Of the package that this run made or reused.
        standing: What the registry said of it while the steps ran.
    """
    judged = sync(project, client, say=say).judged
    receipt = read_receipt(project, key)
    if receipt is not None and receipt.rule != rule_fingerprint(project):
        judged = (*judged, settle(project, client, key, receipt))
    champion, refusal = standing.version, None
    if judged or champion is None or registry.CHAMPION not in champion.aliases:
        store = registry.open_store(client)
        champion = registry.champion(store, project.register.name)
        just_now = receipt is not None and receipt.number in [item.version.number for item in judged]
        if receipt is not None and not just_now and project.register.promote != "never":
            refusal = registry.standing_refusal(store, receipt.name, receipt.number)
    return Settled(receipt=receipt, judged=judged, champion=champion, refusal=refusal)


def _may_pass(problem: BaseException) -> bool:
    """Would the same version, judged another time, perhaps be judged?"""
    if isinstance(problem, ServerRefused):
        return problem.status in (NOT_KNOWN, FORBIDDEN)
    return isinstance(problem, ServerUnreachable | KeyboardInterrupt)
