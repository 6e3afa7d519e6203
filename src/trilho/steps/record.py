"""What a run records of its steps: into the spool always, and on to the server while one answers."""

from __future__ import annotations

import getpass
import json
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from trilho.project.file import ProjectFile
from trilho.shown_address import without_password
from trilho.steps.loop import StepResult
from trilho.steps.materials import Materials
from trilho.steps.model_card import model_card
from trilho.tracking import SpooledRun, send_records, start_run
from trilho.wire import Line

# Steps that try something. A run is opened when the first of them has to run; reading data again is no experiment.
_EXPERIMENT = ("transform", "train", "evaluate", "register")
# A run up to the first of them makes no model: it leaves no record, and needs no server.
_MODEL = ("train", "evaluate", "register")


class Recorder:
    """Watches a run of steps and records it.

    Args:
        line: To the tracking server; not asked before the run is opened.
        until: The last step of the run.
    """

    def __init__(self, project: ProjectFile, line: Line, *, until: str = "register") -> None:
        self.project = project
        self.run: SpooledRun | None = None
        self._line = line
        self._opened_by = _EXPERIMENT if until in _MODEL else ()
        self._done: list[str] = []

    def watch(self, result: StepResult, materials: Materials) -> None:
        """Take note of a step that starts or is done."""
        if result.status == "running":
            if self.run is None and result.step in self._opened_by:
                self.run = self._open()
                for step in self._done:
                    self._record(self.run, step, materials)
                self._push()
            return
        self._done.append(result.step)
        if result.step == "register" and result.status == "reused":
            return  # the same package as before: it is a version already, or waits to become one
        if self.run is not None:
            self._record(self.run, result.step, materials)
            if result.step == "register":
                self._ask_for_version(self.run, result)
            self._push()

    def end(self, problem: BaseException | None) -> Path | None:
        """Close the run; returns its folder in the spool, None if nothing was tried."""
        if self.run is None:
            return None
        if problem is None:
            self.run.finish("FINISHED")
        else:
            self.run.tags({"trilho.problem": f"{type(problem).__name__}: {problem}"})
            self.run.finish("FAILED" if isinstance(problem, Exception) else "KILLED")
        return self.run.folder

    def _open(self) -> SpooledRun:
        from trilho.tracking.provenance import git_tags

        project = self.project
        tags = {
            "mlflow.source.name": "trilho run",
            "mlflow.source.type": "PROJECT",
            "trilho.version": version("trilho"),
            "trilho.project": project.name,
            "trilho.profile": project.profile,
            **git_tags(project.root),
        }
        run = start_run(
            project.state_dir / "spool",
            experiment=project.experiment,
            name=f"{project.name} by {getpass.getuser()}",
            tags=tags,
        )
        run.params(
            {
                "data.source": without_password(project.data.source),
                "split.method": project.split.method,
                "split.test_size": project.split.test_size,
                "split.random_state": project.split.random_state,
                "transform.using": project.transform.using,
                "train.estimator": project.train.estimator,
                **({"data.labelled": project.labelled.name} if project.labelled else {}),
                **project.train.params,
            }
        )
        return run

    def _record(self, run: SpooledRun, step: str, materials: Materials) -> None:
        folder = materials.folders[step]
        if step == "ingest":
            self._dataset(run, folder)
        elif step == "train":
            run.params(estimator_params(materials))
        elif step == "evaluate":
            evaluation = materials.evaluation
            run.metrics({f"train_{name}": value for name, value in evaluation["train"].items()})
            run.metrics({f"test_{name}": value for name, value in evaluation["test"].items()})
            run.artifact(
                "classification_report.txt" if evaluation["labels"] else "residuals.txt", folder / "report.txt"
            )
            for figure in sorted((folder / "figures").glob("*.png")):
                run.artifact(f"figures/{figure.name}", figure)
        elif step == "register":
            self._documents(run, materials)
            run.model(
                folder / "mlflow_model", name="model", model_type="sklearn", params=dict(self.project.train.params)
            )

    def _dataset(self, run: SpooledRun, folder: Path) -> None:
        facts = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
        schema = {
            "mlflow_colspec": [{"name": column["name"], "type": _TYPES[column["kind"]]} for column in facts["columns"]]
        }
        run.dataset(
            {
                "name": facts["name"],
                "digest": facts["fingerprint"][:36],
                "source_type": "trilho",
                "source": json.dumps({"source": without_password(facts["source"])}),
                "schema": json.dumps(schema, ensure_ascii=False),
            },
            "training",
        )

    def _documents(self, run: SpooledRun, materials: Materials) -> None:
        from trilho.tracking.provenance import environment_lines

        dataset = json.loads((materials.folders["ingest"] / "dataset.json").read_text(encoding="utf-8"))
        card = model_card(
            self.project, dataset=dataset, evaluation=materials.evaluation, params=estimator_params(materials)
        )
        with tempfile.TemporaryDirectory() as place:
            for name, text in (("model_card.md", card), ("environment.txt", "\n".join(environment_lines()) + "\n")):
                (Path(place) / name).write_text(text, encoding="utf-8")
                run.artifact(name, Path(place) / name)

    def _ask_for_version(self, run: SpooledRun, result: StepResult) -> None:
        assert result.folder is not None
        package = json.loads((result.folder / "package.json").read_text(encoding="utf-8"))
        tags = {
            "trilho.bundle_sha256": package["digest"],
            "trilho.bundle_path": "trilho/bundle.tar",
            "trilho.package": result.key,
            "trilho.runtime": package["runtime"],
            "trilho.latency": str(package["latency"]),
        }
        run.register(self.project.register.name, tags)

    def _push(self) -> None:
        """Send what there is, while the server answers."""
        if self.run is not None:
            folder = self.run.folder
            self._line.ask(lambda client: send_records(client, folder))


def estimator_params(materials: Materials) -> Mapping[str, object]:
    """All parameters of the fitted estimator, defaults included."""
    estimator = materials.model.steps[-1][1]
    found: Mapping[str, object] = estimator.get_params(deep=False) if hasattr(estimator, "get_params") else {}
    return found


_TYPES: Mapping[str, Any] = {
    "number": "double",
    "boolean": "boolean",
    "category": "string",
    "text": "string",
    "time": "datetime",
    "image": "binary",
}
