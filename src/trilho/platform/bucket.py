"""The bucket that artifacts go to: waited for, made where it is missing and may be made, its refusals explained."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from trilho.errors import ServiceFailed
from trilho.importer import load_module
from trilho.platform.patience import Trouble, wait_for
from trilho.platform.service import Say, silent

ENDPOINT = "MLFLOW_S3_ENDPOINT_URL"
_TRY_SECONDS = 5

_KEYS = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "AuthFailure")
_FORBIDDEN = ("AccessDenied", "AllAccessDisabled", "Forbidden", "403")
_ELSEWHERE = ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301", "400")
_MADE_BY_ANOTHER = ("BucketAlreadyOwnedByYou", "BucketAlreadyExists", "OperationAborted")


def bucket_of(destination: str) -> str:
    """The name of the bucket in s3://BUCKET/PREFIX; "" for a folder or another kind of store."""
    parts = urlsplit(destination)
    return parts.netloc if parts.scheme == "s3" else ""


def s3_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What has to join the environment: AWS's newer tools say AWS_REGION, boto3 reads AWS_DEFAULT_REGION only."""
    region = environment.get("AWS_REGION", "")
    return {"AWS_DEFAULT_REGION": region} if region and not environment.get("AWS_DEFAULT_REGION") else {}


def s3_client(environment: Mapping[str, str] = os.environ, *, seconds: float | None = None) -> Any:
    """A client of boto3 for the store that `environment` names, by the names of MLflow and AWS.

    Args:
        seconds: For a connection, and for an answer; it then asks once. None: boto3's minute, and five attempts.

    Raises:
        MissingExtra: boto3 is not installed.
        ValueError, botocore.exceptions.BotoCoreError: the endpoint or the region is none.
    """
    boto3, config = load_module("boto3"), load_module("botocore.config")
    patience: dict[str, Any] = {"retries": {"total_max_attempts": 5, "mode": "standard"}}
    if seconds is not None:
        patience = {"retries": {"total_max_attempts": 1}, "connect_timeout": seconds, "read_timeout": seconds}
    return boto3.Session(
        aws_access_key_id=environment.get("AWS_ACCESS_KEY_ID") or None,
        aws_secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY") or None,
        aws_session_token=environment.get("AWS_SESSION_TOKEN") or None,
    ).client(
        "s3",
        endpoint_url=environment.get(ENDPOINT) or None,
        verify=environment.get("MLFLOW_S3_IGNORE_TLS", "").lower() not in ("true", "1"),
        region_name=environment.get("AWS_DEFAULT_REGION") or environment.get("AWS_REGION") or None,
        config=config.Config(
            **patience,
            s3={"addressing_style": environment.get("MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE") or "auto"},
            # Stores that only speak S3 do not know the checksums that Amazon's client adds by itself since 2025.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


def wait_for_bucket(destination: str, *, seconds: float, say: Say = silent) -> None:
    """Returns once the bucket in `destination` (s3://BUCKET/PREFIX) can be listed; makes it where there is none.

    Endpoint, keys and region come from the environment by the names of MLflow and AWS. Several servers may make it at
    once. Anything but s3://… is left to MLflow.

    Raises:
        ServiceFailed: the store did not answer within `seconds`; at once where it refuses the keys, or making a bucket.
        MissingExtra: boto3 is not installed.
    """
    bucket = bucket_of(destination)
    if bucket:
        wait_for(f"the bucket '{bucket}'", lambda: _trouble(bucket, say), seconds=seconds, say=say)
    elif destination.startswith("s3:"):
        raise ServiceFailed(
            f"'{destination}' names no bucket.",
            state="Nothing was started.",
            remedy="Correct --artifacts-destination (MLFLOW_ARTIFACTS_DESTINATION): s3://BUCKET/PREFIX",
        )


def _trouble(bucket: str, say: Say) -> Trouble | None:
    errors = load_module("botocore.exceptions")
    try:
        client = s3_client(seconds=_TRY_SECONDS)
        try:
            client.list_objects_v2(Bucket=bucket, MaxKeys=1)  # head_bucket's refusals carry no reason
        except errors.ClientError as error:
            if _code(error) not in ("NoSuchBucket", "404"):
                raise
            make_bucket(client, bucket, say)
    except errors.ClientError as error:
        return _refused(bucket, _code(error), str(error))
    except (errors.NoCredentialsError, errors.PartialCredentialsError) as error:
        return Trouble(
            what=f"There are no keys for the bucket '{bucket}'.",
            why=str(error),
            remedy="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for this server (its clients need none).",
            final=True,
        )
    except (errors.ParamValidationError, ValueError) as error:
        return Trouble(
            what=f"'{bucket}' at '{_endpoint()}' is no bucket that can be asked for.",
            why=str(error),
            remedy=f"Correct --artifacts-destination (s3://BUCKET/PREFIX) and {ENDPOINT} (http://HOST:PORT).",
            final=True,
        )
    except errors.SSLError as error:
        return Trouble(
            what=f"{_endpoint()} does not speak https as this machine expects it.",
            why=str(error),
            remedy=f"A store without certificates is asked by http: correct {ENDPOINT}. For one with a certificate of\n"
            "its own: AWS_CA_BUNDLE=FILE",
            final=True,
        )
    except errors.BotoCoreError as error:
        return _silent(bucket, str(error))
    return None


def make_bucket(client: Any, bucket: str, say: Say = silent) -> None:
    """Make the bucket in the region of `client`, an S3 client of boto3; another one may do so at the same time.

    Raises:
        botocore.exceptions.ClientError: the store refuses, or the name is somebody else's.
    """
    errors = load_module("botocore.exceptions")
    region = client.meta.region_name
    where: dict[str, Any] = {}
    if region not in (None, "us-east-1", "aws-global"):  # Amazon refuses the default's name here, and nothing else
        where = {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        client.create_bucket(Bucket=bucket, **where)
        say(f"Made the bucket '{bucket}'.")
    except errors.ClientError as error:
        if _code(error) not in _MADE_BY_ANOTHER:
            raise
        client.list_objects_v2(Bucket=bucket, MaxKeys=1)  # ours by now, or somebody else's for good


def _refused(bucket: str, code: str, said: str) -> Trouble:
    if code in _KEYS:
        return Trouble(
            what=f"The store at {_endpoint()} refuses the keys.",
            why=said,
            remedy="Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of this server. Is it the store that gave\n"
            f"them out? {ENDPOINT} is {os.environ.get(ENDPOINT) or 'not set, so Amazon is asked'}.",
            final=True,
        )
    if code == "RequestTimeTooSkewed":
        return Trouble(
            what=f"The clocks of this machine and of the store at {_endpoint()} differ too much.",
            why=said,
            remedy="Set this machine's clock: timedatectl set-ntp true",
            final=True,
        )
    if code in _FORBIDDEN:
        return Trouble(
            what=f"The keys may not use the bucket '{bucket}', or it does not exist and they may not make it.",
            why=said,
            remedy=f"Make it with an administrator's keys: aws s3 mb s3://{bucket}\n"
            f"and allow these s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject on it.\n"
            "Names of buckets are shared by all customers of a store: somebody else may have this one.",
            final=True,
        )
    if code in _ELSEWHERE:
        return Trouble(
            what=f"The bucket '{bucket}' is in another region than '{os.environ.get('AWS_DEFAULT_REGION', '')}', "
            f"or {_endpoint()} is no S3.",
            why=said,
            remedy="Set AWS_DEFAULT_REGION to the bucket's: "
            f"aws s3api get-bucket-location --bucket {bucket}\nOr correct {ENDPOINT}: the port of the API "
            "(MinIO: 9000), not of the console (9001).",
            final=True,
        )
    if code == "InvalidBucketName":
        return Trouble(
            what=f"'{bucket}' is no name that a bucket can have.",
            why=said,
            remedy="3 to 63 lower-case letters, digits and hyphens. Correct --artifacts-destination: s3://BUCKET/PREFIX",
            final=True,
        )
    return _silent(bucket, said)


def _silent(bucket: str, said: str) -> Trouble:
    host = urlsplit(os.environ.get(ENDPOINT, "")).hostname or ""
    unknown = ""
    if host:
        try:
            socket.getaddrinfo(host, None)
        except OSError:
            unknown = f" Its host '{host}' has no address here."
    return Trouble(
        what=f"The store of the bucket '{bucket}', {_endpoint()}, gives no usable answer.{unknown}",
        why=said,
        remedy=(
            f"Is it started, and is {ENDPOINT} right? Ask it: curl -i {_endpoint()}\n"
            "In compose the host is the service's name (http://s3:9000); the console's port (9001) is not the API's."
            if os.environ.get(ENDPOINT)
            else f"{ENDPOINT} is not set, so Amazon is asked. Set it to your store: http://HOST:9000"
        ),
        final=False,
    )


def _endpoint() -> str:
    """Without a user and a password that somebody may have put into it."""
    parts = urlsplit(os.environ.get(ENDPOINT, ""))
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else "Amazon S3"


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
