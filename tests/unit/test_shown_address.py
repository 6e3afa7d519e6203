"""No password is in an address that is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilho.shown_address import without_password

WORDS = st.text(st.sampled_from("abcXYZ019-._"), min_size=1, max_size=8)
SECRETS = st.text(st.sampled_from("abcXYZ019:/?#%+&=@"), max_size=12).map("hunter2{}".format)


@given(user=WORDS, secret=SECRETS, host=WORDS, database=WORDS)
def test_no_password_survives_whatever_it_is_made_of(user: str, secret: str, host: str, database: str) -> None:
    shown = without_password(f"postgresql://{user}:{secret}@{host}/{database}#orders")
    assert shown == f"postgresql://{user}:***@{host}/{database}#orders"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https:/ana:hunter2@host:5000", "https:/ana:***@host:5000"),
        ("http://ana:hun/ter2@host:50x0", "http://ana:***@host:50x0"),
        ("--set tracking_uri=http://ana:hunter2@host", "--set tracking_uri=http://ana:***@host"),
        ("http://:hunter2@host", "http://:***@host"),
        ("mysql://h/d?user=ana&password=hunter2", "mysql://h/d?user=ana&password=***"),
        ("mysql://h/d?password=hunter%40tail&a=b", "mysql://h/d?password=***&a=b"),
        ("postgresql://h/d?sslpassword=hunter2#orders", "postgresql://h/d?sslpassword=***#orders"),
        ("https://h/a.csv?access_token=hunter2", "https://h/a.csv?access_token=***"),
        ("s3://b/a.csv?aws_secret_access_key=hunter2", "s3://b/a.csv?aws_secret_access_key=***"),
        ("a:///?odbc_connect=SERVER%3Dh%3BPWD%3Dhunter2%3BA%3Db", "a:///?odbc_connect=SERVER%3Dh%3BPWD%3D***%3BA%3Db"),
        ("ana:hunter2@host:5000", "ana:***@host:5000"),
        ("http://ana:hun\nter2@host", "http://ana:***@host"),
    ],
)
def test_nor_in_an_address_that_is_mistyped_or_has_it_elsewhere(text: str, shown: str) -> None:
    assert without_password(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "a://me:${PASSWORD}@h/d",
        "sqlite:///shop.db#orders",
        "http://127.0.0.1:5000/prefix",
        "http://[::1]:5000",
        "s3://bucket/a@b.csv",
        "data/ana@home.csv",
        "C:\\ana@home\\a.csv",
        "own:orders",
        "host:5000",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert without_password(text) == text
