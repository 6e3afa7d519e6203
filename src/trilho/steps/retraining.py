"""A retraining that was claimed: what it learns from, signs of life while it lasts, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from trilho import bundle, registry
from trilho.errors import ServerRefused, ServerUnreachable, ServiceFailed, StepFailed, TrilhoError
from trilho.project.file import ProjectFile
from trilho.registry import Claim, Ending
from trilho.steps.evidence import fetched
from trilho.steps.labelled import freeze_labelled
from trilho.steps.publish import Receipt
from trilho.wire import Client

MOST_HOLDERS = 3  # a retraining that ended three processes would end a fourth


@dataclass
class Work:
    """A retraining at work.

    Attributes:
        project: What to deliver: the project, with the labelled rows it learns from as well.
        receipt: Of the version that came of it; None while there is none, or where the registry was not reached.
        outcome: What is in the history of it; "" where it goes on later.
    """

    project: ProjectFile
    receipt: Receipt | None = None
    outcome: str = ""


@contextmanager
def at_work(project: ProjectFile, client: Client, claim: Claim) -> Iterator[Work]:
    """Hold a claim while somebody delivers `work.project`, who then says by `work.receipt` what was made.

    What the body raises ends the claim as failed or stopped, unless the registry fell silent: then the claim stays, and
    whoever takes it over goes on with the same rows, so that every step that was done is reused.
    """
    name = project.register.name
    store = registry.open_store(client)

    @contextmanager
    def opened() -> Iterator[registry.VersionStore]:
        with Client(client.address, seconds=10) as other:
            yield registry.open_store(other)

    with registry.kept_alive(opened, name, claim, seconds=project.retrain.takeover):
        try:
            _give_up_in_the_end(claim)
            work = Work(project=_learning(project, client, claim))
            yield work
            if work.receipt is None:
                return
            ending, text = came_of(store, work.receipt, claim)
        except (ServerUnreachable, ServiceFailed):
            raise
        except BaseException as problem:
            why = (
                problem.what
                if isinstance(problem, TrilhoError)
                else f"{type(problem).__name__}: {problem}".rstrip(": ")
            )
            with suppress(ServerUnreachable, ServerRefused):
                registry.end_claim(store, name, claim, "failed" if isinstance(problem, Exception) else "stopped", why)
            raise
        if registry.end_claim(store, name, claim, ending, text):
            work.outcome = f"{ending}: {text}"
        else:
            work.outcome = "somebody else went on with it"


def came_of(store: registry.VersionStore, receipt: Receipt, claim: Claim) -> tuple[Ending, str]:
    """What the history says of a version since the claim began. So it is known, too, to who takes over after that."""
    version = f"v{receipt.number}"
    since = [event for event in registry.history(store, receipt.name) if event.number > claim.first and event.valid]
    about = [event for event in since if event.after == receipt.number and event.kind in ("promoted", "refused")]
    if about and about[-1].kind == "promoted":
        return "promoted", version
    if about:
        return "refused", f"{version}: {about[-1].why}"
    if store.get(receipt.name, receipt.number).created < claim.began:
        return "unchanged", f"what there is to learn from makes {version} again"
    return "registered", f"{version}, not promoted (register.promote: never)"


# ----------------------------------------------------------------------------------------------------------------------


def _give_up_in_the_end(claim: Claim) -> None:
    if claim.holders > MOST_HOLDERS:
        raise StepFailed(
            f"The retraining is given up: {MOST_HOLDERS} processes ended over it.",
            state="The champion is unchanged; the next retraining begins anew.",
            why=claim.why,
            remedy="See what ended them, such as a lack of memory (trilho logs monitor), then: trilho retrain",
        )


def _learning(project: ProjectFile, client: Client, claim: Claim) -> ProjectFile:
    if project.retrain.data == "original":
        return project
    champion = registry.champion(registry.open_store(client), project.register.name)
    if champion is None:
        return project
    schema = bundle.read_schema(fetched(project, client, champion))
    return replace(project, labelled=freeze_labelled(project, schema, number=claim.first, until=claim.began))
