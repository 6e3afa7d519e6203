"""All checks of a site at the same time, each with a deadline, and nothing secret in what they say."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from urllib.parse import unquote, urlsplit

from trilho.errors import InvalidProject, MissingExtra, ServerRefused, ServerUnreachable, TrilhoError
from trilho.platform.doctor.finding import Finding, unknown
from trilho.platform.doctor.site import ANSWER_SECONDS, Site
from trilho.wire import probe

SECONDS = 20.0  # for one check; all run at once

# Names of secrets: DB_PASSWORD, PGPASSWORD, AWS_SECRET_ACCESS_KEY; not AWS_ACCESS_KEY_ID, MAX_TOKENS, PWD.
_SECRET_NAME = re.compile(
    r"(?i)(passw(or)?d|_pwd|(^|_)(passphrase|secret|token|credentials?|api_?keys?|private_?key))(?![a-z0-9])"
    r"(?!_+(id|file)$)"
)
# Those whose value is a secret however short it is.
_KNOWN_NAME = re.compile(r"(?i)passw(or)?d$|^AWS_SECRET_ACCESS_KEY$|^AWS_SESSION_TOKEN$|^MLFLOW_TRACKING_TOKEN$")
_SHORTEST, _SHORT = 4, 8  # below the first nothing is blotted out; below the second whole words, of known names

Look = Callable[[Site], Finding | None]


@dataclass(frozen=True, kw_only=True)
class Check:
    """A named check. `look` gives None where it does not apply: there is nothing it could look at."""

    name: str
    look: Look


def examine(site: Site, checks: Iterable[Check], *, seconds: float = SECONDS) -> tuple[Finding, ...]:
    """What each check found that applies, in their order.

    The tracking server is asked once whether it answers; checks that need it do not apply where it does not, since one
    of the others says why.
    """
    site = _asked(site)
    _import_shared(site)
    chosen = list(checks)
    found: dict[str, Finding | None] = {}
    threads = [threading.Thread(target=_look, args=(check, site, found), daemon=True) for check in chosen]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = unknown(f"No answer within {seconds:.0f} s.")
    results = [(check.name, found.get(check.name, late)) for check in chosen]
    secrets = secrets_of(site)
    return tuple(_clean(finding, name, secrets) for name, finding in results if finding is not None)


def secrets_of(site: Site) -> tuple[str, ...]:
    """What must not be shown: passwords in addresses, and values under telling names; the longest first."""
    known: list[str] = []
    others: list[str] = []
    for name, value in site.environment.items():
        if _SECRET_NAME.search(name):
            (known if _KNOWN_NAME.search(name) else others).append(value)
    named = (site.tracking_uri, site.database, site.artifacts, site.data_source, site.prometheus)
    passwords = [password for address in (*named, *site.environment.values()) for password in _passwords(address)]
    parts = {password for password in passwords if len(password) >= _SHORTEST}
    parts |= {part for value in known for part in (value, *value.split(",")) if len(part) >= _SHORTEST}
    parts |= {part for value in others for part in (value, *value.split(",")) if len(part) >= _SHORT}
    return tuple(sorted(parts, key=len, reverse=True))


# ---------------------------------------------------------------------------------------------------------------------


def _passwords(address: str) -> Iterator[str]:
    """The password in an address, as written and as meant.

    What a URL's rules make of it, and what was meant if they were broken: a slash in a password ends the host for them,
    and what stands before the last @ is still secret.
    """
    if "@" not in address:
        return
    found = [address.partition("://")[2].rpartition("@")[0].partition(":")[2]]
    with suppress(ValueError):  # "http://ana:[1@host"
        found.append(urlsplit(address).password or "")
    for password in filter(None, found):
        yield from (password, unquote(password))


def _asked(site: Site) -> Site:
    """The site with what its tracking server says to a real question; /health is green for those it refuses, too."""
    if not site.has_server:
        return site
    try:
        probe(site.tracking_uri, environment=site.environment, seconds=ANSWER_SECONDS)
    except (ServerUnreachable, ServerRefused, InvalidProject) as error:
        return replace(site, refusal=error)
    except OSError as error:  # before anybody was asked: the login's file cannot be read
        return replace(
            site,
            refusal=ServerUnreachable(
                "The tracking server was not asked.", why=str(error), remedy="Make that file readable, or set HOME."
            ),
        )
    return replace(site, answers=True)


def _import_shared(site: Site) -> None:
    """Import what several checks would import at once, each in its own thread.

    Where modules import each other in a circle, as SQLAlchemy's do, Python keeps threads from waiting for each other
    for ever by giving one of them a module that is only half there: `ImportError: cannot import name …`.
    """
    if site.database:
        with suppress(Exception):  # not installed, or an address that is none: the checks say so
            import sqlalchemy

            sqlalchemy.create_engine(site.database)  # connects to nothing; imports the dialect and its driver
    if any(address.startswith("s3:") for address in (site.artifacts, site.data_source)):
        with suppress(Exception):
            import_module("boto3").client("s3", region_name="us-east-1")


def _look(check: Check, site: Site, found: dict[str, Finding | None]) -> None:
    try:
        found[check.name] = check.look(site)
    except MissingExtra as error:
        found[check.name] = unknown(error.what, remedy=error.remedy)
    except TrilhoError as error:
        found[check.name] = unknown(" ".join(f"{error.what} {error.why}".split()), remedy=error.remedy)
    except Exception as error:  # one check that fails must not hide what the others found
        found[check.name] = unknown(f"The check itself failed: {type(error).__name__}: {error}")


def _clean(finding: Finding, name: str, secrets: Iterable[str]) -> Finding:
    def clean(text: str) -> str:
        for secret in secrets:
            if len(secret) >= _SHORT:
                text = text.replace(secret, "***")
            else:  # "admin" is not to be blotted out of "administrator"
                text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", text)
        return text

    fix = finding.fix
    return replace(
        finding,
        name=name,
        measured=clean(finding.measured),
        expected=clean(finding.expected),
        remedy=clean(finding.remedy),
        fix=fix and replace(fix, does=clean(fix.does)),
    )
