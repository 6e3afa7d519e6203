"""A database's password that was typed on the command line, which all users of the machine can read."""

from __future__ import annotations

import os
import sys

STORE = "MLFLOW_BACKEND_STORE_URI"

_FLAG = "--backend-store-uri"


def hide_password(uri: str | None) -> None:
    """Begin the command anew with the address `uri` in the environment, where it was on the command line.

    Returns where there is nothing to hide; and, after a word to the user, on Windows, which cannot do it.
    """
    words = sys.orig_argv
    if not uri or "@" not in uri or not any(uri in word for word in words):
        return
    if os.name != "posix":
        from trilho.cli.output import progress

        progress(f"Everybody on this machine can read the password on the command line: put the address into {STORE}.")
        return
    kept, skip = [words[0]], False
    for word in words[1:]:
        if skip or word == f"{_FLAG}={uri}":
            skip = False
        elif word == _FLAG:
            skip = True
        else:
            kept.append(word)
    os.execve(sys.executable, kept, {**os.environ, STORE: uri})
