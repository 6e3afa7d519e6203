"""The whole loop on one page: train → send → judge → promote → guard; watched, and again. Start reading here.

`Project(".").run()` is the way in from Python; the command line does the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from trilho import monitoring, registry, steps, wire
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
    refused: bool = False  # it is no outage: the server does not know us, or we may not do this there
    decision: monitoring.Decision | None = None  # of a retraining: why it was done, or why not
    outcome: str = ""  # of a retraining: what the history says of it; "" where nothing was done, or it is not over


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

    A server that is down, slow or dies half-way fails no training: the run waits in the spool for `trilho sync`.
    Raises StepFailed, BadData, … where a step failed; its run is recorded as failed.
    """
    standing, whole = steps.Standing(), until == "register"

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
        settled = partial(steps.settled, project, key=key, standing=standing, say=say)
        found = (line.ask(settled) if whole else None) or steps.Settled(receipt=steps.read_receipt(project, key))
        return Delivery(steps=tuple(results), offline=line.trouble, refused=line.refused, **vars(found))


def retrain(
    project: ProjectFile,
    *,
    server: Server,
    report: monitoring.Report | None = None,
    performance: monitoring.Performance | None = None,
    asked: str = "",
    act: bool = True,
    watch: Watch = lambda _: None,
    say: Say = lambda _: None,
) -> Delivery:
    """Decide by what monitoring found, or left in the journal, whether to train again; claim that; deliver.

    Args:
        asked: Who wants it done now, whatever monitoring found.
        act: False only decides, and leaves no trace.

    Raises what `deliver` does, and ServerUnreachable: without the history nobody knows who is at it.
    """
    name, journal = project.register.name, project.state_dir / "journal"
    with wire.connect(server(say)) as client:
        store = registry.open_store(client)
        known = monitoring.gather(store, name, journal, report=report, performance=performance, asked=asked)
        decision = monitoring.decide(known, project.retrain)
        if act and decision.action != "none":
            why, resume, champion, who = decision.why, decision.resumes, int(known.version), client.address.signature
            claim = registry.claim(store, name, after=known.claim, champion=champion, why=why, resume=resume, who=who)
            if claim is not None:  # of several who decide at once, one gets it
                with steps.at_work(project, client, claim) as work:
                    done = deliver(work.project, server=server, watch=watch, say=say)
                    work.receipt = None if done.offline else done.receipt
                return replace(done, decision=decision, outcome=work.outcome)
            decision = monitoring.outrun(decision)
        if act:
            monitoring.keep_decision(journal, decision)
        return Delivery(decision=decision)


def guard(project: ProjectFile, known: monitoring.Guarded, *, server: Server) -> monitoring.Guarded:
    """Look once how the version promoted last answers, and go back from it where that is bad. Raises TrilhoError."""
    reading = monitoring.read_counts(project.serve.host, project.serve.port, project.register.name)
    known = monitoring.look_after(known, reading, project.guard, history=partial(steps.past, project, server))
    if known.condemned is None:
        return known
    return replace(known, rollback=steps.go_back(project, server, known.condemned, why=known.why))


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
        server, every = partial(self.find_server, self.file), frozenset(steps.STEPS if force else ())
        return deliver(self.file, server=server, until=until, force=every, watch=watch)

    def inspect(self, step: str) -> Any:
        """What a step made, as Python objects. Raises NotRunYet."""
        return steps.inspect(self.file, step)
