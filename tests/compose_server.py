"""A team's server by the real Compose: what `trilho deploy compose` wrote, unchanged but for names of images.

The images are made once for all tests that bring such a server up, as that takes minutes.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from docker_engine import Engine, compose_command, engine, import_base, pip_settings, run

TRILHO = [sys.executable, "-m", "trilho.cli"]
IMAGES = ("mlflow", "webapp", "model")
MARK = "a-password-of-a-package-index"
MLFLOW, MODEL = "http://127.0.0.1:5000", "http://127.0.0.1:8000"
WAIT = ("--detach", "--wait", "--wait-timeout", "300")

_STAND_INS = Path(__file__).parent / "integration" / "compose" / "images"


@dataclass(frozen=True)
class Built:
    """An engine in a network of its own that has every image."""

    engine: Engine
    version: str

    def written(self, project: Path, *words: str, new: Sequence[str] = ()) -> ComposeServer:
        """A new project, and what `trilho deploy compose` writes into a folder of it."""
        run(*TRILHO, "new", str(project), *new, cwd=project.parent)
        found = ComposeServer(self.engine, project, project / "server", self.version)
        run(*TRILHO, "deploy", "compose", str(found.folder), "-C", str(project), *words)
        services = found.services()
        images = {"db": "postgres" if "postgres" in words else "mysql"}
        stand_ins = [name for name in ("db", "s3", "prometheus", "alertmanager") if name in services]
        lines = [f"  {name}: {{image: standin/{images.get(name, name)}}}" for name in stand_ins]
        found.stand_ins.write_text("\n".join(["services:", *lines, ""]), encoding="utf-8")
        return found


@dataclass(frozen=True)
class ComposeServer:
    """What `trilho deploy compose` wrote, and the engine it runs on."""

    engine: Engine
    project: Path
    folder: Path
    version: str

    @property
    def stand_ins(self) -> Path:
        """No registry can be reached here: names of images. Nothing else of compose.yml is another."""
        return self.folder / "stand-ins.yml"

    @contextmanager
    def running(self, *, train: bool = True) -> Iterator[ComposeServer]:
        """Up and healthy, with a champion trained through the profile; in the end nothing of it is left."""
        try:
            try:
                self.up()
                if train:
                    self.train()
            except AssertionError as error:
                error.add_note(self.compose("logs", "--no-color", "--tail", "30"))
                raise
            yield self
        finally:
            self.down("--volumes", seconds=5)

    def back_up(self) -> None:
        """As README.md says it; the file is on this machine, where only its user can read it."""
        said = self.compose("exec", "mlflow", "trilho", "backup", "/backups/one.tar.zst")
        assert "Saved" in said, said
        kept = self.folder / "backups" / "one.tar.zst"
        assert (kept.stat().st_uid, kept.stat().st_mode & 0o777) == (10001, 0o600)

    def restore(self) -> None:
        """As README.md says it."""
        self.compose("stop", "mlflow", "webapp", "monitor")
        said = self.compose("run", "--rm", "mlflow", "trilho", "restore", "/backups/one.tar.zst", "--force")
        assert "Restored" in said, said
        self.up()

    def lose_the_model(self) -> None:
        """Its versions, its runs and their files go for good."""
        told = ("-H", "Content-Type: application/json", "-d")
        for name in (self.project.name, f"{self.project.name}.history"):  # its events name the runs: gc would keep them
            words = (*told, json.dumps({"name": name}))
            self.ask(f"{MLFLOW}/api/2.0/mlflow/registered-models/delete", "-X", "DELETE", *words)
        for run_id in self.runs():
            self.ask(f"{MLFLOW}/api/2.0/mlflow/runs/delete", *told, json.dumps({"run_id": run_id}))
        said = self.compose("exec", "mlflow", "trilho", "gc", "--all", "--keep", "1", "--yes")
        assert "Freed" in said, said

    def runs(self) -> list[str]:
        """Ids of all runs."""
        known = ("-H", "Content-Type: application/json", "-d")
        found = self.ask(f"{MLFLOW}/api/2.0/mlflow/experiments/search", *known, '{"max_results": 100}')
        ids = [one["experiment_id"] for one in json.loads(found)["experiments"]]
        asked = json.dumps({"experiment_ids": ids, "max_results": 1000})
        found = self.ask(f"{MLFLOW}/api/2.0/mlflow/runs/search", *known, asked)
        return [one["info"]["run_id"] for one in json.loads(found).get("runs", [])]

    def up(self) -> None:
        self.compose("up", *WAIT)

    def train(self) -> None:
        self.compose("--profile", "training", "up", "training", "--exit-code-from", "training", "--no-recreate")

    def down(self, *words: str, seconds: int = 20) -> None:
        profiles = ("--profile", "training", "--profile", "monitoring")
        self.compose(*profiles, "down", *words, "--timeout", str(seconds))

    def compose(self, *words: str) -> str:
        files = ["-f", "compose.yml", *(["-f", self.stand_ins.name] if self.stand_ins.exists() else [])]
        return run(compose_command(), *files, *words, env=self.engine.environment, cwd=self.folder)

    def services(self) -> list[str]:
        """Every service of the files, those of profiles too."""
        profiles = ("--profile", "training", "--profile", "monitoring")
        return self.compose(*profiles, "config", "--services").split()

    def ask(self, url: str, *words: str) -> str:
        """What curl gets from a published port; an answer that is an error is one here, too."""
        return run(*self.engine.inside("curl", "--silent", "--show-error", "--fail", "-m", "30", *words, url))

    def status(self, url: str, *words: str) -> str:
        """The status that curl gets, whatever it is."""
        told = ("--output", "/dev/null", "--write-out", "%{http_code}", "-m", "30")
        return run(*self.engine.inside("curl", "--silent", *told, *words, url))

    def settings(self) -> dict[str, str]:
        return dict(re.findall(r"(?m)^(\w+)=(.+)$", (self.folder / ".env").read_text(encoding="utf-8")))

    def secrets(self) -> list[str]:
        return [value for value in self.settings().values() if re.fullmatch(r"[0-9a-f]{40}", value)]

    def versions(self) -> list[str]:
        """Versions of the project's model that the registry has."""
        found = json.loads(self.ask(f"{MLFLOW}/api/2.0/mlflow/model-versions/search"))
        name = self.project.name
        return sorted(version["version"] for version in found.get("model_versions", []) if version["name"] == name)

    def stored(self, path: str = "") -> dict[str, int]:
        """Every artifact below `path` by its name, and how many bytes the server hands out for it.

        But for the monitor's reports: more of them may come at any time.
        """
        found: dict[str, int] = {}
        address = f"{MLFLOW}/api/2.0/mlflow-artifacts/artifacts"
        for entry in json.loads(self.ask(f"{address}?path={quote(path, safe='')}")).get("files", ()):
            name = f"{path}/{entry['path']}".lstrip("/")
            if entry["path"] == "reports":
                continue
            if entry["is_dir"]:
                found |= self.stored(name)
            else:
                told = ("--output", "/dev/null", "--write-out", "%{size_download}")
                found[name] = int(self.ask(f"{address}/{quote(name)}", *told))
        return found

    def healthy(self) -> list[str]:
        """Services that are, by name. One that is not is an error."""
        lines = self.compose("ps", "--format", "{{.Service}} {{.Health}}").splitlines()
        assert all(line.endswith(" healthy") for line in lines), lines
        return sorted(line.split()[0] for line in lines)

    def wait_for_model(self) -> str:
        """The version in charge, once there is one."""
        self.ask(f"{MODEL}/ping", "--retry", "60", "--retry-delay", "1", "--retry-all-errors")
        return str(json.loads(self.ask(f"{MODEL}/health"))["version"])

    def predictions(self, port: int = 8000) -> list[object]:
        """What the champion says of one row of ones."""
        row = json.loads(self.ask(f"{MODEL}/v2/models/{self.project.name}"))["inputs"]
        body = {"dataframe_split": {"columns": [field["name"] for field in row], "data": [[1.0] * len(row)]}}
        header = ("-H", "Content-Type: application/json", "-d", json.dumps(body))
        answered: list[object] = json.loads(self.ask(f"http://127.0.0.1:{port}/invocations", *header))["predictions"]
        return answered

    def run_on_host(self, *words: str) -> str:
        """`trilho …` in the project's folder, on the machine that the ports are published on, without a key of S3."""
        told = {"MLFLOW_TRACKING_URI": MLFLOW}
        clean = {key: value for key, value in self.engine.environment.items() if not key.startswith("AWS_")}
        return run(*self.engine.inside(*TRILHO, *words), env={**clean, **told}, cwd=self.project)


