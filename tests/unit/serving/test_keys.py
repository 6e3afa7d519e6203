from __future__ import annotations

import pytest

from trilho.serving.keys import Keys

KEYS = Keys.from_environment({"TRILHO_API_KEYS": "first-key, second-key,,"})


def test_without_keys_everybody_may_ask() -> None:
    for nobody in (Keys(), Keys.from_environment({}), Keys.from_environment({"TRILHO_API_KEYS": " , "})):
        assert not nobody
        assert nobody.allow({})


@pytest.mark.parametrize(
    "headers",
    [
        {b"x-api-key": b"first-key"},
        {b"x-api-key": b" second-key "},
        {b"authorization": b"Bearer second-key"},
        {b"authorization": b"bearer first-key"},
    ],
)
def test_each_key_opens_in_either_header(headers: dict[bytes, bytes]) -> None:
    assert KEYS
    assert KEYS.allow(headers)
    assert KEYS.allow(headers), "and again"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {b"x-api-key": b""},
        {b"x-api-key": b"first"},
        {b"x-api-key": b"first-key,second-key"},
        {b"x-api-key": b"\xff\xfe"},
        {b"authorization": b"Basic first-key"},
        {b"authorization": b"first-key"},
        {b"x-api-key": b"wrong", b"authorization": b"Bearer first-key"},
    ],
)
def test_nothing_else_does(headers: dict[bytes, bytes]) -> None:
    KEYS.allow({b"x-api-key": b"first-key"})
    assert not KEYS.allow(headers)


def test_keys_are_kept_as_hashes_until_they_are_used() -> None:
    assert b"secret" not in repr(vars(Keys(["secret"]))).encode()
