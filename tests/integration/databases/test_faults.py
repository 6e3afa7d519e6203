"""What breaks while clients write: database, store or server gone. What was spooled arrives whole, and once."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conftest import free_port
from team_databases import Database
from team_server import TeamServer, serving
from team_store import SECRET_KEY, Store
from trilho.errors import ServerRefused, ServerUnreachable
from trilho.tracking import SpooledRun, send, send_records, start_run
from trilho.wire import Client, connect, download

pytestmark = pytest.mark.slow

SECONDS = 600  # a bound for a machine that hangs, not a wish
CLIENTS, RUNS, POINTS = 4, 5, 200


@pytest.fixture
def server(database: Database, seaweed: Store) -> Iterator[TeamServer]:
    with serving(database.fresh(), "s3://faults", **seaweed.environment) as found:
        yield found


def spooled(spool: Path, experiment: str, file: bytes = b"") -> SpooledRun:
    run = start_run(spool, experiment=experiment, name="n", tags={})
    for step in range(POINTS if not file else 1):
        run.metrics({"loss": step / 3}, step=step)
    if file:
        (spool / "big.bin").write_bytes(file)
        run.artifact("big.bin", spool / "big.bin")
    run.finish("FINISHED")
    return run


def sent_at_last(address: str, folder: Path) -> str:
    """As trilho does it at each command: sent again until it is through."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            with connect(address, seconds=60) as client:
                return send(client, folder).run_id
        except (ServerUnreachable, ServerRefused):
            assert time.monotonic() < deadline
            time.sleep(0.2)


def runs_of(client: Client, experiment: str) -> list[str]:
    found = client.get("experiments/get-by-name", {"experiment_name": experiment})["experiment"]["experiment_id"]
    runs = client.post("runs/search", {"experiment_ids": [found], "max_results": 1000}).get("runs", [])
    return [run["info"]["run_id"] for run in runs]


def test_a_database_killed_and_restarted_under_load_loses_and_doubles_nothing(
    database: Database, server: TeamServer, tmp_path: Path
) -> None:
    runs = [spooled(tmp_path / f"{place}", "killed") for place in range(CLIENTS * RUNS)]
    with ThreadPoolExecutor(CLIENTS) as clients:
        arriving = [clients.submit(sent_at_last, server.address, run.folder) for run in runs]
        while not any(each.done() for each in arriving):
            time.sleep(0.01)
        assert not all(each.done() for each in arriving)
        database.kill()
        time.sleep(0.5)  # some find it gone
        database.start()
        sent = {each.result(SECONDS) for each in arriving}
    assert server.process.poll() is None, "the server lived through it"
    with connect(server.address) as client:
        assert set(runs_of(client, "killed")) == sent
        assert len(sent) == len(runs)
        for run_id in sent:
            found = client.get("metrics/get-history", {"run_id": run_id, "metric_key": "loss"})["metrics"]
            assert sorted(point["step"] for point in found) == list(range(POINTS))


class Deadly(io.BytesIO):
    """A file that ends the store when half of it was read."""

    def __init__(self, content: bytes, store: Store) -> None:
        super().__init__(content)
        self._half, self._store = len(content) // 2, store

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() >= self._half:
            self._store.kill()
        return super().read(size)


def test_a_store_that_goes_down_during_an_upload_gets_the_file_whole_later(
    server: TeamServer, seaweed: Store, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 80_000  # 20 MB
    run = spooled(tmp_path / "spool", "store-down", content)
    with connect(server.address, seconds=120) as client:
        run_id = send_records(client, run.folder)
        root = client.get("runs/get", {"run_id": run_id})["run"]["info"]["artifact_uri"]
        path = f"/api/2.0/mlflow-artifacts/artifacts/{root.partition(':/')[2].strip('/')}/big.bin"
        try:
            with pytest.raises((ServerRefused, ServerUnreachable)):
                client.send_file(path, Deadly(content, seaweed), len(content))
            with pytest.raises((ServerRefused, ServerUnreachable)):
                send(client, run.folder)
        finally:
            seaweed.start()
    assert sent_at_last(server.address, run.folder) == run_id
    with connect(server.address) as client:
        assert runs_of(client, "store-down") == [run_id]
        download(client, root, "big.bin", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == content
    assert SECRET_KEY not in server.said


def test_a_server_killed_between_rows_and_artifact_is_caught_up_with_after_its_restart(
    database: Database, seaweed: Store, tmp_path: Path
) -> None:
    uri, port = database.fresh(), free_port()
    run = spooled(tmp_path / "spool", "server-killed", b"content")
    with serving(uri, "s3://faults", port=port, **seaweed.environment) as first:
        with connect(first.address) as client:
            run_id = send_records(client, run.folder)
        first.kill()
        with connect(first.address) as client, pytest.raises(ServerUnreachable):
            send(client, run.folder)
    with serving(uri, "s3://faults", port=port, **seaweed.environment) as second, connect(second.address) as client:
        assert send(client, run.folder).run_id == run_id
        assert runs_of(client, "server-killed") == [run_id]
        assert [item["path"] for item in client.get("artifacts/list", {"run_id": run_id})["files"]] == ["big.bin"]
