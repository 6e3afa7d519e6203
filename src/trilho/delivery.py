"""The whole loop on one page: train → send → judge → promote. Start reading here.

`Project(".").run()` is the way in from Python; the command line does the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trilho import registry, steps, tracking, wire
from trilho.errors import SpoolDamaged
from trilho.project import ProjectFile, lend_env_file, load
from trilho.steps import Entry, Judgement, Receipt, StepResult

LIVE_SECONDS = 3.0  # a training waits no longer than this for an answer

Say = Callable[[str], None]
Watch = Callable[[StepResult], None]
Server = Callable[[Say], str]  # the address of the tracking server; starts the local one if need be


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What one run came to. `judged` are all versions that were decided on, those of earlier offline runs included."""

    steps: tuple[StepResult, ...] = ()
    receipt: Receipt | None = None
    judged: tuple[Judgement, ...] = ()
    champion: registry.Version | None = None
    refusal: registry.Event | None = None  # why this run's version was refused before, and is still not champion
    offline: str = ""  # why the registry was not asked


def deliver(
    project: ProjectFile,
    *,
    server: Server,
    until: str = "register",
    force: frozenset[str] = frozenset(),
    watch: Watch = lambda _: None,
    say: Say = lambda _: None,
) -> Delivery:
    """Run the stale steps, send the run, and where it made a version, judge and promote it.

    A server that is down, slow or dies half-way fails no training: the run waits in the spool, and `sync` goes on.

    Raises StepFailed, BadData, … where a step failed; its run is recorded as failed.
    """
    standing = steps.Standing()

    def confirm(entry: Entry) -> str:
        nonlocal standing
        told = line.ask(lambda client: steps.standing(project, registry.open_store(client), entry))
        standing = told or steps.standing(project, None, entry)
        return standing.problem

    with wire.Line(lambda: server(say), seconds=LIVE_SECONDS, say=say) as line:
        recorder = steps.Recorder(project, line, until=until)
        watchers = (recorder.watch, lambda result, _: watch(result))
        try:
            results = steps.run_steps(project, until=until, force=force, confirm=confirm, watch=watchers)
        except BaseException as problem:
            recorder.end(problem)
            raise
        recorder.end(None)
        key = results[-1].key
        settled = (
            line.ask(lambda client: _settled(project, client, key, standing, say)) if until == "register" else None
        )
        receipt = steps.read_receipt(project, key)
        return replace(settled or Delivery(receipt=receipt), steps=tuple(results), offline=line.trouble)


def sync(project: ProjectFile, client: wire.Client, *, say: Say = lambda _: None) -> tuple[Judgement, ...]:
    """Send every waiting run, oldest first, and settle each version that comes of it. On an error the rest waits."""
    judged = []
    store = registry.open_store(client)
    with tracking.one_sync(project.state_dir / "spool"):
        for folder in tracking.waiting(project.state_dir / "spool"):
            if tracking.is_alive(folder):
                continue  # its own process sends it
            try:
                if not steps.belongs_here(project, folder):
                    continue  # of another profile: it waits for that profile's server
                package, receipt = steps.publish(project, client, store, folder)
                if receipt is not None:
                    judged.append(settle(project, client, package, receipt))
            except SpoolDamaged as error:
                say(str(error))
    return tuple(judged)


def settle(project: ProjectFile, client: wire.Client, package: str, receipt: Receipt) -> Judgement:
    """Judge the version of a receipt and act on it, once for each rule."""
    version = registry.open_store(client).get(receipt.name, receipt.number)
    judgement = steps.judge(project, client, version, act=project.register.promote != "never")
    steps.write_receipt(project, package, replace(receipt, rule=steps.rule_fingerprint(project)))
    return judgement


def _settled(project: ProjectFile, client: wire.Client, key: str, standing: steps.Standing, say: Say) -> Delivery:
    """What is sent is judged; a version that stands as champion was judged before, and nothing more is asked."""
    judged = sync(project, client, say=say)
    receipt = steps.read_receipt(project, key)
    if receipt is not None and receipt.rule != steps.rule_fingerprint(project):
        judged = (*judged, settle(project, client, key, receipt))
    champion, refusal = standing.version, None
    if judged or champion is None or registry.CHAMPION not in champion.aliases:
        store = registry.open_store(client)
        champion = registry.champion(store, project.register.name)
        just_now = receipt is not None and receipt.number in [item.version.number for item in judged]
        if receipt is not None and not just_now and project.register.promote != "never":
            refusal = registry.standing_refusal(store, receipt.name, receipt.number)
    return Delivery(receipt=receipt, judged=judged, champion=champion, refusal=refusal)


class Project:
    """A project from Python: `Project(".").run()`.

    Args:
        folder: The folder of trilho.yaml, or one below it. A .env beside trilho.yaml joins the environment.
        profile, overrides: As on the command line (--profile team, --set train.params.max_depth=8).

    Raises ProjectNotFound, InvalidProject.
    """

    def __init__(self, folder: str | Path = ".", *, profile: str | None = None, overrides: Sequence[str] = ()) -> None:
        self.file = load(Path(folder), profile=profile, overrides=overrides)
        lend_env_file(self.file.root)

    @staticmethod
    def find_server(file: ProjectFile, say: Say) -> str:  # noqa: ARG004 - platform's function, in whose place this is
        """The tracking server's address. `from trilho import Project` puts platform's function here: it starts one."""
        return file.tracking_uri or ""

    def run(self, until: str = "register", *, force: bool = False, watch: Watch = lambda _: None) -> Delivery:
        """Run what is stale up to the step `until`; a whole run also registers, judges and promotes."""
        every = frozenset(steps.STEPS if force else ())
        return deliver(
            self.file, server=lambda say: self.find_server(self.file, say), until=until, force=every, watch=watch
        )

    def inspect(self, step: str) -> Any:
        """What a step made, as Python objects. Raises NotRunYet."""
        return steps.inspect(self.file, step)
