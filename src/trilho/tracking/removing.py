"""MLflow's own `gc`: what is marked as deleted goes for good, rows and artifacts."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings

from trilho.errors import ServerRefused


def remove_deleted(database: str, server: str) -> None:
    """Remove all runs, models and experiments that are marked as deleted.

    Args:
        database: Address of the server's database, which MLflow removes rows from itself.
        server: Address of the server, through which it removes artifacts.

    Raises:
        ServerRefused: MLflow gave up; what it had removed until then stays removed.
    """
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        from mlflow.cli import gc
        from mlflow.exceptions import MlflowException

        try:
            gc.main(args=["--backend-store-uri", database, "--tracking-uri", server], standalone_mode=False)
        except MlflowException as error:
            raise ServerRefused(
                "MLflow's gc did not finish.",
                state="What it had removed until then is gone; the rest is marked as deleted.",
                why=" ".join(str(error).split())[:300],
                remedy="Run the same command again when the cause is gone.",
            ) from error
