"""People who are no administrators, on a server that asks for passwords: what each may do, and what each is told."""

from __future__ import annotations

import base64
import json
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from command_line import trilho, trilho_json, try_login, write_project
from documented import ROOT, blocks
from team_server import serving
from trilho import registry, wire
from trilho.errors import ServerRefused, VersionNotFound
from trilho.registry import CHALLENGER, CHAMPION, PREVIOUS, VersionStore
from trilho.registry.event_tags import WRITING_TAG
from trilho.registry.settling import MARK_SECONDS

pytestmark = pytest.mark.slow

PASSWORD = "a long enough word"
EDIT = "EDIT"


@dataclass
class Site:
    """A server with the users ana, bob and carl; each may read everything, and change what is theirs."""

    address: str
    home: Path

    def ask(self, path: str, body: dict[str, Any], user: str = "admin", version: str = "2.0") -> Any:
        word = base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic {word}", "Content-Type": "application/json"}
        url = f"{self.address}/api/{version}/mlflow/{path}"
        with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers)) as answer:
            return json.loads(answer.read() or b"{}")

    def grant(self, user: str, kind: str, name: str, level: str, by: str = "ana") -> None:
        body = {"username": user, "resource_type": kind, "resource_id": name, "permission": level}
        self.ask("users/permissions/grant", body, by, "3.0")

    def login(self, user: str, password: str = PASSWORD) -> dict[str, str]:
        return {"MLFLOW_TRACKING_USERNAME": user, "MLFLOW_TRACKING_PASSWORD": password}

    def environment(self, user: str = "", password: str = PASSWORD) -> dict[str, str]:
        login = self.login(user, password) if user else {}
        return {"server": self.address, "HOME": str(self.home), "USERPROFILE": str(self.home), **login}

    def client(self, user: str) -> wire.Client:
        return wire.connect(self.address, environment=self.login(user), seconds=60)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    pytest.importorskip("flask_wtf", reason='no forms for MLflow here: pip install "mlflow[auth]"')
    given = {"MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD}
    with serving("sqlite:///mlflow.db", "artifacts", "--auth", **given) as server:
        site = Site(server.address, tmp_path_factory.mktemp("home"))
        for user in ("ana", "bob", "carl"):
            site.ask("users/create", {"username": user, "password": PASSWORD})
        yield site


@pytest.fixture
def as_user(site: Site) -> Iterator[Callable[[str], VersionStore]]:
    """The registry as somebody sees it."""
    with ExitStack() as open_clients:
        yield lambda user: registry.open_store(open_clients.enter_context(site.client(user)))


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return request.node.name.removeprefix("test_")[:60]


def register(store: VersionStore, name: str, count: int = 1) -> None:
    for _ in range(count):
        store.create(name, source="s3://bucket/model", run_id="", model_id="", tags={})


def promote(store: VersionStore, name: str, number: int, before: int | None, who: str = "ana") -> None:
    registry.promote(store, name, number, before=before, who=who, why="better")


def number_of(version: registry.Version | None) -> int | None:
    return version.number if version else None


def share(site: Site, name: str, *users: str) -> None:
    for user in users:
        for model in (name, f"{name}.history"):
            site.grant(user, "registered_model", model, EDIT)


def half_promoted(store: VersionStore, name: str) -> None:
    """v2 is champion by the history; its promoter died before the aliases, with its mark set."""
    register(store, name, 2)
    promote(store, name, 1, None)
    event = registry.Event(kind="promoted", before=1, after=2, who="ana", when=0.0, why="died then")
    number = store.append_event(name, event)
    store.tag_event(name, number, {f"{WRITING_TAG}dead": repr(0.0)})


def marks(store: VersionStore, name: str) -> int:
    return sum(len(entry.writing) for entry in store.events(name))


# A first champion


def test_a_new_user_delivers_a_first_champion_and_is_named_in_the_history(site: Site, tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", "first", {})
    ana = site.environment("ana")
    assert trilho(project, "status", **ana).stdout.strip().endswith("none yet: trilho run")
    said = trilho(project, "run", **ana)
    assert "Promoted" in said.stdout, said.stderr
    assert "first v1" in trilho(project, "status", **ana).stdout
    (event,) = trilho_json(project, "history", **ana)
    assert event["who"].startswith("ana (")
    assert "@" in event["who"]
    carl = site.environment("carl")
    assert "first v1" in trilho(project, "status", **carl).stdout, "everybody may read"


def test_a_model_of_plain_mlflow_gets_its_history_from_who_may_change_it(
    site: Site, as_user: Callable[[str], VersionStore], name: str
) -> None:
    ana, carl = as_user("ana"), as_user("carl")
    site.ask("registered-models/create", {"name": name}, "ana")
    site.ask("model-versions/create", {"name": name, "source": "s3://bucket/model"}, "ana")
    ana.set_alias(name, CHAMPION, 1)
    assert number_of(registry.champion(carl, name)) == 1
    with pytest.raises(ServerRefused) as refused:
        promote(carl, name, 1, None)
    assert refused.value.status == 403
    assert registry.history(carl, name) == ()
    assert number_of(registry.champion(ana, name)) == 1
    assert [event.kind for event in registry.history(ana, name)] == ["adopted"]
    site.grant("bob", "registered_model", f"{name}.history", EDIT, by="ana")  # its owner


def test_what_is_not_there_is_said_to_be_missing_and_not_to_be_forbidden(
    site: Site, as_user: Callable[[str], VersionStore], name: str
) -> None:
    ana = as_user("ana")
    assert ana.by_alias(name, CHAMPION) is None
    assert registry.champion(ana, name) is None
    with pytest.raises(VersionNotFound, match="There is no model"):
        ana.get(name, 1)
    register(ana, name)
    promote(ana, name, 1, None)
    with site.client("ana") as client:
        client.delete("registered-models/delete", {"name": name})
    assert registry.champion(ana, name) is None, "its history alone is left"


# The right to change, and no more


def test_edit_is_enough_to_promote_and_to_go_back(
    site: Site, as_user: Callable[[str], VersionStore], name: str
) -> None:
    ana, bob, carl = as_user("ana"), as_user("bob"), as_user("carl")
    register(ana, name, 3)
    promote(ana, name, 1, None)
    share(site, name, "bob")
    registry.refuse(bob, name, 2, who="bob", why="worse")
    promote(bob, name, 2, 1, "bob")
    assert [number_of(bob.by_alias(name, alias)) for alias in (CHAMPION, PREVIOUS)] == [2, 1]
    assert marks(bob, name) == 0
    assert bob.events(name)[-1].settled
    assert registry.rollback(bob, name, who="bob", why="slow").after == 1
    for user in (bob, carl, ana):
        assert number_of(registry.champion(user, name)) == 1
    promote(ana, name, 3, 1)
    assert [number_of(ana.by_alias(name, alias)) for alias in (CHAMPION, PREVIOUS)] == [3, 1]
    kinds = [event.kind for event in registry.history(carl, name)]
    assert kinds == ["promoted", "refused", "promoted", "rolled back", "promoted"]
    assert all(event.valid for event in registry.history(carl, name))
    assert number_of(carl.by_alias(name, CHALLENGER)) in (None, 2)


def test_a_promotion_by_hand_works_with_the_rights_that_the_guide_gives(site: Site, tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", "shared", {})
    trilho(project, "run", **site.environment("ana"))
    more = write_project(tmp_path / "more", "shared", {"train": {
        "estimator": "sklearn.linear_model.LogisticRegression", "params": {"max_iter": 1000, "C": 0.5}}})  # fmt: skip
    bob = site.environment("bob")
    refused = trilho(more, "run", code=1, **bob)
    assert "Refused" in refused.stdout
    assert "waits in the spool" in refused.stdout
    assert "'bob'" in refused.stderr
    assert "EDIT on the experiment" in refused.stderr
    line = next(line for line in refused.stderr.splitlines() if line.startswith("curl "))
    given = subprocess.run(
        line.replace("-u admin ", f"-u 'ana:{PASSWORD}' "), shell=True, capture_output=True, text=True, check=True
    )
    assert given.stdout.strip() == "{}", f"{line}\n{given.stdout}"
    site.grant("bob", "registered_model", "shared", EDIT)
    for _ in range(2):
        half = trilho(more, "sync", code=1, **bob)
        assert "EDIT on the registered model shared.history" in half.stderr
        assert "The champion is still v1" in half.stderr
    assert "shared v2 is registered, but not judged yet" in trilho(more, "run", code=1, **bob).stdout
    site.grant("bob", "registered_model", "shared.history", EDIT)
    sent = trilho(more, "sync", code=None, **bob)
    assert "1 of 1 run" in sent.stdout, sent.stderr
    assert "shared v2 " in sent.stdout, "it was registered once"
    trilho(more, "promote", "2", "--force", "--reason", "mine", code=None, **bob)
    assert "shared v2" in trilho(more, "status", **bob).stdout
    who = [event["who"].partition(" ")[0] for event in trilho_json(project, "history", **site.environment("carl"))]
    assert who[0] == "ana"
    assert set(who[1:]) == {"bob"}


def test_who_may_not_change_the_model_leaves_no_mark_behind(
    site: Site, as_user: Callable[[str], VersionStore], name: str
) -> None:
    ana, bob = as_user("ana"), as_user("bob")
    half_promoted(ana, name)
    site.grant("bob", "registered_model", f"{name}.history", EDIT)  # and not the model
    for _ in range(3):
        assert number_of(registry.champion(bob, name)) == 2
    assert marks(ana, name) == 1, "the dead one's"
    assert number_of(ana.by_alias(name, CHAMPION)) == 1
    assert number_of(registry.champion(ana, name)) == 2
    assert number_of(ana.by_alias(name, CHAMPION)) == 2


# Only looking


def test_a_reader_sees_the_champion_of_a_half_done_promotion_and_changes_nothing(
    site: Site, as_user: Callable[[str], VersionStore], name: str, tmp_path: Path
) -> None:
    ana, carl = as_user("ana"), as_user("carl")
    half_promoted(ana, name)
    before = ana.events(name)
    assert number_of(registry.champion(carl, name)) == 2
    project = write_project(tmp_path / "project", name, {})
    assert f"{name} v2" in trilho(project, "status", **site.environment("carl")).stdout
    assert ana.events(name) == before
    assert number_of(ana.by_alias(name, CHAMPION)) == 1
    share(site, name, "bob")
    assert number_of(registry.champion(as_user("bob"), name)) == 2
    assert number_of(carl.by_alias(name, CHAMPION)) == 2, "bob may, so his look finished it"
    assert marks(carl, name) == 0, f"the dead one's mark is older than {MARK_SECONDS:g} s, and done"


def test_a_reader_sees_an_alias_that_was_moved_by_hand(as_user: Callable[[str], VersionStore], name: str) -> None:
    ana, carl = as_user("ana"), as_user("carl")
    register(ana, name, 2)
    promote(ana, name, 1, None)
    ana.set_alias(name, CHAMPION, 2)
    assert number_of(registry.champion(carl, name)) == 2
    assert len(registry.history(ana, name)) == 1


def test_a_reader_is_told_the_old_champion_where_the_promoted_version_is_gone(
    site: Site, as_user: Callable[[str], VersionStore], name: str
) -> None:
    ana, carl = as_user("ana"), as_user("carl")
    half_promoted(ana, name)
    with site.client("ana") as client:
        client.delete("model-versions/delete", {"name": name, "version": "2"})
    assert number_of(registry.champion(carl, name)) == 1


# Refused is not offline


@pytest.mark.parametrize("user", ["", "ana"])
def test_a_run_that_the_server_does_not_know_fails_and_keeps_everything(site: Site, tmp_path: Path, user: str) -> None:
    project = write_project(tmp_path / "project", f"unknown-{user or 'nobody'}", {})
    wrong = site.environment(user, "wrong")
    done = trilho(project, "run", code=1, **wrong)
    assert "Refused    not judged yet; the run waits in the spool" in done.stdout
    assert "Offline" not in done.stdout
    assert f"trilho login {site.address}" in done.stderr
    assert ("Wrong user or password" in done.stderr) == bool(user)
    assert trilho_json(project, "run", code=1, **wrong)["refused"] is True
    trilho(project, "sync", code=1, **wrong)
    status = trilho(project, "status", code=1, **wrong)
    assert "1 run not sent yet" in status.stdout
    assert "Champion   The tracking server at" in status.stdout
    sent = trilho(project, "sync", **site.environment("ana"))
    assert "Promoted" in sent.stdout


# trilho login


def test_a_wrong_password_is_said_to_be_one(site: Site, tmp_path: Path) -> None:
    for password, code in (("wrong", 1), (PASSWORD, 0), ("wrong", 1)):
        done = try_login(tmp_path, site.address, "ana", password)
        assert done.returncode == code, done.stderr
        assert ("Wrong user or password: 'ana'" in done.stderr) == bool(code)
        assert "trilho login" not in done.stderr
    kept = (tmp_path / ".mlflow" / "credentials").read_text(encoding="utf-8")
    assert PASSWORD in kept, "what worked is not lost by what does not"


# The guide


def test_the_lines_of_the_guide_make_a_user_who_may_promote(
    site: Site, as_user: Callable[[str], VersionStore], tmp_path: Path
) -> None:
    page = (ROOT / "docs" / "guides" / "team-server.md").read_text(encoding="utf-8")
    (lines,) = [block for block in blocks(page, "sh") if "permissions/grant" in block]
    ana = as_user("ana")
    register(ana, "guided", 2)
    promote(ana, "guided", 1, None)
    project = site.ask("experiments/create", {"name": "guided"}, "ana")["experiment_id"]
    (tmp_path / "word").write_text(PASSWORD + "\n", encoding="utf-8")
    changes = {
        "http://mlflow.example.org:5000": site.address,
        "/data/mlflow-admin-password": str(tmp_path / "word"),
        "bob": "eva",
        "another long word": PASSWORD,
        "experiment 1\n": f"experiment {project}\n",
        "churn": "guided",
    }
    for old, new in changes.items():
        assert old in lines
        lines = lines.replace(old, new)
    everything = "may dora EDIT experiment '*'\nmay dora EDIT registered_model '*'\n"
    assert all(f"`{line}`" in page for line in everything.splitlines())
    lines += lines[lines.index("ask 2.0") : lines.index("may eva")].replace("eva", "dora") + everything
    done = subprocess.run(["bash", "-e", "-c", lines], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    promote(as_user("eva"), "guided", 2, 1, "eva")
    registry.rollback(as_user("dora"), "guided", who="dora", why="slow")
    for user in ("eva", "dora"):
        with site.client(user) as client:
            assert client.post("runs/create", {"experiment_id": project})["run"]["info"]["run_id"]
