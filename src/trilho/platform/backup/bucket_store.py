"""Artifacts in an S3 bucket. Endpoint, keys and region come from the environment, by the names of MLflow and AWS."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import IO, Any
from urllib.parse import urlsplit

from trilho.errors import BackupFailed
from trilho.importer import load_module
from trilho.platform.backup.artifact_store import UNFINISHED, Stored
from trilho.platform.bucket import ENDPOINT, s3_client, wait_for_bucket

_WHOLE = 8 << 20  # up to here an object goes in one request, above it in parts of this size, one after the other
_PREPARE_SECONDS = 15.0
_GONE = ("NoSuchKey", "404")


class Bucket:
    """The objects below s3://BUCKET/PREFIX."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._address = address
        self._bucket = parts.netloc
        self._prefix = parts.path.strip("/") + "/" if parts.path.strip("/") else ""
        self.shown = f"s3://{self._bucket}/{self._prefix}"
        self._s3 = s3_client()

    def files(self, under: str = "") -> Iterator[Stored]:
        prefix = self._prefix + (under.strip("/") + "/" if under else "")
        with self._explained():
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                for found in page.get("Contents", ()):
                    path = found["Key"].removeprefix(self._prefix)
                    if path != UNFINISHED and not path.endswith("/"):  # the latter are consoles' empty folders
                        yield Stored(path=path, size=found["Size"], modified=found["LastModified"].timestamp())

    @contextmanager
    def reading(self, path: str) -> Iterator[tuple[IO[bytes], Stored] | None]:
        with self._explained():
            answer = self._get(path)
            if answer is None:
                yield None
                return
            modified = answer["LastModified"].timestamp()
            yield answer["Body"], Stored(path=path, size=answer["ContentLength"], modified=modified)

    def write(self, path: str, stream: IO[bytes], size: int) -> None:
        key = self._prefix + path
        with self._explained():
            if size <= _WHOLE:
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=BytesIO(stream.read()))
            else:
                transfer = load_module("boto3.s3.transfer")
                config = transfer.TransferConfig(
                    multipart_threshold=_WHOLE, multipart_chunksize=max(_WHOLE, size // 9_000), use_threads=False
                )
                self._s3.upload_fileobj(stream, self._bucket, key, Config=config)

    def prepare(self) -> None:
        wait_for_bucket(self._address, seconds=_PREPARE_SECONDS)

    def mark(self) -> str:
        with self._explained():
            answer = self._get(UNFINISHED)
            return "" if answer is None else answer["Body"].read().decode()

    def set_mark(self, text: str) -> None:
        key = self._prefix + UNFINISHED
        with self._explained():
            if text:
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=text.encode())
            else:
                self._s3.delete_object(Bucket=self._bucket, Key=key)

    def _get(self, path: str) -> Any:
        errors = load_module("botocore.exceptions")
        try:
            return self._s3.get_object(Bucket=self._bucket, Key=self._prefix + path)
        except errors.ClientError as error:
            if error.response.get("Error", {}).get("Code") in _GONE:
                return None
            raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        errors, boto3 = load_module("botocore.exceptions"), load_module("boto3.exceptions")
        try:
            yield
        except (errors.ClientError, errors.BotoCoreError, boto3.Boto3Error) as error:
            endpoint = urlsplit(os.environ.get(ENDPOINT, ""))
            raise BackupFailed(
                f"The store at {self.shown} refuses, or does not answer.",
                why=" ".join(str(error).split())[:300],
                remedy=f"Check {ENDPOINT} ("
                f"{endpoint.netloc.rpartition('@')[2] or 'not set: Amazon S3'}), AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY,\nand that the bucket exists; then run the command again.",
            ) from error
