"""Does the tracking server answer, and does it answer us?"""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

from trilho.errors import InvalidProject, ServerRefused, TrilhoError
from trilho.platform.doctor.finding import Finding, ok, trouble
from trilho.platform.doctor.http import Answer, get
from trilho.platform.doctor.site import ANSWER_SECONDS, Site, addresses, host_of, is_server, without_user
from trilho.platform.doctor.written import allowing, readdressing
from trilho.wire import connect, parse_address

# Where MLflow is found by custom: its default, the one that is published beside it, a proxy's, Kubernetes' node port.
USUAL_PORTS = (5000, 5001, 8080, 80, 30500)


def server_unreachable(site: Site) -> Finding | None:
    """`ConnectionRefusedError: [Errno 111] Connection refused`, timeouts, answers that are errors; or no address."""
    if site.answers:
        return ok(f"{site.shown} answers.")
    error = site.refusal
    if error is None or (is_server(site.tracking_uri) and not _resolves(site)):
        return None  # nothing was started; or the name is the trouble, and has a check of its own
    if isinstance(error, InvalidProject):  # nobody was asked
        return trouble(
            f"{error.what} {error.why}".strip(),
            expected="The address of a server, http://HOST:PORT, and kept logins that can be read.",
            remedy=error.remedy,
        )
    if isinstance(error, ServerRefused) and (error.status in (401, 403, 404) or error.status == 200):
        return None  # these have checks of their own
    if site.local:
        remedy = "trilho up\nIf it ends again, its log says why: trilho logs tracking"
    else:
        remedy = (
            f"Is it started, and reachable from here? curl -f {site.shown}/health\n"
            "On its machine: docker compose ps, docker compose logs --tail=100 mlflow\n"
            "A server in a container has to listen on 0.0.0.0, and its port has to be published."
        )
    return trouble(
        f"{error.what} {error.why}".strip(), expected=f"An answer within {ANSWER_SECONDS:.0f} s.", remedy=remedy
    )


def listening_address(site: Site) -> Finding | None:
    """`http://0.0.0.0:5000` is where a server listens, and no address that a client can ask."""
    found = addresses(site)
    wrong = {name: address for name, address in found.items() if urlsplit(address).hostname in ("0.0.0.0", "::")}
    if not found:
        return None
    if not wrong:
        return ok("No client address is 0.0.0.0.")
    name, address = next(iter(wrong.items()))
    port = f":{urlsplit(address).port}" if urlsplit(address).port else ""
    return trouble(
        "; ".join(f"{name} is {without_user(address)}" for name, address in wrong.items()) + ".",
        expected="The address of a machine. 0.0.0.0 means 'listen everywhere': asked by a client it is refused with\n"
        "403, finds nobody, or somebody else than meant.",
        remedy=f"{name}=http://127.0.0.1{port} on the same machine, http://mlflow{port} between the containers\n"
        "of one compose file, the server's name from elsewhere.",
        fix=readdressing(site, {name: (address, _of_this_machine(address)) for name, address in wrong.items()}),
    )


def wrong_port(site: Site) -> Finding | None:
    """Somebody else answers at the server's port; or nobody, while MLflow answers at one of the usual ones."""
    error = site.refusal
    if site.local or error is None or isinstance(error, InvalidProject) or not _resolves(site):
        return None
    if isinstance(error, ServerRefused) and (error.status in (401, 403) or error.status >= 500 or error.error_code):
        return None  # it is MLflow, and refuses us or is in trouble itself
    address = parse_address(site.tracking_uri, site.environment)
    scheme = "https" if address.secure else "http"
    elsewhere = [
        port for port in USUAL_PORTS if port != address.port and _is_mlflow(f"{scheme}://{address.host}:{port}")
    ]
    stranger = isinstance(error, ServerRefused)
    if not stranger and not elsewhere:
        return None
    measured = f"At {address.shown} " + (
        f"somebody answers who is not MLflow ({_told(get(address.shown + '/'))})." if stranger else "nobody answers."
    )
    fix = None
    if elsewhere:
        right = _with_port(site.tracking_uri, elsewhere[0])
        if _knows_project(right, site):  # else it may be a stranger's, and ours only down
            fix = readdressing(site, {"tracking_uri": (site.tracking_uri, right)})
        measured += f" MLflow answers at port {elsewhere[0]}."
        remedy = (
            f"If that is the server meant, set tracking_uri (or MLFLOW_TRACKING_URI) to "
            f"{scheme}://{address.host}:{elsewhere[0]}"
        )
    else:
        remedy = (
            "Set tracking_uri (or MLFLOW_TRACKING_URI) to the port of MLflow's server. It is in docker compose ps,\n"
            "kubectl get svc, or its command line after --port."
        )
    return trouble(measured, expected="MLflow's tracking server at that port.", remedy=remedy, fix=fix)


