"""What a store refuses is never called fine, whichever check has the word for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from trilho.platform.doctor.clock import REMEDY, clock
from trilho.platform.doctor.finding import Finding
from trilho.platform.doctor.object_store import bucket, s3_access
from trilho.platform.doctor.site import Site

pytest.importorskip("boto3", reason='pip install "trilho[s3]"')

SKEWED = {"any": "RequestTimeTooSkewed"}


@contextmanager
def store(refused: dict[str, str], *, ahead: float = 0.0) -> Iterator[str]:
    """A store that refuses these buckets with these codes and lists the others; its clock is `ahead`, in seconds."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code = refused.get(self.path.split("?")[0].strip("/"))
            body = f"<Error><Code>{code}</Code><Message>no</Message></Error>" if code else "<ListBucketResult/>"
            self.send_response(403 if code else 200)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def date_time_string(self, timestamp: float | None = None) -> str:
            return formatdate((timestamp or time.time()) + ahead, usegmt=True)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def site(endpoint: str, *, data: str = "") -> Site:
    keys = {"AWS_ACCESS_KEY_ID": "team", "AWS_SECRET_ACCESS_KEY": "a secret key", "AWS_DEFAULT_REGION": "us-east-1"}
    known = {"MLFLOW_S3_ENDPOINT_URL": endpoint, "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE": "path", **keys}
    return Site(root=Path(), environment=known, artifacts="s3://any/", data_source=data)


def state(found: Finding | None) -> str:
    return found.state if found else "none"


def test_a_refusal_for_the_clock_that_the_clocks_check_cannot_see_is_trouble_with_its_remedy() -> None:
    with store(SKEWED) as endpoint:  # behind a proxy, say, whose clock is right
        assert state(clock(site(endpoint))) == "ok"
        found = s3_access(site(endpoint))
    assert found is not None
    assert (found.state, found.remedy) == ("trouble", REMEDY)
    assert "s3://any/" in found.measured
    assert "RequestTimeTooSkewed" in found.measured


def test_a_clock_that_is_named_already_is_not_named_twice_nor_called_fine() -> None:
    with store(SKEWED, ahead=7200) as endpoint:
        assert state(clock(site(endpoint))) == "trouble"
        assert s3_access(site(endpoint)) is None


def test_a_bucket_that_is_not_there_is_not_said_to_be_listed() -> None:
    with store({"any": "NoSuchBucket"}) as endpoint:
        assert state(bucket(site(endpoint))) == "trouble"
        assert s3_access(site(endpoint)) is None
        other = s3_access(site(endpoint, data="s3://images/x"))
    assert other is not None
    assert (other.state, other.measured) == ("ok", "s3://images/x can be listed.")
