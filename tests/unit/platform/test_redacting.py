from __future__ import annotations

import logging
import sys
from urllib.parse import quote

from hypothesis import assume, given
from hypothesis import strategies as st

from trilho.platform.redacting import RedactingFormatter


def written(text: str, *secrets: str) -> str:
    record = logging.LogRecord("mlflow", logging.ERROR, "file", 1, "%s", (text,), None)
    return RedactingFormatter("%(message)s", secrets).format(record)


def test_a_secret_leaves_plain_or_as_addresses_hold_it() -> None:
    secret = "p@ss:w/%s d"
    assert written(f"a {secret} b mysql://u:{quote(secret, safe='')}@h", secret) == "a *** b mysql://u:***@h"


def test_a_secret_in_a_traceback_is_blotted_out() -> None:
    try:
        raise ValueError("no entry with s3cr3t-word")
    except ValueError:
        record = logging.LogRecord("mlflow", logging.ERROR, "file", 1, "failed", (), sys.exc_info())
    assert "s3cr3t-word" not in RedactingFormatter("%(message)s", ["s3cr3t-word"]).format(record)


def test_an_empty_or_tiny_secret_leaves_the_text_alone() -> None:
    assert written("an ordinary line", "", "or") == "an ordinary line"


@given(st.text(min_size=4), st.text(), st.text())
def test_no_secret_is_in_what_is_written(secret: str, before: str, after: str) -> None:
    assume("*" not in secret)
    assert secret not in written(before + secret + after, secret) or secret in before + "***" + after
