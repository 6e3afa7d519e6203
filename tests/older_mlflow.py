"""Databases as an MLflow of some time ago made them."""

from __future__ import annotations

import subprocess
import sys

from trilho.platform.database import known_revisions

_OLDER = """
import os, sys, sqlalchemy
from alembic import command
from mlflow.store.db.utils import _get_alembic_config
from mlflow.store.tracking.dbmodels.initial_models import Base

uri = os.environ["URI"]
engine = sqlalchemy.create_engine(uri)
config = _get_alembic_config(uri)
Base.metadata.create_all(engine)
with engine.begin() as connection:
    config.attributes["connection"] = connection
    command.upgrade(config, sys.argv[1])
"""


def newest() -> str:
    known = known_revisions()
    (head,) = set(known) - set(known.values())
    return head


def older(uri: str) -> str:
    """Makes the tables that an MLflow of some time ago had; gives the name of their schema."""
    revision = known_revisions()[newest()]
    assert revision is not None
    done = subprocess.run([sys.executable, "-c", _OLDER, revision], env={"URI": uri}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return revision
