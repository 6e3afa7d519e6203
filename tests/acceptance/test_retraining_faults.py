"""Retraining when several want to, and when whoever does it is killed: it happens once, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from command_line import environment, trilho
from conftest import free_port, start_mlflow, stop
from retraining_loop import RETRAIN, answered, customers, history, shop
from serving_process import until
from trilho import registry
from trilho.wire import connect

CAUSE = [sys.executable, "-m", "trilho.cli", "monitor"]
TRAINER = """
import time
from pathlib import Path
from sklearn.linear_model import LogisticRegression

def train(X, y):
    with Path("trainings.txt").open("a") as log:
        log.write(f"{len(X)}\\n")
    while Path("hold").exists():
        time.sleep(0.05)
    return LogisticRegression().fit(X, y)
"""


@pytest.fixture
def folder(tmp_path: Path, mlflow_server: str) -> Path:
    return prepared(tmp_path, mlflow_server)


def prepared(tmp_path: Path, server: str, *, takeover: str = "3s") -> Path:
    """A project with a champion that has drifted, and labels; a training lasts as long as there is a file `hold`."""
    name = f"shop-{uuid4().hex[:8]}"
    place = tmp_path / "shop"
    place.mkdir()
    (place / "own.py").write_text(TRAINER, encoding="utf-8")
    shop(place, name, train={"estimator": "own:train"}, retrain={**RETRAIN, "takeover": takeover})
    trilho(place, "run", server=server)
    answered(place, name, "1", customers(2000, moved=1.5, seed=1))
    return place


@contextmanager
def monitor(folder: Path, server: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(CAUSE, cwd=folder, env=environment(server), stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        stop(process)
        assert process.stdout is not None
        process.stdout.close()


def model(folder: Path) -> str:
    return next(line[6:] for line in (folder / "trilho.yaml").read_text().splitlines() if line.startswith("name: "))


def trainings(folder: Path) -> list[int]:
    """Rows of each training, the champion's first."""
    return [int(line) for line in (folder / "trainings.txt").read_text().split()]


def versions(folder: Path, server: str) -> list[int]:
    with connect(server) as client:
        return sorted(version.number for version in registry.open_store(client).versions(model(folder)))


def claims(folder: Path, server: str) -> tuple[registry.Claim, ...]:
    with connect(server) as client:
        return registry.claims(registry.open_store(client), model(folder))


def test_two_monitors_at_once_train_once(tmp_path: Path, mlflow_server: str) -> None:
    folder = prepared(tmp_path, mlflow_server, takeover="10s")
    (folder / "hold").touch()
    with monitor(folder, mlflow_server) as one, monitor(folder, mlflow_server) as other:
        until(lambda: len(trainings(folder)) == 2, "a training")
        time.sleep(11)  # longer than a takeover: the holder gives signs of life
        assert one.poll() is None or other.poll() is None
        assert trilho(folder, "monitor", server=mlflow_server, code=4).stdout.count("was heard of") == 1
        (folder / "hold").unlink()
        said = b"".join(process.communicate(timeout=300)[0] for process in (one, other)).decode()
    assert said.count("v2 is champion") == 1
    assert len(trainings(folder)) == 2
    assert versions(folder, mlflow_server) == [1, 2]
    [claim] = claims(folder, mlflow_server)
    assert (claim.outcome, claim.holders) == ("promoted: v2", 1)
    assert "somebody else began at the same moment" in said or "was heard of" in said


def _claimed(folder: Path, server: str) -> bool:
    return bool(claims(folder, server))


def _training(folder: Path, server: str) -> bool:
    return len(trainings(folder)) == 2


def _registered(folder: Path, server: str) -> bool:
    return versions(folder, server) == [1, 2]


@pytest.mark.parametrize("moment", [_claimed, _training, _registered], ids=lambda moment: moment.__name__)
def test_kill_between_decision_and_the_end_loses_nothing_and_repeats_nothing(
    folder: Path, mlflow_server: str, moment: Callable[[Path, str], bool]
) -> None:
    if moment is _training:
        (folder / "hold").touch()
    with monitor(folder, mlflow_server) as victim:
        until(lambda: moment(folder, mlflow_server), moment.__name__)
        victim.kill()
        victim.wait()
    (folder / "hold").unlink(missing_ok=True)
    [claim] = claims(folder, mlflow_server)
    assert not claim.ended
    early = trilho(folder, "monitor", server=mlflow_server, code=None).stdout
    assert "was heard of" in early or "fell silent" in early
    until(lambda: time.time() - claim.alive > 3.5, "silence")
    if not claims(folder, mlflow_server)[-1].ended:
        trilho(folder, "monitor", server=mlflow_server, code=None)

    first, last = claims(folder, mlflow_server)
    assert (last.first, last.began, last.holders, last.outcome) == (first.number, first.began, 2, "promoted: v2")
    assert versions(folder, mlflow_server) == [1, 2], "the labels are learned from, once"
    rows = trainings(folder)
    assert len(rows) == (3 if moment is _training else 2)
    assert len(set(rows[1:])) == 1, "from the same rows"
    assert [event["kind"] for event in history(folder, mlflow_server)].count("promoted") == 2
    assert "fell silent, taken over" in trilho(folder, "history", server=mlflow_server).stdout
    again = trilho(folder, "monitor", server=mlflow_server, code=None).stdout
    assert "0 new labels" in again


def test_registry_that_falls_silent_meanwhile_leaves_the_rest_to_who_looks_next(tmp_path: Path) -> None:
    place = tmp_path / "mlflow"
    place.mkdir()
    port = free_port()
    running, server = start_mlflow(place, port)
    try:
        folder = prepared(tmp_path, server)
        (folder / "hold").touch()
        with monitor(folder, server) as looking:
            until(lambda: len(trainings(folder)) == 2, "a training")
            stop(running)
            (folder / "hold").unlink()
            said = looking.communicate(timeout=300)[0].decode()
        assert "not yet; who looks next goes on with it" in said
        off = trilho(folder, "monitor", server=server, code=None)
        assert "Whether to train again is asked at the next look" in off.stderr
        running, _ = start_mlflow(place, port)
        [claim] = claims(folder, server)
        assert not claim.ended
        until(lambda: time.time() - claim.alive > 3.5, "silence")
        trilho(folder, "monitor", server=server, code=None)
        assert claims(folder, server)[-1].outcome == "promoted: v2"
        assert (versions(folder, server), len(trainings(folder))) == ([1, 2], 2)
    finally:
        stop(running)


def test_training_that_fails_is_told_and_its_labels_stay_new(folder: Path, mlflow_server: str) -> None:
    own = (folder / "own.py").read_text()
    (folder / "own.py").write_text(own.replace("    while", "    raise ValueError('no memory')\n    while"))
    failed = trilho(folder, "monitor", server=mlflow_server, code=4)
    assert "Training own:train failed" in failed.stderr
    [claim] = claims(folder, mlflow_server)
    assert claim.outcome.startswith("failed: Training own:train failed")
    would = trilho(folder, "retrain", "--dry-run", server=mlflow_server).stdout
    assert "2,000 new labels" in would
    assert "1d must pass" in would
    (folder / "own.py").write_text(own)
    done = trilho(folder, "retrain", server=mlflow_server).stdout
    assert "Outcome    promoted: v2" in done