@contextmanager
def built(folder: Path) -> Iterator[Built]:
    """The engine with all images: a base, what stands in for a registry's, and those of the Dockerfile.

    Args:
        folder: For what is made on the way; it exists.
    """
    compose_command()
    with engine() as made:
        import_base(made, folder / "root")
        run(*TRILHO, "deploy", "compose", str(folder / "server"), "-C", str(folder))
        context = folder / "server" / "image"
        wheel = next(context.glob("*.whl")).name
        version = wheel.split("-")[1]
        pip = pip_settings(folder / "pip.conf")
        pip.write_text(pip.read_text(encoding="utf-8") + f"# {MARK}\n", encoding="utf-8")
        for name in ("mysql", "postgres", "s3"):
            made.build(_STAND_INS / name, f"standin/{name}", arguments={}, pip=pip)
        for name in ("prometheus", "alertmanager"):
            made.build(_STAND_INS / "monitoring", f"standin/{name}", target=name, arguments={}, pip=pip)
        arguments = {"TRILHO": f"./{wheel}", "PIP_CONSTRAINT": "constraints.txt"}
        for name in IMAGES:
            made.build(context, f"trilho/{name}:{version}", target=name, arguments=arguments, pip=pip)
        made.stop()
        made.start(own_network=True)
        yield Built(made, version)
