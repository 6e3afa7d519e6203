"""`trilho serve` in processes of its own, and versions in a real registry that say by their answers who they are."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd
import psutil
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from command_line import environment
from trilho import registry
from trilho.bundle.archive import Contents, write_archive
from trilho.wire import Client, connect, upload
from unit.bundle.tables import bundled, iris

JSON = {"Content-Type": "application/json"}
SECONDS = 300.0  # generous: the machine may be busy, and some start several programs


def until(condition: Callable[[], Any], what: str) -> Any:
    """The first true answer. Fails after five minutes."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError, http.client.HTTPException, psutil.Error):
            if found := condition():
                return found
        time.sleep(0.02)
    raise AssertionError(f"not within {SECONDS:g} s: {what}")


@dataclass
class Server:
    """A server, what it printed, and ways to ask it."""

    process: subprocess.Popen[str]
    folder: Path
    port: int = 0
    printed: list[str] = field(default_factory=list)

    @property
    def log(self) -> str:
        return "".join(self.printed)

    @property
    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def health(self) -> Any:
        return json.loads(self.ask("GET", "/health")[2])

    def version(self) -> str:
        """Of the model that answered a prediction; checked to be the one that its answer says."""
        status, headers, body = self.ask("POST", "/invocations", ROW, JSON)
        assert status == 200, body
        version: str = headers["x-model-version"]
        assert_labelled(version, body)
        return version

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=SECONDS)


@contextmanager
def serving(folder: Path, *words: str, server: str | None = None, **more: str) -> Iterator[Server]:
    """`trilho serve WORDS` on a free port, as soon as it says that it serves or waits."""
    folder.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "trilho.cli", "serve", "--port", "0", *words],
        cwd=folder,
        env=environment(server, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    found = Server(process, folder)
    reader = threading.Thread(target=_read, args=(found,))
    reader.start()
    try:
        until(lambda: found.port or process.poll() is not None, f"a first line; so far: {found.log}")
        assert found.port, found.log
        yield found
    finally:
        family = [process.pid]
        with suppress(psutil.NoSuchProcess):
            family += [each.pid for each in psutil.Process(process.pid).children(recursive=True)]
        for pid in family:
            with suppress(psutil.NoSuchProcess):
                psutil.Process(pid).kill()
        process.wait(timeout=SECONDS)
        reader.join()
        assert process.stdout is not None
        process.stdout.close()


def _read(server: Server) -> None:
    assert server.process.stdout is not None
    for line in server.process.stdout:
        server.printed.append(line)
        if line.startswith(("Serving", "Waiting")):
            server.port = int(line.rsplit(":", 1)[1])


# ------------------------------------------------------------------------------------------------------------- versions

_FRAME, _TRUTH = iris()
ROW = json.dumps({"dataframe_split": json.loads(_FRAME[:1].to_json(orient="split"))}).encode()


def assert_labelled(version: str, body: bytes) -> None:
    """The labels of version N are "N a" and "N b": an answer says itself who gave it."""
    [label] = json.loads(body)["predictions"]
    assert label.split()[0] == version, f"version {version} answered {label}"


def versioned(number: int, folder: Path) -> Path:
    """A bundle whose answers say that it is version `number`."""
    truth = pd.Series([f"{number} a" if flower else f"{number} b" for flower in _TRUTH], name="flower")
    return bundled(make_pipeline(StandardScaler(), LogisticRegression()), _FRAME, truth, folder / f"v{number}").path


def broken(bundle: Path, to: Path) -> Path:
    """The same bundle, whole by all its checksums, with a model in it that nothing can open."""
    contents = Contents(bundle)
    members = {name: contents.read(name) for name in contents.members}
    facts = {key: value for key, value in contents.manifest.items() if key not in ("format", "members", "checksum")}
    write_archive({**members, "model.onnx": b"no model"}, facts, to)
    return to


@dataclass(frozen=True)
class Registry:
    """One model in a real registry."""

    client: Client
    name: str

    @property
    def address(self) -> str:
        return self.client.address.shown

    @property
    def store(self) -> registry.VersionStore:
        return registry.open_store(self.client)

    @property
    def champion(self) -> str:
        return f"models:/{self.name}@champion"

    def ship(self, bundle: Path) -> int:
        """Log a run with this bundle in its model, and register it as the next version."""
        return self.shipped(bundle)[0]

    def shipped(self, bundle: Path) -> tuple[int, str]:
        """As `ship`; the version's number, and its run's id."""
        run_id = self.client.post("runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
        wanted = {"experiment_id": "0", "name": "model", "source_run_id": run_id}
        logged = self.client.post("logged-models", wanted)["model"]["info"]
        model_id = logged["model_id"]
        upload(self.client, logged["artifact_uri"], "trilho/bundle.tar", bundle)
        self.client.post("runs/outputs", {"run_id": run_id, "models": [{"model_id": model_id, "step": 0}]})
        self.client.patch(f"logged-models/{model_id}", {"model_id": model_id, "status": "LOGGED_MODEL_READY"})
        tags = {"trilho.bundle_sha256": Contents(bundle).digest(), "trilho.bundle_path": "trilho/bundle.tar"}
        source = f"models:/{model_id}"
        made = self.store.create(self.name, source=source, run_id=run_id, model_id=model_id, tags=tags)
        return made.number, run_id

    def promote(self, number: int) -> None:
        now = self.store.by_alias(self.name, "champion")
        before = now.number if now is not None else None
        registry.promote(self.store, self.name, number, before=before, who="ana", why="better")

    def rollback(self) -> None:
        registry.rollback(self.store, self.name, who="ana", why="worse")


@contextmanager
def registered(server: str) -> Iterator[Registry]:
    """A model of a new name in the registry of a real server."""
    with connect(server) as client:
        yield Registry(client, f"served-{uuid4().hex[:8]}")


class Load:
    """Clients that ask without end on kept connections, and count what is wrong.

    Args:
        labelled: What the labels begin with; None: with the version that the answer names.
    """

    def __init__(self, server: Server, *, clients: int = 4, labelled: str | None = None) -> None:
        self._labelled = labelled
        self.answers: dict[str, int] = {}  # by version
        self.wrong: list[str] = []
        self._server = server
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=SECONDS)
        while not self._over.is_set():
            try:
                connection.request("POST", "/invocations", ROW, JSON)
                answer = connection.getresponse()
                body = answer.read()
                version = answer.headers["x-model-version"]
                assert answer.status == 200, body
                assert_labelled(self._labelled or version, body)
                self.answers[version] = self.answers.get(version, 0) + 1
            except Exception as error:
                self.wrong.append(repr(error))
                connection.close()
        connection.close()
