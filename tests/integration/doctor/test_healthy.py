"""A healthy system is silent, however much of it is known."""

from __future__ import annotations

from pathlib import Path

from integration.doctor.conftest import Diagnose, PlainServers, train
from team_databases import PASSWORD, Database
from team_store import SECRET_KEY, Store


def test_a_teams_server_of_which_everything_is_known_is_fine(
    start_mlflow: PlainServers, diagnose: Diagnose, mariadb: Database, seaweed: Store, tmp_path: Path
) -> None:
    database = mariadb.fresh()
    seaweed.client().create_bucket(Bucket="team")
    store = {**seaweed.environment, "AWS_DEFAULT_REGION": "us-east-1"}
    address = start_mlflow(
        tmp_path, "--artifacts-destination", "s3://team/mlflow", database=database, environment=store
    )
    train(address, tmp_path)
    found = diagnose(
        tracking_uri=address,
        database=database,
        artifacts="s3://team/mlflow",
        experiment="churn",
        model="churn",
        environment={**store, "MLFLOW_TRACKING_URI": address},
    )
    assert {name for name, finding in found.items() if finding.state != "ok"} == set()
    assert {"server-unreachable", "listening-address", "artifact-roots", "model-files", "versions"} <= set(found)
    assert {"database-unreachable", "database-schema", "bucket", "s3-access", "clock", "disk"} <= set(found)
    assert {"empty-experiments", "runs-without-metrics", "no-versions"} <= set(found)
    for secret in (PASSWORD, SECRET_KEY):
        assert secret not in str(found)
