"""The buckets of artifacts and of data: does the store answer, take our keys, and hold anything?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import urlsplit

from trilho.errors import ServiceFailed
from trilho.importer import load_module
from trilho.platform.bucket import ENDPOINT, make_bucket, s3_client
from trilho.platform.doctor import clock
from trilho.platform.doctor.compose_files import is_of_containers
from trilho.platform.doctor.finding import Finding, Fix, ok, trouble, unknown
from trilho.platform.doctor.site import Site, host_of, named, without_user
from trilho.platform.service import Say
from trilho.wire import connect

SECONDS = 4

_NO_BUCKET = ("NoSuchBucket",)  # a bare 404 comes from something that is no store
_KEYS = {
    "InvalidAccessKeyId": "the store does not know the access key",
    "SignatureDoesNotMatch": "the secret key is not that of the access key",
    "AccessDenied": "the account may not list the bucket",
    "ExpiredToken": "the session token has expired",
    "InvalidToken": "the session token is not valid",
}
_REGION = ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException")
_CLOCK = ("RequestTimeTooSkewed", "RequestExpired")  # the clock has a check of its own; it cannot ask every store


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a store said when a prefix of a bucket was listed. `code` is "" where it was."""

    code: str
    said: str
    empty: bool = False


def s3_access(site: Site) -> Finding | None:
    """`SignatureDoesNotMatch`, `InvalidAccessKeyId`, `Unable to locate credentials`, `Could not connect to the endpoint
    URL`: endpoint, region or keys."""
    found = {destination: look(destination, site.environment) for destination in _destinations(site)}
    if not found:
        return None
    if any(answer is None for answer in found.values()):
        return unknown("boto3 is not installed here: the bucket was not looked at.", remedy="pip install boto3")
    for destination, answer in found.items():
        if answer is None or answer.code in ("", *_NO_BUCKET) or (answer.code in _CLOCK and _clock_is_named(site)):
            continue
        where = _endpoint(site.environment)
        told, remedy = _explained(answer.code, site.environment)
        return trouble(
            f"{destination} at {where}: {told} ({answer.said})",
            expected="The store lists the bucket for these keys.",
            remedy=remedy,
        )
    listed = [destination for destination, answer in found.items() if answer is not None and not answer.code]
    return ok(f"{', '.join(listed)} can be listed.") if listed else None


def bucket(site: Site) -> Finding | None:
    """`NoSuchBucket: The specified bucket does not exist`; or one without a file, although versions are registered."""
    destinations = _destinations(site)
    found = {name: answer for name in destinations if (answer := look(name, site.environment)) is not None}
    for name, answer in found.items():
        if answer.code in _NO_BUCKET:
            bucket_name = urlsplit(name).netloc
            return trouble(
                f"The bucket '{bucket_name}' does not exist at {_endpoint(site.environment)} ({answer.said}).",
                expected=f"A bucket called '{bucket_name}'.",
                remedy=f"Make it: aws s3 mb s3://{bucket_name}"
                + _endpoint_flag(site.environment)
                + ", mc mb, or trilho doctor --fix; trilho tracking-server makes it at its start. Or correct the name.",
                fix=_making(bucket_name, site) if name == site.artifacts else None,
            )
        if answer.empty and (name == site.data_source or _has_versions(site)):
            content = "the data" if name == site.data_source else "the artifacts of the registered versions"
            return trouble(
                f"Nothing lies at {name}, at {_endpoint(site.environment)}.",
                expected=f"{content.capitalize()}.",
                remedy=f"Is it the right bucket and prefix, and the right store? List it: aws s3 ls {name}"
                + _endpoint_flag(site.environment)
                + "\nIf the store lost its volume, put back a backup.",
            )
    reached = [name for name, answer in found.items() if not answer.code]
    return ok(f"{', '.join(reached)} is there.") if reached else None


def look(destination: str, environment: Mapping[str, str]) -> Look | None:
    """List the first object at s3://BUCKET/PREFIX; None where boto3 is not installed. Changes nothing."""
    if find_spec("boto3") is None:
        return None
    parts = urlsplit(destination)
    errors = load_module("botocore.exceptions")
    try:
        answer = s3_client(environment, seconds=SECONDS).list_objects_v2(
            Bucket=parts.netloc, Prefix=parts.path.lstrip("/").partition("*")[0], MaxKeys=1
        )
    except errors.ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "")) or "ClientError"
        return Look(code=code, said=_one_line(error))
    except (errors.BotoCoreError, ValueError) as error:
        return Look(code=type(error).__name__, said=_one_line(error))
    return Look(code="", said="", empty=not answer.get("Contents"))


# ---------------------------------------------------------------------------------------------------------------------


def _making(bucket_name: str, site: Site) -> Fix:
    """Making the bucket of the artifacts; one that data is read from would be empty, and so of no use."""

    def act(_: Say) -> str:
        try:
            make_bucket(s3_client(site.environment, seconds=SECONDS), bucket_name)
        except load_module("botocore.exceptions").ClientError as error:
            raise ServiceFailed(
                f"The bucket '{bucket_name}' could not be made.",
                state="There is none.",
                why=_one_line(error),
                remedy="Make it with keys that may: "
                + f"aws s3 mb s3://{bucket_name}{_endpoint_flag(site.environment)}",
            ) from error
        return f"The bucket '{bucket_name}' is there."

    return Fix(does=f"Make the bucket '{bucket_name}' at {_endpoint(site.environment)}.", act=act)


def _destinations(site: Site) -> list[str]:
    if is_of_containers(site, host_of(site.environment.get(ENDPOINT, ""))):
        return []
    found = [site.artifacts, site.data_source]
    return [name for name in dict.fromkeys(found) if urlsplit(name).scheme == "s3" and urlsplit(name).netloc]


def _explained(code: str, environment: Mapping[str, str]) -> tuple[str, str]:
    keys = (
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (in the environment, or in .env) to an account of this store."
    )
    if code in _KEYS:
        return _KEYS[code], keys
    if code in _CLOCK:
        return "the store's clock and this machine's differ", clock.REMEDY
    if code in ("NoCredentialsError", "PartialCredentialsError"):
        return "there are no keys", keys
    if code in _REGION or "Region" in code:
        return (
            "the region is wrong",
            f"Set AWS_DEFAULT_REGION to the bucket's (it is {_region(environment) or 'not set'}), which tells:\n"
            "  aws s3api get-bucket-location --bucket BUCKET",
        )
    return (
        "the endpoint does not answer as a store",
        f"Is {ENDPOINT} right, and the store started? In compose it is http://s3:9000, from the host\n"
        "http://127.0.0.1:9000; port 9001 is MinIO's console and not the API.",
    )


def _clock_is_named(site: Site) -> bool:
    found = clock.clock(site)
    return found is not None and found.state == "trouble"


def _region(environment: Mapping[str, str]) -> str | None:
    return environment.get("AWS_DEFAULT_REGION") or environment.get("AWS_REGION") or None


def _endpoint(environment: Mapping[str, str]) -> str:
    return without_user(environment.get(ENDPOINT, "")) or "Amazon S3"


def _endpoint_flag(environment: Mapping[str, str]) -> str:
    return f" --endpoint-url {_endpoint(environment)}" if environment.get(ENDPOINT) else ""


def _has_versions(site: Site) -> bool:
    if not site.answers:
        return False
    with connect(site.tracking_uri, environment=site.environment) as client:
        question = {"max_results": 1, **({"filter": named(site.model)} if site.model else {})}
        return bool(client.get("model-versions/search", question).get("model_versions"))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
