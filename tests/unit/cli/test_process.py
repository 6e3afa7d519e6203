"""The command line as a process: it builds the verb that is asked for, and leaves quickly but not rudely."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.main import get_command

from trilho.cli.main import VERBS, application

TRILHO = [sys.executable, "-m", "trilho.cli"]


def ended(*words: str, code: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *words] if code else [*TRILHO, *words]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def test_all_verbs_are_there_unless_one_is_asked_for() -> None:
    every = {verb.replace("_", "-") for verbs in VERBS.values() for verb in verbs}
    assert set(get_command(application()).commands) == every  # type: ignore[attr-defined]
    assert set(get_command(application("tracking-server")).commands) == {"tracking-server"}  # type: ignore[attr-defined]
    assert set(get_command(application("--version")).commands) == every  # type: ignore[attr-defined]


def test_unknown_verb_is_wrong_usage_and_the_near_one_is_named() -> None:
    done = ended("promot")
    assert (done.returncode, done.stdout) == (2, "")
    assert "promote" in done.stderr


def test_help_of_a_verb_reaches_a_pipe_whole() -> None:
    done = ended("run", "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage:")
    assert "--force" in done.stdout


def test_error_has_its_exit_code_and_goes_to_stderr() -> None:
    done = ended("status", "--project", "no such folder")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no such folder" in done.stderr


def test_what_was_to_be_done_at_the_end_of_the_process_is_done() -> None:
    code = """
import atexit, sys
from trilho.cli.main import process
atexit.register(lambda: print("tidied up"))
sys.argv[0] = "trilho"
process()
"""
    done = ended("--version", code=code)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "tidied up"


def test_bug_shows_its_traceback() -> None:
    code = """
import trilho.cli.main as command_line
command_line.application = lambda *_: 1 / 0
command_line.process()
"""
    done = ended(code=code)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


def test_list_of_verbs_cuts_no_description_on_a_narrow_terminal() -> None:
    done = ended("--help")
    listed = done.stdout.split("Commands:")[1].strip().splitlines()
    assert len(listed) > 20
    assert not [line for line in listed if line.endswith("...")]


@pytest.mark.parametrize(("verb", "told"), [("run", "trilho run goes on"), ("score", "the same command"), ("ps", "")])
def test_interrupt_says_what_is_kept_of_this_verb(verb: str, told: str) -> None:
    code = """
import trilho.cli.main as command_line
def interrupted(*_):
    raise SystemExit(130)
command_line.application = lambda *_: interrupted
command_line.process()
"""
    done = ended(verb, code=code)
    assert done.returncode == 130
    assert done.stderr.strip().startswith("Stopped.")
    assert told in done.stderr
    assert ("trilho run" in done.stderr) == (verb == "run")
