"""What keeps a team's server from starting is named, with what to do, and without the password."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from conftest import free_port
from team_databases import PASSWORD, Database
from team_server import begin, ready, refusal
from team_store import READER, SECRET_KEY, Store

WRONG = "not-the-password"


def hides_secrets(said: str) -> None:
    for secret in (PASSWORD, WRONG, SECRET_KEY):
        assert secret not in said
    assert "Traceback" not in said


def test_a_wrong_password_is_said_at_once(database: Database, tmp_path: Path) -> None:
    uri = database.uri("mlflow", password=WRONG)
    said = refusal(tmp_path, uri, "artifacts")
    assert f"The database at 127.0.0.1:{database.port} refuses the password of 'team'." in said
    assert "Nothing was started." in said
    assert "keeps the password that it was first started with" in said
    hides_secrets(said)


def test_a_missing_database_is_said_with_the_statement_that_makes_it(database: Database, tmp_path: Path) -> None:
    said = refusal(tmp_path, database.uri("nowhere"), "artifacts")
    assert "has no database 'nowhere'" in said
    assert "CREATE DATABASE nowhere" in said
    hides_secrets(said)


def test_a_host_without_an_address_is_said_after_the_wait(tmp_path: Path) -> None:
    pytest.importorskip("pymysql", reason="no driver for MySQL here: pip install pymysql")
    uri = f"mysql+pymysql://team:{WRONG}@db.invalid:3306/mlflow"
    said = refusal(tmp_path, uri, "artifacts", "--wait", "1")
    assert "The database's host 'db.invalid' has no address here." in said
    assert "getent hosts db.invalid" in said
    hides_secrets(said)


def test_a_database_that_comes_up_late_is_waited_for(database: Database, tmp_path: Path) -> None:
    uri = database.fresh()
    database.kill()
    server = begin(tmp_path, uri, "artifacts", "--wait", "600")
    try:
        while "Waiting for the database at" not in server.said:
            assert server.process.poll() is None, server.said
            threading.Event().wait(0.05)
        database.start()
        ready(server)
    finally:
        server.kill()
        if database.process is None:
            database.start()
    hides_secrets(server.said)


def test_wrong_keys_are_said_at_once(seaweed: Store, tmp_path: Path) -> None:
    given = {**seaweed.environment, "AWS_SECRET_ACCESS_KEY": WRONG}
    said = refusal(tmp_path, "sqlite:///mlflow.db", "s3://mlflow", **given)
    assert "refuses the keys" in said
    assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in said
    hides_secrets(said)


def test_missing_keys_are_said_at_once(seaweed: Store, tmp_path: Path) -> None:
    given = {
        "MLFLOW_S3_ENDPOINT_URL": seaweed.environment["MLFLOW_S3_ENDPOINT_URL"],
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(tmp_path),
    }
    said = refusal(tmp_path, "sqlite:///mlflow.db", "s3://mlflow", **given)
    assert "There are no keys for the bucket 'mlflow'." in said


def test_keys_that_may_not_make_the_bucket_get_the_command_that_does(seaweed: Store, tmp_path: Path) -> None:
    given = {**seaweed.environment, "AWS_ACCESS_KEY_ID": READER}
    said = refusal(tmp_path, "sqlite:///mlflow.db", "s3://not-made-yet", **given)
    assert "may not" in said
    assert "aws s3 mb s3://not-made-yet" in said
    hides_secrets(said)


def test_an_endpoint_where_nobody_answers_is_said_after_the_wait(tmp_path: Path) -> None:
    pytest.importorskip("boto3", reason="no client of S3 here: pip install boto3")
    endpoint = f"http://127.0.0.1:{free_port()}"
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": WRONG, "MLFLOW_S3_ENDPOINT_URL": endpoint}
    said = refusal(tmp_path, "sqlite:///mlflow.db", "s3://mlflow", "--wait", "1", **keys)
    assert f"The store of the bucket 'mlflow', {endpoint}, gives no usable answer." in said
    assert f"curl -i {endpoint}" in said
    hides_secrets(said)


def test_an_address_that_is_none_is_not_shown(tmp_path: Path) -> None:
    said = refusal(tmp_path, f"mysql+pymysql//team:{WRONG}@db/mlflow", "artifacts")
    assert "The address of the database is not understood." in said
    hides_secrets(said)


def test_a_password_on_the_command_line_is_gone_from_the_process_list(database: Database, tmp_path: Path) -> None:
    import psutil

    uri = database.fresh()
    server = begin(tmp_path, "sqlite:///unused.db", "artifacts", "--backend-store-uri", uri)
    try:
        ready(server)
        family = [psutil.Process(server.process.pid), *psutil.Process(server.process.pid).children(recursive=True)]
        lines = [" ".join(process.cmdline()) for process in family]
    finally:
        server.kill()
    assert "tracking-server" in lines[0]
    assert not any(uri in line or PASSWORD in line for line in lines)
    assert database.ask("SELECT count(*) FROM experiments", uri) == [(1,)], "it serves the database that was named"


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refusal(tmp_path, "sqlite:///mlflow.db", "artifacts", "--port", str(port))
    assert f"MLflow's server cannot listen on 127.0.0.1:{port}. Nothing was started." in said
    assert "Another program listens there." in said


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_an_at_sign_in_a_password_is_said_at_once_and_no_part_of_it_is_shown(kind: str, tmp_path: Path) -> None:
    said = refusal(tmp_path, f"{kind}://team:{WRONG}@hidden-tail@127.0.0.1/mlflow", "artifacts")
    assert "More than one @" in said or "more than one @" in said
    assert "%40" in said
    assert "hidden-tail" not in said
    hides_secrets(said)


def test_postgresql_whose_schema_is_its_owners_alone_gets_the_statement_that_helps(
    postgres: Database, tmp_path: Path
) -> None:
    postgres.ask("DROP DATABASE IF EXISTS owned_by_another")
    postgres.ask("CREATE DATABASE owned_by_another")
    postgres.ask("CREATE ROLE guest LOGIN PASSWORD 'guest-password'")
    uri = f"postgresql://guest:guest-password@127.0.0.1:{postgres.port}/owned_by_another"
    said = refusal(tmp_path, uri, "artifacts")
    assert "'guest' may not make tables in the database 'owned_by_another'" in said
    hides_secrets(said)
    (statement,) = (line for line in said.splitlines() if "ALTER DATABASE" in line)
    postgres.ask(statement[statement.index("ALTER") :].rstrip(";"))
    server = begin(tmp_path, uri, "artifacts")
    try:
        ready(server)
    finally:
        server.kill()
        postgres.ask("DROP DATABASE owned_by_another")
        postgres.ask("DROP ROLE guest")


def test_a_port_of_another_program_is_not_taken_for_a_slow_mysql(tmp_path: Path) -> None:
    pytest.importorskip("pymysql", reason="no driver for MySQL here: pip install pymysql")
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes connections, and says nothing
        uri = f"mysql://team:{WRONG}@127.0.0.1:{deaf.getsockname()[1]}/mlflow"
        said = refusal(tmp_path, uri, "artifacts", "--wait", "1")
    assert "does not answer" in said
    hides_secrets(said)


@pytest.mark.parametrize(
    ("destination", "endpoint", "expected"),
    [
        ("s3:/mlflow", "", "'s3:/mlflow' names no bucket."),
        ("s3://", "", "'s3://' names no bucket."),
        ("s3://mlflow", "127.0.0.1:9", "http://HOST:PORT"),
        ("s3://mlflow", "HTTPS", "does not speak https"),
    ],
)
def test_mistakes_in_the_artifacts_address_are_said_at_once(
    destination: str, endpoint: str, expected: str, seaweed: Store, tmp_path: Path
) -> None:
    given = dict(seaweed.environment)
    if endpoint:
        given["MLFLOW_S3_ENDPOINT_URL"] = endpoint.replace(
            "HTTPS", given["MLFLOW_S3_ENDPOINT_URL"].replace("http:", "https:")
        )
    said = refusal(tmp_path, "sqlite:///mlflow.db", destination, "--wait", "600", **given)
    assert expected in said
    hides_secrets(said)
