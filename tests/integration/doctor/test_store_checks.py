"""Buckets that are missing, empty, or do not take the keys; clocks that a store refuses."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from integration.doctor.conftest import Diagnose, PlainServers, in_trouble, python, train
from team_store import SECRET_KEY, Store
from trilho.errors import ServiceFailed
from trilho.platform.bucket import wait_for_bucket


def said_by_store(environment: dict[str, str], bucket: str) -> str:
    """What AWS's own client says of the bucket."""
    client = boto3.client(
        "s3",
        endpoint_url=environment["MLFLOW_S3_ENDPOINT_URL"],
        aws_access_key_id=environment.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY"),
        region_name="us-east-1",
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=3),
    )
    with pytest.raises((ClientError, BotoCoreError)) as caught:
        client.list_objects_v2(Bucket=bucket)
    return str(caught.value)


def test_missing_bucket_is_named(
    diagnose: Diagnose, seaweed: Store, start_mlflow: PlainServers, tmp_path: Path
) -> None:
    assert "NoSuchBucket" in said_by_store(seaweed.environment, "nowhere")
    found = diagnose(artifacts="s3://nowhere/team", environment=seaweed.environment)
    assert in_trouble(found) == ["bucket"]
    assert "The bucket 'nowhere' does not exist" in found["bucket"].measured
    assert "aws s3 mb s3://nowhere" in found["bucket"].remedy
    assert SECRET_KEY not in str(found)


def test_bucket_that_lost_its_files_is_named(
    diagnose: Diagnose, seaweed: Store, start_mlflow: PlainServers, tmp_path: Path
) -> None:
    client = seaweed.client()
    client.create_bucket(Bucket="lost")
    known = {**seaweed.environment, "AWS_DEFAULT_REGION": "us-east-1"}
    address = start_mlflow(tmp_path, "--artifacts-destination", "s3://lost/", environment=known)
    site = {"artifacts": "s3://lost/", "tracking_uri": address, "environment": known}
    assert in_trouble(diagnose(**site)) == []  # empty, as it should be before the first run
    train(address, tmp_path)
    assert in_trouble(diagnose(**site)) == []
    for key in seaweed.keys("lost"):
        client.delete_object(Bucket="lost", Key=key)
    load = f"import mlflow\nmlflow.set_tracking_uri({address!r})\nmlflow.pyfunc.load_model('models:/churn/1')"
    assert 'Could not find an "MLmodel" configuration file' in python(load, folder=tmp_path).stderr
    found = diagnose(**site)
    assert in_trouble(found) == ["model-files", "bucket"]
    assert "Nothing lies at s3://lost/" in found["bucket"].measured


def test_bucket_of_data_that_is_empty_is_named(diagnose: Diagnose, seaweed: Store) -> None:
    seaweed.client().create_bucket(Bucket="images")
    source = "s3://images/chest_xray/train"
    found = diagnose(data_source=source, environment=seaweed.environment)
    assert in_trouble(found) == ["bucket"]
    assert f"Nothing lies at {source}" in found["bucket"].measured
    seaweed.client().put_object(Bucket="images", Key="chest_xray/train/NORMAL/1.jpeg", Body=b"x")
    assert in_trouble(diagnose(data_source=source, environment=seaweed.environment)) == []


@pytest.mark.parametrize(
    ("change", "code", "meant"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "not-the-secret"}, "SignatureDoesNotMatch", "secret key"),
        ({"AWS_ACCESS_KEY_ID": "nobody"}, "InvalidAccessKeyId", "access key"),
        ({"MLFLOW_S3_ENDPOINT_URL": "http://127.0.0.1:1"}, "Could not connect to the endpoint URL", "endpoint"),
        ({"MLFLOW_S3_ENDPOINT_URL": "CONSOLE"}, "", "endpoint"),
    ],
)
def test_wrong_endpoint_and_keys_are_told_apart(
    diagnose: Diagnose, seaweed: Store, change: dict[str, str], code: str, meant: str
) -> None:
    if change.get("MLFLOW_S3_ENDPOINT_URL") == "CONSOLE":  # another port of the same store, as MinIO's 9001 is
        change = {"MLFLOW_S3_ENDPOINT_URL": f"http://127.0.0.1:{seaweed.ports[0]}"}
    environment = {**seaweed.environment, **change}
    assert code in said_by_store(environment, "any")
    found = diagnose(artifacts="s3://any/", environment=environment)
    assert in_trouble(found) == ["s3-access"]
    assert code in found["s3-access"].measured
    assert meant in found["s3-access"].measured
    assert "not-the-secret" not in str(found)


