"""How many rows are in a dump, counted as it goes by: exact for the instant that the dump shows."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping
from dataclasses import dataclass

from trilho.platform.database_address import Kind

_NEAR = 1200  # a row of model_versions begins with its name, of 256 characters at most, and the workspace's


@dataclass(frozen=True, kw_only=True)
class Dumped:
    """What is in a dump. Versions are those of models, without the events of histories and deleted ones."""

    rows: Mapping[str, int]
    versions: int


class Counter:
    """Takes a dump line by line: pg_dump's COPY blocks, or mysqldump's INSERTs of one row each."""

    def __init__(self, kind: Kind) -> None:
        self._postgres = kind == "postgresql"
        self._rows: Tally[str] = Tally()
        self._versions = 0
        self._copying = ""

    @property
    def in_rows(self) -> bool:
        """Whether the last line was a row among others of pg_dump's, and no statement."""
        return bool(self._copying)

    def take(self, line: bytes) -> None:
        """One line, with its end."""
        if not self._postgres:
            if line.startswith(b"INSERT INTO `"):
                self._row(line[13 : line.index(b"`", 13)].decode(), line, b"'")
            elif line.startswith(b"CREATE TABLE `"):
                self._rows[line[14 : line.index(b"`", 14)].decode()] += 0
        elif self._copying:
            if line.rstrip(b"\r\n") == b"\\.":
                self._copying = ""
            else:
                self._row(self._copying, line, b"\t")
        elif line.startswith(b"COPY ") and line.rstrip().endswith(b"FROM stdin;"):
            self._copying = line[5 : line.index(b" ", 5)].decode().rpartition(".")[2].strip('"')
        elif line.startswith(b"CREATE TABLE "):
            self._rows[line[13 : line.index(b" ", 13)].decode().rpartition(".")[2].strip('"')] += 0

    def result(self) -> Dumped:
        """What was counted; tables without rows count 0."""
        return Dumped(rows=dict(sorted(self._rows.items())), versions=self._versions)

    def _row(self, table: str, line: bytes, end: bytes) -> None:
        self._rows[table] += 1
        if table == "model_versions" and b".history" + end not in line[:_NEAR] and b"Deleted_Internal" not in line:
            self._versions += 1
