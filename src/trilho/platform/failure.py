"""Why a service did not start, read from the end of its log, as an error with the way out."""

from __future__ import annotations

import re

from trilho.errors import ServiceFailed
from trilho.platform.logs import since
from trilho.platform.service import KnownFailure, Record, Service

_SHOWN = 12  # lines of log in an error

PORT_TAKEN = KnownFailure(
    pattern=r"cannot listen on|address already in use|errno 98\b|errno 48\b|winerror 10048|winerror 10013",
    what="Its port is taken by another program.",
    remedy="Choose another port: trilho up --port PORT",
)

_KNOWN = (
    KnownFailure(
        pattern=r"no space left on device|database or disk is full|errno 28\b",
        what="The disk is full.",
        remedy="Free some space (old runs: delete them and run mlflow gc), then: trilho up",
    ),
    KnownFailure(
        pattern=r"readonly database|unable to open database file|read-only file system|permission denied",
        what="It may not write where it has to.",
        remedy="Make the project's folder .trilho writable for you (chown, chmod, or remount it), then: trilho up",
    ),
    KnownFailure(
        pattern=r"no module named '?[\w.]+'?",
        what="A package that it needs is missing or broken.",
        remedy="Install trilho anew into this environment: pip install --force-reinstall trilho",
    ),
    PORT_TAKEN,
)


def explain(service: Service, port: int, position: int) -> ServiceFailed:
    """The error for a service that ended while it started; its log of this start begins at byte `position`."""
    text = since(service.log, position)
    cause = cause_of(service, text)
    shown = "\n".join(f"  {line}" for line in text.splitlines()[-_SHOWN:]) or "  (it wrote nothing)"
    return ServiceFailed(
        f"{service.name} did not start on port {port}." + (f" {cause.what}" if cause else ""),
        state="It is stopped.",
        why=f"The end of its log, {service.log}:\n{shown}",
        remedy=cause.remedy if cause else f"See the whole log: trilho logs {service.name} -n 200",
    )


def died_of_port(service: Service, position: int) -> bool:
    """Whether another program took the port between our look and the service's own."""
    return cause_of(service, since(service.log, position)) is PORT_TAKEN


def cause_of(service: Service, text: str) -> KnownFailure | None:
    """The first known cause of death that `text` shows; the service's own come before the general ones."""
    for known in (*service.known_failures, *_KNOWN):
        if re.search(known.pattern, text, re.IGNORECASE):
            return known
    return None


def port_taken(service: Service, port: int, holder: str) -> ServiceFailed:
    """The error for a port that was asked for by number and belongs to `holder`."""
    return ServiceFailed(
        f"{service.name} cannot use port {port}: it is taken by {holder}.",
        state="Nothing was started.",
        remedy=f"Choose another with --port, or leave it out: trilho then takes {service.port} or a free one.",
    )


def not_answering(record: Record, seconds: float) -> ServiceFailed:
    """The error for a process that lives, and is silent."""
    return ServiceFailed(
        f"{record.name} (process {record.pid}) does not answer at {record.address}{record.health}.",
        why=f"It was waited for {seconds:.0f} s.",
        remedy=f"See what it does: trilho logs {record.name}\nStart it anew: trilho down && trilho up",
    )


def cannot_write(service: Service, error: OSError) -> ServiceFailed:
    """The error for a .trilho folder that refuses what supervision has to keep there."""
    cause = cause_of(service, str(error))
    return ServiceFailed(
        f"{service.name} cannot be started: trilho cannot write to {service.state_dir}.",
        state="Nothing was started.",
        why=str(error),
        remedy=cause.remedy if cause else f"Make {service.state_dir} a folder that you may write to, then: trilho up",
    )
