"""What people write is kept, in a database that knows no encoding too."""

from __future__ import annotations

from pathlib import Path

from mlflow import MlflowClient

from team_databases import Database
from team_server import serving

TEXT = "número → 数"


def test_text_of_any_language_is_kept_in_a_database_without_an_encoding(postgres: Database, tmp_path: Path) -> None:
    """As initdb makes one where no locale is set: in small containers."""
    postgres.ask("CREATE DATABASE bare ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    with serving(postgres.uri("bare"), str(tmp_path / "artifacts")) as server:
        client = MlflowClient(server.address)
        client.create_registered_model("shop", description=TEXT)
        assert client.get_registered_model("shop").description == TEXT
