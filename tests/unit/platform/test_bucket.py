from __future__ import annotations

import pytest

from trilho.platform.bucket import bucket_of, s3_environment


@pytest.mark.parametrize(
    ("destination", "bucket"),
    [
        ("s3://mlflow", "mlflow"),
        ("s3://mlflow/", "mlflow"),
        ("s3://my-bucket/a/b", "my-bucket"),
        ("./mlartifacts", ""),
        ("file:///mlruns/artifacts", ""),
        ("gs://elsewhere/a", ""),
    ],
)
def test_the_bucket_is_read_from_the_destination(destination: str, bucket: str) -> None:
    assert bucket_of(destination) == bucket


def test_the_region_of_the_newer_name_reaches_boto() -> None:
    assert s3_environment({"AWS_REGION": "eu-west-1"}) == {"AWS_DEFAULT_REGION": "eu-west-1"}
    assert s3_environment({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-1"}) == {}
    assert s3_environment({}) == {}
