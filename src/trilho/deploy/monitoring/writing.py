"""The files of monitoring, and the two that say which servers Prometheus asks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from trilho.deploy.folder import Written, shipped, write_folder
from trilho.errors import InvalidProject

TRACKING, MODEL_SERVER = "mlflow-server", "model-server"  # jobs of prometheus.yml, and the names of their files
ALERTMANAGER, PROMETHEUS = "127.0.0.1:9093", "127.0.0.1:9090"  # as the files have them
_RUNBOOK = "runbook.md#"


def write_monitoring(
    folder: Path,
    *,
    tracking: Sequence[str],
    model_servers: Sequence[str],
    alertmanager: str = ALERTMANAGER,
    prometheus: str = PROMETHEUS,
    runbook: str = "",
    replace: bool = False,
) -> Written:
    """Write what Prometheus, Alertmanager and Grafana need, plain files to edit.

    Args:
        folder: Where to; it need not exist.
        tracking, model_servers: Addresses of servers, such as "http://127.0.0.1:5000"; at https Prometheus asks by TLS.
        alertmanager: Host and port that Prometheus sends alerts to.
        prometheus: Host and port that Grafana asks Prometheus at.
        runbook: Where runbook.md can be read, such as "https://wiki.example.org/runbook.md"; alerts link there.
        replace: Write over files that differ, too.

    Raises:
        InvalidProject: an address is none.
        OSError: no room, or no right to write.
    """
    texts = shipped("trilho.deploy.monitoring")
    for name, shown, given in (
        ("prometheus.yml", ALERTMANAGER, alertmanager),
        ("grafana/provisioning/datasources/prometheus.yml", PROMETHEUS, prometheus),
        ("rules.yml", _RUNBOOK, f"{runbook.rstrip('#')}#" if runbook else _RUNBOOK),
    ):
        texts[PurePosixPath(name)] = texts[PurePosixPath(name)].replace(shown, given)
    for job, addresses in ((TRACKING, tracking), (MODEL_SERVER, model_servers)):
        texts[PurePosixPath(f"targets/{job}.yml")] = _targets(job, addresses)
    return write_folder(folder, texts, replace=replace)


# ----------------------------------------------------------------------------------------------------------------------


def _targets(job: str, addresses: Sequence[str]) -> str:
    lines = [f'## Who is asked in the job "{job}". Prometheus reads changes of this file by itself.', ""]
    for address in addresses:
        scheme, place, path = _parts(address)
        lines.append(f'- targets: ["{place}"]')
        labels = {"__scheme__": scheme if scheme != "http" else "", "__metrics_path__": path and f"{path}/metrics"}
        if any(labels.values()):
            lines += ["  labels:", *(f"    {name}: {value}" for name, value in labels.items() if value)]
    return "\n".join(lines) + "\n"


def _parts(address: str) -> tuple[str, str, str]:
    """("http", "host:5000", "/prefix") of an address; its user and password are not handed on."""
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if not host or parts.scheme not in ("http", "https"):
        raise InvalidProject(
            f"{address!r} is no address of a server.",
            state="Nothing was written.",
            remedy="Write it as http://HOST:PORT, such as --model-server http://127.0.0.1:8000",
        )
    named = f"[{host}]" if ":" in host else host
    return parts.scheme, f"{named}:{port or (443 if parts.scheme == 'https' else 80)}", parts.path.rstrip("/")
