"""The servers of a team, for every test in this folder."""

from team_databases import mariadb, postgres
from team_store import seaweed

__all__ = ["mariadb", "postgres", "seaweed"]
