"""What is marked as deleted in MLflow goes for good, rows and artifacts: one run, one model, one experiment at a time.

As `mlflow gc` does it, which cannot be used: where it is given no runs, no models or no experiments, it takes all that
are marked.
"""

from __future__ import annotations

import base64
import logging
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from trilho.errors import ServerRefused
from trilho.wire import Address

_DELETED = "deleted"
_LOGIN = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")


@contextmanager
def removing(database: str, server: Address) -> Iterator[Remover]:
    """What removes. MLflow's client has the server's login inside the block, by its own environment names.

    Args:
        database: Address of the server's database, which rows are removed from.
        server: The server, through which artifacts are removed.

    Raises:
        ServerRefused: MLflow cannot use the database.
    """
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    lent = {**_login(server), "MLFLOW_TRACKING_URI": server.shown, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"}
    with warnings.catch_warnings(), _environment(lent):
        warnings.simplefilter("ignore")
        from mlflow.tracking import _get_store

        with _worded("MLflow cannot use the server's database."):
            store = _get_store(database, "mlflow-artifacts:/")
        yield Remover(store, server.shown)


class Remover:
    """Removes what is marked. Each method says whether it did: False where it is no longer there, or not marked.

    Artifacts go first: what is left where that fails is still marked, and can be removed again.

    Raises:
        ServerRefused: MLflow gave up. The run or model is still marked; some of its files may be gone.
    """

    def __init__(self, store: Any, server: str) -> None:
        self._store = store
        self._server = server

    def run(self, run_id: str) -> bool:
        with _worded(f"The run {run_id} could not be removed."):
            found = _found(lambda: self._store.get_run(run_id).info)
            if found is None or found.lifecycle_stage != _DELETED:
                return False
            self._remove_files(found.artifact_uri, run_id)
            self._store._hard_delete_run(run_id)
        return True

    def model(self, model_id: str) -> bool:
        with _worded(f"The model {model_id} could not be removed."):
            found = _found(lambda: self._store.get_logged_model(model_id, allow_deleted=True))
            if found is None or _found(lambda: self._store.get_logged_model(model_id)) is not None:
                return False
            self._remove_files(found.artifact_location, model_id)
            self._store._hard_delete_logged_model(model_id)
        return True

    def experiment(self, experiment_id: str) -> bool:
        """Its runs and models would go with its row: it has to be empty."""
        with _worded(f"The experiment {experiment_id} could not be removed."):
            found = _found(lambda: self._store.get_experiment(experiment_id))
            if found is None or found.lifecycle_stage != _DELETED:
                return False
            self._store._hard_delete_experiment(experiment_id)
        return True

    def _remove_files(self, place: str, owner: str) -> None:
        from mlflow.exceptions import InvalidUrlException
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        if owner not in place:  # a folder that does not carry its name may hold what is others'
            return
        try:
            get_artifact_repository(place, tracking_uri=self._server).delete_artifacts()
        except InvalidUrlException:  # no place at all: its row goes, as with mlflow gc
            return


# ----------------------------------------------------------------------------------------------------------------------


def _found(ask: Callable[[], Any]) -> Any:
    """None for what is not there."""
    from mlflow.exceptions import MlflowException

    try:
        return ask()
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def _login(server: Address) -> dict[str, str | None]:
    """The same Authorization header, as MLflow's client makes it; None for what has to be unset."""
    kind, _, word = server.authorization.partition(" ")
    if kind == "Basic":
        user, _, password = base64.b64decode(word).decode().partition(":")
        return dict(zip(_LOGIN, (user, password, None), strict=True))
    return dict(zip(_LOGIN, (None, None, word), strict=True)) if kind else {}


@contextmanager
def _environment(values: Mapping[str, str | None]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    _set(values)
    try:
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextmanager
def _worded(what: str) -> Iterator[None]:
    """Whatever MLflow's client raises: its own errors, those of requests, of the database, of a store's library."""
    try:
        yield
    except Exception as error:
        raise ServerRefused(
            what,
            why=" ".join(str(error).split())[:300] or type(error).__name__,
            remedy="Run the same command again when the cause is gone.",
        ) from error
