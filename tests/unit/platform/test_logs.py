from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilho.platform import logs

text = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=20)


@given(lines=st.lists(text, max_size=40), asked=st.integers(0, 50), ended=st.booleans(), block=st.integers(1, 64))
def test_last_lines_are_the_end_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], asked: int, ended: bool, block: int
) -> None:
    path = tmp_path_factory.mktemp("logs") / "small.log"
    content = "\n".join(lines) + ("\n" if ended and lines else "")
    path.write_bytes(content.encode())
    before = logs._BLOCK
    logs._BLOCK = block
    try:
        found = logs.tail(path, asked)
    finally:
        logs._BLOCK = before
    assert found == (content.splitlines()[-asked:] if asked else [])


def test_missing_log_has_no_lines(tmp_path: Path) -> None:
    assert logs.tail(tmp_path / "none.log", 10) == []
    assert logs.since(tmp_path / "none.log", 0) == ""


def test_bytes_that_are_no_text_do_not_stop_reading(tmp_path: Path) -> None:
    path = tmp_path / "small.log"
    path.write_bytes(b"good\n\xff\xfe\nlast\n")
    assert logs.tail(path, 3) == ["good", "\ufffd\ufffd", "last"]


def test_following_yields_whole_lines_as_they_are_appended(tmp_path: Path) -> None:
    path = tmp_path / "small.log"
    path.write_text("before\n", encoding="utf-8")
    following = logs.follow(path, every=0.001)
    seen: list[str] = []
    waiting = threading.Thread(target=lambda: seen.append(next(following)))
    waiting.start()
    while not seen:  # until the follower has found where the log ends
        append(path, "after\n")
    waiting.join()
    append(path, "half")
    append(path, " and half\n")
    assert seen == ["after"]
    assert next(line for line in following if line != "after") == "half and half"


def test_following_goes_on_when_the_log_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "small.log"
    path.touch()
    following = logs.follow(path, every=0.001)
    seen: list[str] = []
    waiting = threading.Thread(target=lambda: seen.append(next(following)))
    waiting.start()
    while not seen:
        append(path, "after\n")
    waiting.join()
    append(path, "last\n")
    while next(following) != "last":
        pass
    path.write_text("new\n", encoding="utf-8")
    assert next(following) == "new"


def append(path: Path, content: str) -> None:
    with path.open("a", encoding="utf-8") as log:
        log.write(content)


def test_long_log_is_put_aside_and_a_short_one_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "small.log"
    path.write_text("content", encoding="utf-8")
    logs.put_aside(path)
    assert path.exists()
    monkeypatch.setattr(logs, "_KEPT", 3)
    logs.put_aside(path)
    assert not path.exists()
    assert (tmp_path / "small.log.old").read_text(encoding="utf-8") == "content"
    logs.put_aside(path)
