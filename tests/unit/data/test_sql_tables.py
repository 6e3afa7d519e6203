"""Tables and queries of a database; SQLite for real, passwords with a driver that talks too much."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from trilho import data
from trilho.errors import BadData, MissingExtra, SourceUnreadable, TrilhoError, UnknownName


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("create table orders (id integer primary key, amount real, city text, day date, paid text)")
    rows = [(9, 1.5, "Rio", "2024-01-02", "yes"), (3, None, None, "2024-01-01", "no"), (5, 2.5, "Natal", None, "yes")]
    connection.executemany("insert into orders values (?, ?, ?, ?, ?)", rows)
    connection.execute("create table cities (name text primary key, coast text)")
    connection.executemany("insert into cities values (?, ?)", [("Rio", "yes"), ("Belo Horizonte", "no")])
    connection.execute("create view paid as select * from orders where paid = 'yes'")
    connection.commit()
    connection.close()
    return tmp_path


def test_a_table_is_read_in_the_order_of_its_key(shop: Path) -> None:
    found = data.load("sqlite:///shop.db#orders", target="paid", root=shop)
    assert found.frame["id"].tolist() == [3, 5, 9]
    assert [column.kind for column in found.columns] == ["number", "number", "category", "time", "category"]
    assert [column.nullable for column in found.columns] == [False, True, True, True, False]
    assert (found.name, found.source) == ("orders", "sqlite:///shop.db#orders")


def test_rows_that_lie_in_another_order_are_sorted_by_their_key(shop: Path) -> None:
    found = data.load("sqlite:///shop.db#cities", target="coast", root=shop)
    assert found.frame["name"].tolist() == ["Belo Horizonte", "Rio"]


def test_a_query_and_columns_narrow_what_is_read(shop: Path) -> None:
    query = "select id, city, paid from orders where id > 4 order by id"
    found = data.load(
        "sqlite:///shop.db", target="city", root=shop, options={"query": query, "columns": ["city", "id"]}
    )
    assert found.frame.to_dict("list") == {"city": ["Natal", "Rio"], "id": [5, 9]}
    found = data.load("sqlite:///shop.db#orders", target="paid", root=shop, options={"columns": ["paid", "id"]})
    assert list(found.frame) == ["paid", "id"]


def test_the_fingerprint_follows_the_content(shop: Path) -> None:
    def of(source: str = "sqlite:///shop.db#orders") -> str:
        return data.load(source, target="paid", root=shop).fingerprint

    before = of()
    assert before == of() == of(f"sqlite:///{shop / 'shop.db'}#orders")
    with sqlite3.connect(shop / "shop.db") as connection:
        connection.execute("update orders set amount = 2.25 where id = 5")
    connection.close()
    assert of() != before


def test_a_missing_table_names_the_near_one(shop: Path) -> None:
    with pytest.raises(SourceUnreadable, match=r"no table 'order'\. Did you mean 'orders'") as caught:
        data.load("sqlite:///shop.db#order", target="paid", root=shop)
    assert "The database has: cities, orders, paid." in caught.value.why
    with pytest.raises(SourceUnreadable, match=r"no column amout\. Did you mean 'amount'"):
        data.load("sqlite:///shop.db#orders", target="paid", root=shop, options={"columns": ["amout", "paid"]})


def test_a_missing_database_is_not_made(shop: Path) -> None:
    with pytest.raises(SourceUnreadable, match=r"Did you mean 'shop\.db'"):
        data.load("sqlite:///shp.db#orders", target="paid", root=shop)
    assert [entry.name for entry in shop.iterdir()] == ["shop.db"]


def test_a_file_that_is_no_database_and_a_query_that_fails_are_told(shop: Path) -> None:
    (shop / "notes.db").write_text("these are no tables, but many words " * 40, encoding="utf-8")
    with pytest.raises(SourceUnreadable, match="file is not a database"):
        data.load("sqlite:///notes.db#orders", target="paid", root=shop)
    with pytest.raises(SourceUnreadable, match="no such column: pad"):
        data.load("sqlite:///shop.db", target="paid", root=shop, options={"query": "select pad from orders"})


@pytest.mark.parametrize(
    ("source", "options"), [("sqlite:///shop.db", {}), ("sqlite:///shop.db#orders", {"query": "select 1"})]
)
def test_a_table_or_a_query_must_be_named(shop: Path, source: str, options: dict[str, Any]) -> None:
    with pytest.raises(SourceUnreadable, match="a table"):
        data.load(source, target="paid", root=shop, options=options)


def test_a_column_of_numbers_and_words_names_the_row(shop: Path) -> None:
    with sqlite3.connect(shop / "shop.db") as connection:  # SQLite takes any type in any column
        connection.execute("insert into orders values (10, 'much', 'Rio', null, 'no')")
    connection.close()
    with pytest.raises(BadData, match="column 'amount' mixes numbers and words: 'much' on row 4"):
        data.load("sqlite:///shop.db#orders", target="paid", root=shop)
    found = data.load("sqlite:///shop.db#orders", target="paid", root=shop, kinds={"amount": "category"})
    assert found.frame["amount"].tolist()[1:] == ["2.5", "1.5", "much"]


class _Talkative(SQLiteDialect_pysqlite):
    """A database that refuses everybody and repeats the password in its error, as some drivers do."""

    name = "talkative"
    supports_statement_cache = True

    def create_connect_args(self, url: sqlalchemy.URL) -> Any:
        return [url.password or url.query["password"]], {}

    def connect(self, *arguments: Any, **_: Any) -> Any:
        raise sqlite3.OperationalError(f"access denied (using password: {arguments[0]})")


@pytest.fixture
def _talkative(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sqlalchemy.dialects.registry.impls, "talkative", lambda: _Talkative)


@pytest.mark.usefixtures("_talkative")
@pytest.mark.parametrize(
    "source",
    [
        "talkative://me:hunter%3A2@db.example/shop#orders",
        "talkative://me:${SHOP_PASSWORD}@db.example/shop#orders",
        "talkative://db.example/shop?user=me&password=hunter%3A2#orders",
    ],
)
def test_a_password_is_in_no_message(tmp_path: Path, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "hunter:2")
    with pytest.raises(SourceUnreadable, match="access denied") as caught:
        data.load(source, target="paid", root=tmp_path)
    assert "hunter" not in str(caught.value)
    assert "***" in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("database", ["oracl", "postgresql+nosuchdriver", "postgresql+psycopg2cffi"])
def test_an_unknown_database_keeps_the_password_too(tmp_path: Path, database: str) -> None:
    with pytest.raises(TrilhoError) as caught:
        data.load(f"{database}://me:hunter2@db/shop#orders", target="paid", root=tmp_path)
    assert isinstance(caught.value, (UnknownName, MissingExtra))
    assert "hunter2" not in str(caught.value)
    if isinstance(caught.value, MissingExtra):
        assert "pip install psycopg2cffi" in caught.value.remedy


def test_an_environment_variable_that_is_not_set_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOP_PASSWORD", raising=False)
    with pytest.raises(SourceUnreadable, match="needs the environment variable SHOP_PASSWORD"):
        data.load("postgresql://me:${SHOP_PASSWORD}@db/shop#orders", target="paid", root=tmp_path)
