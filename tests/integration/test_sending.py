"""From the spool to a real MLflow server: everything arrives, each run once, whatever is killed on the way."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import start_mlflow, stop
from trilho.errors import ServerUnreachable, SpoolDamaged
from trilho.tracking import SpooledRun, is_alive, read_header, send, send_records, start_run, waiting
from trilho.wire import Client, connect


@pytest.fixture
def client(mlflow_server: str) -> Iterator[Client]:
    with connect(mlflow_server) as found:
        yield found


def spooled(spool: Path, experiment: str = "sending", clock: Callable[[], float] | None = None) -> SpooledRun:
    """A run with one of everything."""
    run = start_run(
        spool, experiment=experiment, name="first", tags={"a": "b"}, clock=clock or (lambda: 1_700_000_000.0)
    )
    run.params({"max_depth": 6, "long": "x" * 10_000})
    run.metrics({"test_f1": 0.9, "odd": float("nan")})
    run.dataset({"name": "d", "digest": "abc", "source_type": "local", "source": "{}"}, "training")
    (spool / "plot.txt").write_text("a figure", encoding="utf-8")
    run.artifact("figures/plot.txt", spool / "plot.txt")
    model = spool / "made"
    model.mkdir(exist_ok=True)
    (model / "MLmodel").write_text("flavors: {}\nmodel_id: null\n", encoding="utf-8")
    (model / "weights.bin").write_bytes(b"\x00" * 1000)
    run.model(model, name="model", model_type="sklearn", params={"max_depth": 6})
    run.finish("FINISHED")
    return run


def runs(client: Client, key: str) -> list[dict[str, Any]]:
    ids = [found["experiment_id"] for found in client.get("experiments/search", {"max_results": 100})["experiments"]]
    query = {"experiment_ids": ids, "filter": f"tags.`trilho.run_key` = '{key}'"}
    return list(client.post("runs/search", query).get("runs", []))


def test_everything_arrives_with_its_times(client: Client, tmp_path: Path) -> None:
    run = spooled(tmp_path)
    sent = send(client, run.folder)
    found = client.get("runs/get", {"run_id": sent.run_id})["run"]
    assert found["info"]["status"] == "FINISHED"
    assert found["info"]["start_time"] == found["info"]["end_time"] == 1_700_000_000_000
    params = {param["key"]: param["value"] for param in found["data"]["params"]}
    assert params["max_depth"] == "6"
    assert len(params["long"]) == 6000
    metrics = {metric["key"]: metric for metric in found["data"]["metrics"]}
    assert metrics["test_f1"]["value"] == 0.9
    assert metrics["test_f1"]["timestamp"] == 1_700_000_000_000
    assert metrics["odd"]["value"] == "NaN"
    assert found["inputs"]["dataset_inputs"][0]["dataset"]["digest"] == "abc"
    assert [item["path"] for item in client.get("artifacts/list", {"run_id": sent.run_id})["files"]] == ["figures"]
    assert sent.model is not None
    assert [output["model_id"] for output in found["outputs"]["model_outputs"]] == [sent.model.model_id]
    model = client.get(f"logged-models/{sent.model.model_id}")["model"]["info"]
    assert model["status"] == "LOGGED_MODEL_READY"


def test_mlmodel_carries_the_ids_that_the_server_gave(client: Client, tmp_path: Path) -> None:
    from trilho.wire import download

    sent = send(client, spooled(tmp_path).folder)
    assert sent.model is not None
    download(client, sent.model.artifact_root, "MLmodel", tmp_path / "back")
    text = (tmp_path / "back").read_text(encoding="utf-8")
    assert f"model_id: {sent.model.model_id}" in text
    assert f"run_id: {sent.run_id}" in text


def test_sending_twice_gives_one_run_and_one_model(client: Client, tmp_path: Path) -> None:
    run = spooled(tmp_path)
    first, second = send(client, run.folder), send(client, run.folder)
    assert first == second
    assert len(runs(client, run.header.key)) == 1


def test_forgotten_acknowledgements_give_one_run_and_one_model(client: Client, tmp_path: Path) -> None:
    run = spooled(tmp_path)
    first = send(client, run.folder)
    (run.folder / "sent.jsonl").unlink()
    assert send(client, run.folder) == first
    found = runs(client, run.header.key)
    assert len(found) == 1
    assert len(found[0]["outputs"]["model_outputs"]) == 1


def test_sender_killed_after_any_acknowledgement_loses_and_doubles_nothing(client: Client, tmp_path: Path) -> None:
    whole = spooled(tmp_path / "whole")
    send(client, whole.folder)
    lines = (whole.folder / "sent.jsonl").read_bytes().splitlines(keepends=True)
    for cut in range(len(lines)):
        run = spooled(tmp_path / f"cut{cut}")
        script = f"""
            import sys, os, pathlib
            from trilho.tracking import send
            import trilho.tracking.sending as sending
            from trilho.wire import connect
            left = [{cut}]
            real = sending.mark_sent
            def dying(folder, **fact):
                if left[0] == 0:
                    os.kill(os.getpid(), 9)
                left[0] -= 1
                real(folder, **fact)
            sending.mark_sent = dying
            send(connect({client.address.shown!r}), pathlib.Path({str(run.folder)!r}))
        """
        died = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, check=False)
        assert died.returncode == -9, died.stderr
        send(client, run.folder)
        found = runs(client, run.header.key)
        assert len(found) == 1, cut
        assert found[0]["info"]["status"] == "FINISHED"
        assert len(found[0]["outputs"]["model_outputs"]) == 1, cut
        assert len(found[0]["inputs"]["dataset_inputs"]) == 1, cut


def test_two_senders_at_once_send_a_run_once(client: Client, tmp_path: Path) -> None:
    run = spooled(tmp_path)
    script = (
        "import sys, pathlib\nfrom trilho.tracking import send\nfrom trilho.wire import connect\n"
        f"send(connect({client.address.shown!r}), pathlib.Path({str(run.folder)!r}))"
    )
    rivals = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(4)]
    assert [rival.wait(300) for rival in rivals] == [0, 0, 0, 0]
    assert len(runs(client, run.header.key)) == 1


def test_server_killed_half_way_is_caught_up_after_its_restart(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    process, address = start_mlflow(tmp_path / "server")
    run = spooled(tmp_path / "spool")
    with connect(address, seconds=3) as client:
        run_id = send_records(client, run.folder)
        stop(process)
        with pytest.raises(ServerUnreachable):
            send(client, run.folder)
    process, address = start_mlflow(tmp_path / "server")
    try:
        with connect(address) as client:
            assert send(client, run.folder).run_id == run_id
            assert len(runs(client, run.header.key)) == 1
    finally:
        stop(process)


def test_run_of_a_killed_process_arrives_as_killed(client: Client, tmp_path: Path) -> None:
    script = f"""
        import os, pathlib
        from trilho.tracking import start_run
        run = start_run(pathlib.Path({str(tmp_path)!r}), experiment="killed", name="n", tags={{}})
        run.metrics({{"train_f1": 0.5}})
        os.kill(os.getpid(), 9)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    (folder,) = waiting(tmp_path)
    with (folder / "log.jsonl").open("ab") as log:
        log.write(b'{"kind": "metrics", "val')
    assert not is_alive(folder)
    sent = send(client, folder)
    found = client.get("runs/get", {"run_id": sent.run_id})["run"]
    assert found["info"]["status"] == "KILLED"
    assert found["data"]["metrics"][0]["value"] == 0.5