def test_missing_keys_and_a_region_that_is_none_are_named(
    diagnose: Diagnose, seaweed: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    bare = {"MLFLOW_S3_ENDPOINT_URL": seaweed.environment["MLFLOW_S3_ENDPOINT_URL"]}
    assert "Unable to locate credentials" in said_by_store(bare, "any")
    found = diagnose(artifacts="s3://any/", environment=bare)
    assert in_trouble(found) == ["s3-access"]
    assert "AWS_ACCESS_KEY_ID" in found["s3-access"].remedy

    wrong = {**seaweed.environment, "AWS_REGION": "us east 1"}
    with pytest.raises(BotoCoreError, match="region_name 'us east 1' doesn't match a supported format"):
        boto3.client("s3", region_name="us east 1")
    found = diagnose(artifacts="s3://any/", environment=wrong)
    assert in_trouble(found) == ["s3-access"]
    assert "the region is wrong" in found["s3-access"].measured


def test_the_store_is_addressed_in_the_style_that_the_server_uses(
    diagnose: Diagnose, seaweed: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Virtual hosts take a name that has an address for every bucket, which a store on this machine has not."""
    with suppress(OSError):
        socket.getaddrinfo("styled.localhost", None)
        pytest.skip("every name below localhost has an address here")
    seaweed.client().create_bucket(Bucket="styled")
    endpoint = seaweed.environment["MLFLOW_S3_ENDPOINT_URL"].replace("127.0.0.1", "localhost")
    for style, wrong in (("virtual", ["s3-access"]), ("path", [])):
        known = {"MLFLOW_S3_ENDPOINT_URL": endpoint, "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE": style}
        for name, value in {**seaweed.environment, **known}.items():
            monkeypatch.setenv(name, value)
        if wrong:
            with pytest.raises(
                ServiceFailed, match=r"Could not connect to the endpoint URL: .http://styled\.localhost"
            ):
                wait_for_bucket("s3://styled/", seconds=0)  # what trilho tracking-server does at its start
        else:
            wait_for_bucket("s3://styled/", seconds=20)
        found = diagnose(artifacts="s3://styled/", environment={**seaweed.environment, **known})
        assert in_trouble(found) == wrong
        assert ("http://styled.localhost" in found["s3-access"].measured) == bool(wrong)


def test_clock_that_a_store_refuses_is_named(seaweed: Store, tmp_path: Path) -> None:
    faketime = shutil.which("faketime")
    if not faketime:
        pytest.skip("no faketime here: apt-get install faketime")
    seaweed.client().create_bucket(Bucket="clock")
    script = """
import boto3, os
client = boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"], region_name="us-east-1")
try:
    client.list_objects_v2(Bucket="clock")
except Exception as error:
    print(error)
from pathlib import Path
from trilho.platform.doctor import CHECKS, Site, examine
for finding in examine(Site(root=Path("."), artifacts="s3://clock/"), CHECKS):
    print(finding.name, finding.state, finding.measured)
"""
    for shift, words in (("+2h", "7,2"), ("-2h", "7,")):
        done = subprocess.run(
            [faketime, shift.replace("h", " hours"), sys.executable, "-W", "ignore", "-c", script],
            cwd=tmp_path,
            env={**os.environ, **seaweed.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        told = done.stdout
        assert "RequestTimeTooSkewed" in told, done.stderr
        assert "clock trouble This machine's clock is " + words in told
        assert ("ahead of" if shift[0] == "+" else "behind") in told
        assert "s3-access trouble" not in told  # one trouble has one name
