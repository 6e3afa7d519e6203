"""The guard against a real registry, when others are faster, or the registry falls silent at the wrong moment."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from conftest import free_port
from trilho import delivery, registry
from trilho.errors import PromotionContested, ServerUnreachable
from trilho.monitoring import Guarded
from trilho.project import ProjectFile, load
from trilho.serving.counting import Counts, Tally
from trilho.serving.exposition import exposed
from trilho.serving.state import State
from trilho.wire import connect
from unit.registry.registering import number_of, promote, register


@dataclass
class Scene:
    """v1 was champion and did well; v2 is, and does not; the guard knows of the promotion and has not looked since."""

    store: registry.VersionStore
    address: str  # of the registry
    name: str = field(default_factory=lambda: f"guarded-{secrets.token_hex(4)}")
    counts: Counts = field(default_factory=Counts)
    version: str = "1"
    project: ProjectFile | None = None
    known: Guarded = field(default_factory=Guarded)

    def asked(self, version: str, *, answered: int = 0, failed: int = 0) -> None:
        tally = Tally(self.counts, f"{self.name}\n{version}", {})
        for _ in range(answered):
            tally.model.observe(0.002)
            tally.add([1.0])
        for _ in range(failed):
            tally.fail()

    def look(self, address: str = "") -> Guarded:
        assert self.project is not None
        return delivery.guard(self.project, self.known, server=lambda _: address or self.address)

    @property
    def champion(self) -> int | None:
        return number_of(registry.champion(self.store, self.name))

    @property
    def rollbacks(self) -> list[registry.Event]:
        events = registry.history(self.store, self.name)
        return [event for event in events if event.kind == "rolled back" and event.valid]


@pytest.fixture
def scene(tmp_path: Path, mlflow_server: str) -> Iterator[Scene]:
    """A real registry, and an address at which the counts of the scene are read as a model server shows them."""
    with connect(mlflow_server) as client:
        found = Scene(registry.open_store(client), mlflow_server)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(exposed(found.counts, State(name=found.name, version=found.version)))

            def log_message(self, *_: object) -> None:
                """Nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        text = f"name: {found.name}\ntask: classification\ntarget: left\ndata: {{source: 'sklearn:breast_cancer'}}\n"
        text += "train: {estimator: sklearn.linear_model.LogisticRegression}\n"
        (tmp_path / "trilho.yaml").write_text(text, encoding="utf-8")
        project = load(tmp_path)
        found.project = replace(project, serve=replace(project.serve, port=server.server_port))
        try:
            register(found.store, found.name, 3)
            promote(found.store, found.name, 1)
            found.asked("1", answered=100)
            found.known = found.look()
            promote(found.store, found.name, 2)
            found.version = "2"
            found.known = found.look()
            assert found.known.promotion is not None
            found.asked("2", answered=30, failed=30)
            yield found
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def test_registry_that_falls_silent_is_asked_again_and_gone_back_once(scene: Scene) -> None:
    silent = f"http://127.0.0.1:{free_port()}"
    for _ in range(2):
        with pytest.raises(ServerUnreachable):
            scene.look(silent)
    assert scene.champion == 2
    for _ in range(3):
        scene.known = scene.look()
    [back] = scene.rollbacks
    assert scene.known.rollback == back
    assert (back.after, back.who) == (1, "trilho guard")
    assert "30 of 60 requests failed in v2" in back.why
    assert scene.champion == 1


def test_champion_that_somebody_else_promoted_meanwhile_is_left_alone(scene: Scene) -> None:
    promote(scene.store, scene.name, 3)  # the server answers with v2 still
    with pytest.raises(PromotionContested, match="to go back from v2"):
        scene.look()
    assert scene.champion == 3
    assert scene.rollbacks == []


def test_several_guards_at_once_go_back_once(scene: Scene) -> None:
    contested: list[str] = []
    start = threading.Barrier(4)

    def guard() -> None:
        start.wait()
        try:
            scene.look()
        except PromotionContested as error:
            contested.append(error.what)

    threads = [threading.Thread(target=guard) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(scene.rollbacks) == 1
    assert len(contested) == 3
    assert scene.champion == 1