def test_living_run_is_seen_as_alive(tmp_path: Path) -> None:
    run = start_run(tmp_path, experiment="e", name="n", tags={})
    script = (
        "import pathlib, sys; from trilho.tracking import is_alive\n"
        f"sys.exit(is_alive(pathlib.Path({str(run.folder)!r})))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 1
    run.finish("FAILED")
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_records_sent_while_running_are_not_sent_again(client: Client, tmp_path: Path) -> None:
    run = start_run(tmp_path, experiment="live", name="n", tags={})
    run.metrics({"train_f1": 0.5})
    run_id = send_records(client, run.folder)
    assert client.get("runs/get", {"run_id": run_id})["run"]["info"]["status"] == "RUNNING"
    run.metrics({"test_f1": 0.4})
    run.finish("FINISHED")
    send(client, run.folder)
    found = client.get("runs/get", {"run_id": run_id})["run"]
    assert {metric["key"] for metric in found["data"]["metrics"]} == {"train_f1", "test_f1"}


def test_deleted_experiment_is_used_again(client: Client, tmp_path: Path) -> None:
    first = send(client, spooled(tmp_path / "one", experiment="gone").folder)
    client.post("experiments/delete", {"experiment_id": first.experiment_id})
    second = send(client, spooled(tmp_path / "two", experiment="gone").folder)
    assert second.experiment_id == first.experiment_id


def test_damaged_header_names_the_folder(tmp_path: Path) -> None:
    run = spooled(tmp_path)
    (run.folder / "run.json").write_text("{half", encoding="utf-8")
    with pytest.raises(SpoolDamaged, match=run.folder.name):
        read_header(run.folder)


def test_header_is_what_was_written(tmp_path: Path) -> None:
    run = start_run(tmp_path, experiment="ünï", name="n", tags={"k": "v"})
    assert read_header(run.folder) == run.header
    assert json.loads((run.folder / "run.json").read_text(encoding="utf-8"))["experiment"] == "ünï"
