"""doctor --fix, beyond artifact locations: each fix is shown first, changes nothing until --yes, and then helps."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_line import trilho, trilho_json, write_project
from conftest import free_port
from docker_engine import Engine, engine
from integration.doctor.conftest import Diagnose, PlainServers
from older_mlflow import newest, older
from team_databases import PASSWORD, Database
from team_store import SECRET_KEY, Store
from trilho.platform.doctor.site import Site
from trilho.platform.doctor.written import allowing, readdressing
from trilho.platform.service import silent
from trilho.wire import connect


def test_a_missing_bucket_is_made(seaweed: Store, tmp_path: Path) -> None:
    known = {**seaweed.environment, "MLFLOW_ARTIFACTS_DESTINATION": "s3://made-by-doctor/team"}
    shown = trilho(tmp_path, "doctor", "--fix", code=1, **known)
    assert "Make the bucket 'made-by-doctor'" in shown.stdout
    assert "made-by-doctor" not in buckets(seaweed)
    done = trilho(tmp_path, "doctor", "--fix", "--yes", code=0, **known)
    assert "The bucket 'made-by-doctor' is there." in done.stdout
    assert "made-by-doctor" in buckets(seaweed)
    assert SECRET_KEY not in shown.stdout + shown.stderr + done.stdout + done.stderr
    found = {check["name"]: check for check in trilho_json(tmp_path, "doctor", code=0, **known)["checks"]}
    assert found["bucket"]["state"] == "ok"


@pytest.mark.parametrize("kind", ["sqlite", "mariadb", "postgres"])
def test_an_older_mlflows_tables_are_copied_and_migrated(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server: Database | None = None if kind == "sqlite" else request.getfixturevalue(kind)
    uri = server.fresh() if server else f"sqlite:///{tmp_path / 'mlflow.db'}"
    revision = older(uri)
    known = {"MLFLOW_BACKEND_STORE_URI": uri, "MLFLOW_ARTIFACTS_DESTINATION": str(tmp_path / "artifacts")}
    shown = trilho(tmp_path, "doctor", "--fix", code=1, **known)
    assert "Copy" in shown.stdout
    assert "migrate it" in shown.stdout
    assert schema(server, uri, tmp_path) == revision
    done = trilho(tmp_path, "doctor", "--fix", "--yes", **known)
    assert schema(server, uri, tmp_path) == newest()
    assert [stat.S_IMODE(made.stat().st_mode) for made in tmp_path.glob("before-doctor-*")] == [0o700]
    (copy,) = (file for file in tmp_path.glob("before-doctor-*/database.*"))
    if server is None:
        with closing(sqlite3.connect(copy)) as database:
            assert database.execute("SELECT version_num FROM alembic_version").fetchone() == (revision,)
    else:
        assert revision in copy.read_text(encoding="utf-8", errors="replace")
    assert PASSWORD not in shown.stdout + shown.stderr + done.stdout + done.stderr
    assert trilho(tmp_path, "doctor", **known).stdout.startswith("Healthy")


def test_a_listening_address_is_put_right_where_it_is_written(start_mlflow: PlainServers, tmp_path: Path) -> None:
    port = start_mlflow(tmp_path).rpartition(":")[2]
    project = write_project(tmp_path / "churn", "churn", {"tracking_uri": f"http://0.0.0.0:{port}"})
    settings, secret = project / "trilho.yaml", project / ".env"
    secret.write_bytes(
        f"# not http://0.0.0.0:{port}\r\nTOKEN=abc\r\nMLFLOW_TRACKING_URI=http://0.0.0.0:{port}\r\n".encode()
    )
    secret.chmod(0o600)
    before = settings.read_text(encoding="utf-8")
    shown = trilho(project, "doctor", "--fix", code=1)
    assert f"MLFLOW_TRACKING_URI: http://0.0.0.0:{port} → http://127.0.0.1:{port} in .env" in shown.stdout
    assert settings.read_text(encoding="utf-8") == before
    trilho(project, "doctor", "--fix", "--yes")
    assert settings.read_text(encoding="utf-8") == before.replace("0.0.0.0", "127.0.0.1")
    assert secret.read_bytes() == (
        f"# not http://0.0.0.0:{port}\r\nTOKEN=abc\r\nMLFLOW_TRACKING_URI=http://127.0.0.1:{port}\r\n".encode()
    )
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert sorted(path.name for path in project.glob("*.new")) == []
    assert "listening-address" not in trilho(project, "doctor", code=None).stdout


def test_a_wrong_port_is_put_right_where_the_other_server_knows_the_project(
    start_mlflow: PlainServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trilho.platform.doctor import CHECKS, examine, server

    right, wrong = start_mlflow(tmp_path), f"http://127.0.0.1:{free_port()}"
    monkeypatch.setattr(server, "USUAL_PORTS", (int(right.rpartition(":")[2]),))  # 5000 may be somebody's here
    project = tmp_path / "churn"
    project.mkdir()
    (project / ".env").write_text(f'MLFLOW_TRACKING_URI="{wrong}"\n', encoding="utf-8")
    site = Site(root=project, tracking_uri=wrong, environment={}, experiment="churn")
    stranger = {f.name: f for f in examine(site, CHECKS)}["wrong-port"]
    assert right in stranger.remedy
    assert stranger.fix is None  # ours may only be down, and that one somebody else's
    with connect(right) as client:
        client.post("experiments/create", {"name": "churn"})
    fix = {f.name: f for f in examine(site, CHECKS)}["wrong-port"].fix
    assert fix is not None
    fix.act(silent)
    assert (project / ".env").read_text(encoding="utf-8") == f'MLFLOW_TRACKING_URI="{right}"\n'


def test_a_refused_name_joins_those_of_the_compose_folder(
    diagnose: Diagnose, start_mlflow: PlainServers, tmp_path: Path
) -> None:
    address = start_mlflow(tmp_path, environment={"MLFLOW_SERVER_ALLOWED_HOSTS": "mlflow,mlflow:*"})
    server = tmp_path / "server"
    server.mkdir()
    (server / "compose.yml").write_text("services: {}\n", encoding="utf-8")
    (server / ".env").write_text("A=1\nMLFLOW_SERVER_ALLOWED_HOSTS=localhost\nB=2\n", encoding="utf-8")
    fix = diagnose(tracking_uri=address)["host-refused"].fix
    assert fix is not None
    assert "docker compose up -d mlflow" in fix.does
    fix.act(silent)
    text = (server / ".env").read_text(encoding="utf-8")
    assert text == "A=1\nMLFLOW_SERVER_ALLOWED_HOSTS=localhost,127.0.0.1\nB=2\n"
    assert diagnose(tracking_uri=address)["host-refused"].fix is None  # it is there; the server was not started anew


@pytest.mark.parametrize("written", ['"a,b"', "'a,b'", "a,b  # ours", "a, b", "a,b\nMLFLOW_SERVER_ALLOWED_HOSTS='c'"])
def test_names_that_are_not_written_plainly_are_left_to_a_person(written: str, tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text("services: {}\n", encoding="utf-8")
    (tmp_path / ".env").write_text(f"MLFLOW_SERVER_ALLOWED_HOSTS={written}\nB=2\n", encoding="utf-8")
    assert allowing(Site(root=tmp_path, environment={}), "new") is None


@pytest.mark.parametrize(("before", "after"), [("", "new"), ("a,b:*", "a,b:*,new"), ("a\r", "a,new\r")])
def test_a_name_is_added_to_those_that_are_written_plainly(before: str, after: str, tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text("services: {}\n", encoding="utf-8")
    (tmp_path / ".env").write_bytes(f"MLFLOW_SERVER_ALLOWED_HOSTS={before}\n\nB=2".encode())
    fix = allowing(Site(root=tmp_path, environment={}), "new")
    assert fix is not None
    fix.act(silent)
    assert (tmp_path / ".env").read_bytes() == f"MLFLOW_SERVER_ALLOWED_HOSTS={after}\n\nB=2".encode()


def test_only_the_setting_that_is_wrong_is_written_anew(tmp_path: Path) -> None:
    """One address, three servers' names: all but MLflow's are right with it, or have a finding of their own."""
    wrong, right = "http://127.0.0.1:9", "http://127.0.0.1:5000"
    lines = "MLFLOW_S3_ENDPOINT_URL=ADDRESS\nPROMETHEUS_URL=ADDRESS\nOTHER_MLFLOW_TRACKING_URI=ADDRESS\n"
    project = tmp_path / "churn"
    project.mkdir()
    (project / ".env").write_text(f"{lines}export MLFLOW_TRACKING_URI='ADDRESS' # here\n".replace("ADDRESS", wrong))
    (project / "trilho.yaml").write_text(f"data:\n  source: {wrong}\ntracking_uri: {wrong}\n")
    fix = readdressing(Site(root=project, environment={}), {"tracking_uri": (wrong, right)})
    assert fix is not None
    fix.act(silent)
    told = (project / ".env").read_text()
    assert told == lines.replace("ADDRESS", wrong) + f"export MLFLOW_TRACKING_URI='{right}' # here\n"
    assert (project / "trilho.yaml").read_text() == f"data:\n  source: {wrong}\ntracking_uri: {right}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="owners of POSIX")
def test_a_file_that_is_rewritten_with_sudo_keeps_its_owner_and_its_neighbours(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("sudo is root: run as root")
    secret, old, new = tmp_path / ".env", "http://0.0.0.0:5000", "http://127.0.0.1:5000"
    secret.write_text(f"MLFLOW_TRACKING_URI={old}\n", encoding="utf-8")
    os.chown(secret, 4242, 4343)
    secret.chmod(0o640)
    (tmp_path / ".env.new").write_text("mine", encoding="utf-8")
    fix = readdressing(Site(root=tmp_path, environment={}), {"MLFLOW_TRACKING_URI": (old, new)})
    assert fix is not None
    fix.act(silent)
    found = secret.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (4242, 4343, 0o640)
    assert secret.read_text(encoding="utf-8") == f"MLFLOW_TRACKING_URI={new}\n"
    assert (tmp_path / ".env.new").read_text(encoding="utf-8") == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env", ".env.new"]


def test_a_fix_is_chosen_by_the_name_of_its_check(tmp_path: Path) -> None:
    old = "http://0.0.0.0:9"
    (tmp_path / ".env").write_text(f"MLFLOW_TRACKING_URI={old}\n", encoding="utf-8")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    revision = older(uri)
    known = {"MLFLOW_BACKEND_STORE_URI": uri, "MLFLOW_ARTIFACTS_DESTINATION": str(tmp_path / "artifacts")}
    known["MLFLOW_TRACKING_URI"] = old
    words = ["doctor", "--fix", "--yes", "--only", "listening-address"]
    done = trilho_json(tmp_path, *words, **known)
    assert [fix["check"] for fix in done["fixes"]] == ["listening-address"]
    assert "127.0.0.1" in (tmp_path / ".env").read_text(encoding="utf-8")
    assert schema(None, uri, tmp_path) == revision
    assert list(tmp_path.glob("before-doctor-*")) == []
    assert "there is no such check" in trilho(tmp_path, "doctor", "--fix", "--only", "adress", code=2, **known).stderr
    assert trilho(tmp_path, "doctor", "--only", "disk", code=2, **known).stdout == ""


def test_stopped_containers_give_their_names_back_and_running_ones_stay(docker: Engine, tmp_path: Path) -> None:
    write_project(tmp_path, "churn", {})
    (tmp_path / "compose.yml").write_text(
        "services:\n  mlflow: {image: 'busy:1', container_name: my_mlflow}\n"
        "  db: {image: 'busy:1', container_name: my_db}\n",
        encoding="utf-8",
    )
    docker.docker("create", "--network=none", "--name", "my_mlflow", "busy:1", "/busy")
    docker.docker("cp", str(tmp_path / "trilho.yaml"), "my_mlflow:/mlflow.db")  # in the container's own layer
    docker.docker("create", "--network=none", "--name", "mlflow_db", "busy:1", "/busy")  # nothing wants its name
    docker.docker("run", "-d", "--network=none", "--name", "my_db", "busy:1", "/busy")
    known = {"DOCKER_HOST": docker.address}
    shown = trilho(tmp_path, "doctor", "--fix", code=1, **known).stdout
    assert "Rename what is stopped, with what is in it: my_mlflow → my_mlflow-before-" in shown
    trilho(tmp_path, "doctor", "--fix", "--yes", **known)
    names = sorted(docker.docker("ps", "-a", "--format", "{{.Names}}").split())
    assert [name.split("-before-")[0] for name in names] == ["mlflow_db", "my_db", "my_mlflow"]
    assert names[2] != "my_mlflow"
    docker.docker("cp", f"{names[2]}:/mlflow.db", str(tmp_path / "saved"))
    assert (tmp_path / "saved").read_bytes() == (tmp_path / "trilho.yaml").read_bytes()
    docker.docker("rm", "-f", *names)


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory) -> object:
    """A Docker engine of our own, with an image of one program that runs until it is killed."""
    folder = tmp_path_factory.mktemp("image")
    (folder / "busy.c").write_text("int pause(void); int main(void) { for (;;) pause(); }\n", encoding="utf-8")
    built = subprocess.run(
        ["cc", "-static", "-o", folder / "busy", folder / "busy.c"], capture_output=True, check=False
    )
    if built.returncode:
        pytest.skip("no C compiler here: apt-get install gcc libc6-dev")
    subprocess.run(["tar", "-C", folder, "-cf", folder / "busy.tar", "busy"], check=True)
    with engine() as made:
        made.docker("import", str(folder / "busy.tar"), "busy:1")
        yield made


@given(before=st.integers(1, 99), others=st.lists(st.sampled_from("0123456789a.:-/ '\""), max_size=4).map("".join))
def test_only_the_whole_address_is_written_anew(
    tmp_path_factory: pytest.TempPathFactory, before: int, others: str
) -> None:
    folder = tmp_path_factory.mktemp("env")
    old, new = f"http://h:{before}", "http://h:5000"
    text = f"MLFLOW_TRACKING_URI={old}{others}\n"
    (folder / ".env").write_text(text, encoding="utf-8")
    fix = readdressing(Site(root=folder, environment={}), {"MLFLOW_TRACKING_URI": (old, new)})
    goes_on = bool(others) and others[0] in "0123456789a.:-/"
    assert (fix is None) == goes_on
    if fix is not None:
        fix.act(silent)
        assert (folder / ".env").read_text(encoding="utf-8") == f"MLFLOW_TRACKING_URI={new}{others}\n"


def buckets(store: Store) -> list[str]:
    return [found["Name"] for found in store.client().list_buckets()["Buckets"]]


def schema(server: Database | None, uri: str, folder: Path) -> str:
    if server is not None:
        return str(server.ask("SELECT version_num FROM alembic_version", uri)[0][0])
    with closing(sqlite3.connect(folder / "mlflow.db")) as database:
        return str(database.execute("SELECT version_num FROM alembic_version").fetchone()[0])
