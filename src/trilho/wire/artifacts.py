"""Files to and from a version's or a run's artifact root.

Proxied roots ("mlflow-artifacts:/…") go through the server we are connected to, streamed. All others (a bucket that the
server hands out directly) need credentials and code that MLflow has: its client is run in a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from trilho.errors import ServerRefused
from trilho.wire.client import Client, quoted

PROXY_SCHEME = "mlflow-artifacts"

_PROXY = "/api/2.0/mlflow-artifacts/artifacts/"
_UPLOAD = """
import sys
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
root, file, folder = sys.argv[1:]
get_artifact_repository(root).log_artifact(file, folder or None)
"""
_DOWNLOAD = """
import sys
from mlflow.artifacts import download_artifacts
root, path, folder = sys.argv[1:]
download_artifacts(artifact_uri=root.rstrip("/") + "/" + path, dst_path=folder)
"""


def upload(client: Client, root: str, path: str, file: Path) -> None:
    """Put `file` at `path` under the artifact root. Sending it again replaces it.

    Raises:
        ServerUnreachable, ServerRefused: it did not arrive.
    """
    if _proxied(root):
        with file.open("rb") as content:
            client.send_file(_proxy_path(root, path), content, file.stat().st_size)
    else:
        _by_mlflow(client, _UPLOAD, root, str(file), path.rpartition("/")[0])


def download(client: Client, root: str, path: str, to: Path) -> None:
    """Write what lies at `path` under the artifact root to the file `to`, whole or not at all.

    Raises:
        ServerUnreachable, ServerRefused: it could not be had.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=".incoming-") as folder:
        incoming = Path(folder) / path.rpartition("/")[2]
        if _proxied(root):
            with incoming.open("wb") as out:
                client.receive_file(_proxy_path(root, path), out.write)
        else:
            _by_mlflow(client, _DOWNLOAD, root, path, folder)
        incoming.replace(to)


def _proxied(root: str) -> bool:
    return urlsplit(root).scheme == PROXY_SCHEME


def _proxy_path(root: str, path: str) -> str:
    return _PROXY + quoted(f"{urlsplit(root).path.strip('/')}/{path}")


def _by_mlflow(client: Client, script: str, *arguments: str) -> None:
    environment = {**os.environ, "MLFLOW_TRACKING_URI": client.address.shown, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"}
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        cause = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise ServerRefused(
            f"MLflow's client could not move a file at {urlsplit(arguments[0]).scheme}://….",
            why=cause[0],
            remedy="Start the server with --artifacts-destination instead of --default-artifact-root, so that files "
            "go through it; or give this machine the bucket's credentials.",
        )
