"""Rows of a dump are counted as they go by."""

from __future__ import annotations

from trilho.platform.backup.dump_rows import Counter, Dumped
from trilho.platform.database_address import Kind

POSTGRES = r"""
CREATE TABLE public.runs (
    run_uuid character varying(32) NOT NULL
);
CREATE TABLE public.metrics (
);
COPY public.metrics (key, value) FROM stdin;
\.
COPY public.model_versions (name, version, current_stage) FROM stdin;
kept	1	None
kept	2	Deleted_Internal
kept.history	1	None
COPY public.runs (run_uuid) FROM stdin;	3	None
\.
COPY public.runs (run_uuid) FROM stdin;
INSERT INTO `runs` VALUES ('no statement, a name')
a\nb
\.
SELECT pg_catalog.setval('public.x', 1, false);
"""
MYSQL = r"""
CREATE TABLE `runs` (
  `run_uuid` varchar(32) NOT NULL
);
CREATE TABLE `metrics` (
);
INSERT INTO `runs` VALUES ('a','INSERT INTO `metrics` VALUES (1)\nINSERT INTO `metrics` VALUES (2)');
INSERT INTO `runs` VALUES ('b',NULL);
INSERT INTO `model_versions` VALUES ('kept',1,'None');
INSERT INTO `model_versions` VALUES ('kept',2,'Deleted_Internal');
INSERT INTO `model_versions` VALUES ('kept.history',1,'None');
"""


def count(kind: Kind, text: str) -> Dumped:
    counter = Counter(kind)
    for line in text.encode().splitlines(keepends=True):
        counter.take(line)
    return counter.result()


def test_rows_of_copy_blocks_are_counted_by_table() -> None:
    found = count("postgresql", POSTGRES)
    assert found.rows == {"metrics": 0, "model_versions": 4, "runs": 2}


def test_rows_of_inserts_are_counted_by_table() -> None:
    found = count("mysql", MYSQL)
    assert found.rows == {"metrics": 0, "model_versions": 3, "runs": 2}


def test_events_of_histories_and_deleted_versions_are_no_versions() -> None:
    assert count("mysql", MYSQL).versions == 1
    assert count("postgresql", POSTGRES).versions == 2  # and the model that is called like a statement