def host_refused(site: Site) -> Finding | None:
    """403 `Invalid Host header - possible DNS rebinding attack detected`, while /health is green."""
    error = site.refusal
    if not isinstance(error, ServerRefused) or error.status != 403 or "invalid host header" not in error.why.lower():
        return None
    address = parse_address(site.tracking_uri, site.environment)
    health = get(f"{address.shown}/health")
    green = "while /health answers 200" if health is not None and health.status == 200 else "as /health does, too"
    return trouble(
        f"{address.shown} refuses the Host header '{address.host}:{address.port}' with 403, {green}: {error.why}",
        expected="The server knows every name that clients call it by.",
        remedy=f"Start the server with MLFLOW_SERVER_ALLOWED_HOSTS (--allowed-hosts):\n"
        f"  {address.host},{address.host}:*,localhost,localhost:*,127.0.0.1,127.0.0.1:*\n"
        "It replaces the default, and a port counts as part of the name.",
        fix=allowing(site, address.host),
    )


def login_refused(site: Site) -> Finding | None:
    """401 or 403: the user, the password or the token is wrong or missing."""
    error = site.refusal
    if (
        not isinstance(error, ServerRefused)
        or error.status not in (401, 403)
        or "invalid host header" in error.why.lower()
    ):
        return None
    address = parse_address(site.tracking_uri, site.environment)
    given = "the login that was given" if address.authorization else "a request without a login"
    return trouble(
        f"{address.shown} answers {given} with {error.status}.",
        expected="A user that the server knows.",
        remedy=f"trilho login {address.shown} --user NAME\nOr set MLFLOW_TRACKING_USERNAME and "
        "MLFLOW_TRACKING_PASSWORD (or MLFLOW_TRACKING_TOKEN) in the\nenvironment, or in the project's .env.",
    )


# ---------------------------------------------------------------------------------------------------------------------


def _resolves(site: Site) -> bool:
    try:
        socket.getaddrinfo(host_of(site.tracking_uri), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # the second where a part of the name is empty or too long
        return False
    return True


def _of_this_machine(address: str) -> str:
    return re.sub(r"(//|@)(0\.0\.0\.0|\[::\])", r"\g<1>127.0.0.1", address, count=1)


def _with_port(address: str, port: int) -> str:
    """The same address with another port, or with one; user and path as they were."""
    parts = urlsplit(address)
    host = re.sub(r":\d+$", "", parts.netloc)
    return parts._replace(netloc=f"{host}:{port}").geturl()


def _is_mlflow(address: str) -> bool:
    """Whether an MLflow server is there; one that refuses our name still is."""
    health, version = get(f"{address}/health", seconds=1), get(f"{address}/version", seconds=1)
    if health is None or version is None or health.text.strip() != "OK":
        return False
    return version.status == 403 or version.text.strip()[:1].isdigit()


def _knows_project(address: str, site: Site) -> bool:
    """Whether the MLflow server at `address` has the project's experiment."""
    try:
        with connect(address, environment=site.environment, seconds=ANSWER_SECONDS) as client:
            client.get("experiments/get-by-name", {"experiment_name": site.experiment})
    except TrilhoError:
        return False
    return bool(site.experiment)


def _told(answer: Answer | None) -> str:
    if answer is None:
        return "but not to GET /"
    server = answer.headers.get("server", "")
    return f"GET / gives {answer.status}" + (f" from {server}" if server else "")
