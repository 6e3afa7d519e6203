"""A server that follows the champion by itself: real processes, a real registry, answers that say who gave them."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line import trilho
from conftest import free_port, start_mlflow, stop
from serving_process import JSON, ROW, Load, Registry, broken, registered, serving, until, versioned
from small_disk import small_disk

OFTEN = ("--set", "serve.reload_every=200ms")


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("bundles")
    return [versioned(number, folder) for number in (1, 2, 3)]


@pytest.fixture
def model(mlflow_server: str, bundles: list[Path]) -> Iterator[Registry]:
    """A model with two versions, the first of them champion."""
    with registered(mlflow_server) as found:
        for bundle in bundles[:2]:
            found.ship(bundle)
        found.promote(1)
        yield found


def test_no_answer_fails_or_is_wrongly_labelled_while_the_champion_changes_20_times(
    model: Registry, tmp_path: Path
) -> None:
    words = ("--model", model.champion, "--workers", "2", *OFTEN)
    with serving(tmp_path, *words, server=model.address) as server, Load(server) as load:
        for turn in range(20):
            wanted = "2" if turn % 2 == 0 else "1"
            if wanted == "2":
                model.promote(2)
            else:
                model.rollback()
            until(lambda wanted=wanted: server.health()["server"]["version"] == wanted, f"v{wanted} in charge")  # type: ignore[misc]
        state = server.health()["server"]
    assert load.wrong == []
    assert min(load.answers.values()) > 20
    assert set(load.answers) == {"1", "2"}
    assert (state["reloads"], state["failures"], state["promotion"]["kind"]) == (20, 0, "rolled back")
    assert state["swap_seconds"] is not None
    assert f"{model.name} v2 is in charge, was v1 (promoted by ana: better)." in server.log


def test_version_that_does_not_load_leaves_the_old_one_in_charge(
    model: Registry, bundles: list[Path], tmp_path: Path
) -> None:
    bad = model.ship(broken(bundles[2], tmp_path / "broken.tar"))
    good = model.ship(versioned(4, tmp_path))
    soon = ("--set", "serve.reload_every=1s")  # attempts are seconds apart: none is missed between two looks
    with serving(tmp_path / "here", "--model", model.champion, *soon, server=model.address) as server:
        model.promote(bad)
        failed = until(lambda: (found := server.health()["server"])["last_failure"] and found, "the failure")
        assert (failed["version"], failed["last_failure"]["version"]) == ("1", "3")
        assert "onnxruntime does not take the compiled model" in failed["last_failure"]["text"]
        assert server.version() == "1"
        assert "v3 cannot be served" in server.log
        assert b"trilho_reload_failures_total" in server.ask("GET", "/metrics")[2]
        until(lambda: server.health()["server"]["failures"] == 2, "another attempt")
        assert server.health()["server"]["failures"] == 2, "with pauses that grow"
        model.promote(good)
        until(lambda: server.version() == "4", "the one that loads")


def test_start_on_a_version_that_does_not_load_goes_back_to_the_last_known(
    model: Registry, bundles: list[Path], tmp_path: Path
) -> None:
    with serving(tmp_path / "here", "--model", model.champion, server=model.address) as server:
        assert server.version() == "1"
        server.stop()
    model.promote(model.ship(broken(bundles[2], tmp_path / "broken.tar")))
    soon = ("--set", "serve.reload_every=5s")  # the second attempt is not before the first was looked at
    with serving(tmp_path / "here", "--model", model.champion, *soon, server=model.address) as server:
        assert server.version() == "1"
        assert until(lambda: server.health()["server"]["failures"], "the failure") == 1


def test_only_version_that_does_not_load_is_an_error_that_says_so(
    mlflow_server: str, bundles: list[Path], tmp_path: Path
) -> None:
    with registered(mlflow_server) as model:
        model.promote(model.ship(broken(bundles[2], tmp_path / "broken.tar")))
        words = ("serve", "--port", "0", "--model", model.champion)
        done = trilho(tmp_path, *words, server=model.address, code=1)
    assert "onnxruntime does not take the compiled model" in done.stderr
    assert "Traceback" not in done.stderr


def test_server_waits_for_a_first_champion_and_says_so_meanwhile(
    mlflow_server: str, bundles: list[Path], tmp_path: Path
) -> None:
    with registered(mlflow_server) as model:
        words = ("--model", model.champion, "--wait", *OFTEN)
        with serving(tmp_path, *words, server=model.address) as server:
            assert server.log.startswith("Waiting")
            status, _, body = server.ask("POST", "/invocations", ROW, JSON)
            assert (status, "trilho run" in json.loads(body)["message"]) == (503, True)
            assert server.ask("GET", "/ping")[0] == 503
            assert server.health()["status"].startswith("waiting")
            number = model.ship(bundles[0])
            model.promote(number)
            until(lambda: server.ask("GET", "/ping")[0] == 200, "a first model")
            assert server.version() == "1"
            assert server.health()["server"]["promotion"]["who"] == "ana"


def test_missing_champion_is_an_error_for_who_does_not_wait(mlflow_server: str, tmp_path: Path) -> None:
    done = trilho(tmp_path, "serve", "--port", "0", "--model", "models:/nobody@champion", server=mlflow_server, code=1)
    assert "nobody" in done.stderr


def test_registry_that_goes_away_and_comes_back_changes_nothing(bundles: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "mlflow"
    folder.mkdir()
    process, address = start_mlflow(folder)
    port = int(address.rsplit(":", 1)[1])
    try:
        with registered(address) as model:
            for bundle in bundles[:2]:
                model.ship(bundle)
            model.promote(1)
            words = ("--model", model.champion, *OFTEN)
            with serving(tmp_path / "here", *words, server=address) as server:
                assert server.version() == "1"
                stop(process)
                until(lambda: server.health()["server"]["registry_reachable"] is False, "that it is gone")
                assert server.version() == "1"
                assert server.log.count("v1 stays in charge") == 1, "said once, not every 200 ms"
                server.stop()
            with serving(tmp_path / "here", *words, server=address) as server:
                assert server.version() == "1", "a restart serves the last champion"
                assert "This is the last version known" in server.log
                process, _ = start_mlflow(folder, port)
                until(lambda: server.health()["server"]["registry_reachable"], "that it is back")
                assert "The registry answers again" in server.log
                model.client.close()
                model.promote(2)
                until(lambda: server.version() == "2", "the next champion")
    finally:
        stop(process)


def test_bundle_that_is_damaged_on_disk_before_it_is_loaded_is_fetched_anew(model: Registry, tmp_path: Path) -> None:
    with serving(tmp_path, "--model", model.champion, *OFTEN, server=model.address) as server:
        [file] = (tmp_path / ".trilho" / "serving" / "bundles").glob("*.tar")
        whole = file.read_bytes()
        file.write_bytes(whole[:-2000])
        server.workers[0].kill()  # its successor has to read the file
        until(lambda: "fetched anew" in server.log, "the new file")
        until(lambda: server.version() == "1", "an answer")
        assert file.read_bytes() == whole


def test_version_whose_files_are_gone_from_the_server_is_no_outage(model: Registry, tmp_path: Path) -> None:
    tags = {"trilho.bundle_sha256": "0" * 64, "trilho.bundle_path": "trilho/nothing.tar"}
    first = model.store.get(model.name, 1)
    source = f"models:/{first.model_id}"
    lost = model.store.create(model.name, source=source, run_id=first.run_id, model_id=first.model_id, tags=tags)
    with serving(tmp_path, "--model", model.champion, *OFTEN, server=model.address) as server:
        model.promote(lost.number)
        state = until(lambda: (found := server.health()["server"])["failures"] and found, "the failure")
        assert (state["version"], state["registry_reachable"]) == ("1", True)
        assert server.version() == "1"


def test_full_disk_leaves_the_version_in_charge_and_is_gone_on_from_when_there_is_room(
    model: Registry, tmp_path: Path
) -> None:
    with (
        small_disk(tmp_path / "disk", "size=1m") as disk,
        serving(disk, "--model", model.champion, *OFTEN, server=model.address) as server,
    ):
        assert server.version() == "1"
        ballast = disk / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while file.write(bytes(1024)):
                continue
        model.promote(2)
        until(lambda: "v2 cannot be served" in server.log, "the failure")
        assert server.version() == "1"
        ballast.unlink()
        until(lambda: server.version() == "2", "the champion")
        server.stop()


def test_old_bundles_are_removed_and_those_in_use_are_kept(
    model: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trilho.serving.shelf import clean

    with serving(tmp_path, "--model", model.champion, *OFTEN, server=model.address) as server:
        model.promote(2)
        until(lambda: server.health()["server"]["version"] == "2" and server.version() == "2", "v2")
        folder = tmp_path / ".trilho" / "serving"
        stray = folder / "bundles" / f"{'0' * 64}.tar"
        stray.write_bytes(b"")
        assert clean(folder, young=-1.0) == [stray.name]
        assert len(list((folder / "bundles").glob("*.tar"))) == 2, "in charge, and the one before"
        server.stop()
    assert list(folder.glob("run-*")) == []
    assert len(clean(folder, young=-1.0)) == 1, "only the last champion is needed by the next start"


def test_fixed_version_latest_and_stage_are_served(model: Registry, tmp_path: Path) -> None:
    with serving(tmp_path, "--model", f"models:/{model.name}/2", server=model.address) as server:
        assert server.version() == "2"
    with serving(tmp_path, "--model", f"models:/{model.name}/latest", server=model.address) as server:
        assert server.version() == "2"
    model.store.set_stage(model.name, 1, "Production")
    with serving(tmp_path, "--model", f"models:/{model.name}/Production", server=model.address) as server:
        assert server.version() == "1"


def test_run_is_served_and_needs_no_registry_the_next_time(
    model: Registry, bundles: list[Path], tmp_path: Path
) -> None:
    _, run_id = model.shipped(bundles[2])
    for address in (model.address, f"http://127.0.0.1:{free_port()}"):
        with serving(tmp_path, "--model", f"runs:/{run_id}/model", server=address) as server:
            _, headers, body = server.ask("POST", "/invocations", ROW, JSON)
            assert json.loads(body)["predictions"][0].startswith("3 ")
            assert len(headers["x-model-version"]) == 12, "the beginning of its digest: no version is named"
    done = trilho(tmp_path, "serve", "--model", f"runs:/{run_id}/modle", "--port", "0", server=model.address, code=1)
    assert f"runs:/{run_id}/model." in done.stderr, "what the run did log"


def test_two_servers_of_one_project_do_not_disturb_each_other(model: Registry, tmp_path: Path) -> None:
    words = ("--model", model.champion, *OFTEN)
    with serving(tmp_path, *words, server=model.address) as one, serving(tmp_path, *words, server=model.address) as two:
        one.stop()
        model.promote(2)
        until(lambda: two.version() == "2", "the champion")


def test_nobody_answers_and_nothing_is_here_is_an_error(tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    done = trilho(tmp_path, "serve", "--port", "0", "--model", "models:/m@champion", server=nobody, code=1)
    assert "does not answer" in done.stderr
    done = trilho(tmp_path, "serve", "--port", "0", "--model", "models:/m@champion", code=2)
    assert "MLFLOW_TRACKING_URI" in done.stderr
    shutil.rmtree(tmp_path / ".trilho", ignore_errors=True)
