"""A model that MLflow logged, brought to this machine by MLflow's own client."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from trilho.errors import ServerRefused, VersionNotFound
from trilho.wire import Client


@dataclass(frozen=True, kw_only=True)
class LoggedModel:
    """A logged model on this machine. `artifact_root` is where it lies on the server; ids are "" where unknown."""

    folder: Path
    model_id: str
    run_id: str
    artifact_root: str


def download_model(client: Client, uri: str, to: Path) -> LoggedModel:
    """The model that `uri` names ("runs:/ID/model", "models:/NAME/3", "models:/m-ID"), in a folder below `to`.

    Raises:
        VersionNotFound: MLflow does not know it.
        ServerRefused: what is there is no model of MLflow 3, which alone has a place of its own.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    mlflow.set_tracking_uri(client.address.shown)
    try:
        folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(to)))
    except MlflowException as error:
        raise VersionNotFound(
            f"There is no model at {uri}.",
            why=str(error).split("\n")[0][:300],
            remedy="Name a logged model: runs:/RUN_ID/model, models:/NAME/3, or models:/m-….",
        ) from error
    known = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
    if not known.get("model_id"):
        raise ServerRefused(
            f"The model at {uri} was logged by an MLflow older than 3.",
            why="Its files belong to the run; a bundle needs a logged model of its own.",
            remedy="Log it again with MLflow 3 (mlflow.sklearn.log_model(model, name='model')).",
        )
    info = client.get(f"logged-models/{known['model_id']}")["model"]["info"]
    return LoggedModel(
        folder=folder,
        model_id=known["model_id"],
        run_id=known.get("run_id") or "",
        artifact_root=info["artifact_uri"],
    )
