"""Does a bundle open and answer here? Tried in a process of its own, so that one that crashes takes nobody along.

`python -m trilho.serving.trying` reads what to open as JSON from its standard input and answers as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from trilho import bundle
from trilho.errors import BundleDamaged, ServiceFailed, TrilhoError
from trilho.serving.orders import retold, told

SECONDS = 600.0  # a large native model on a slow disk takes its time


def open_warm(path: Path, *, trust_code: bool, trusted: Sequence[str]) -> bundle.Predictor:
    """An open bundle that has answered already: opening asks it the rows it was shipped with.

    Raises:
        BundleDamaged, UntrustedModel: as `bundle.open`; ServiceFailed for whatever else the model raises.
    """
    try:
        return bundle.open(path, trust_code=trust_code, trusted=trusted)
    except TrilhoError:
        raise
    except Exception as error:  # a model is somebody else's code: it may raise anything
        raise ServiceFailed(
            f"The model in {path.name} cannot be opened here.",
            why=f"{type(error).__name__}: {error}",
            remedy="Install what it was trained with: trilho compare shows the versions of packages.",
        ) from error


def try_in_a_process(path: Path, *, trust_code: bool, trusted: Sequence[str], seconds: float = SECONDS) -> None:
    """Nothing, if the bundle opens and answers as it did where it was made.

    Raises:
        BundleDamaged, UntrustedModel, ServiceFailed: it does not.
    """
    wanted = {"path": str(path), "trust_code": trust_code, "trusted": list(trusted)}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "trilho.serving.trying"],
            input=json.dumps(wanted),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=seconds,
            check=False,
        )
        answer = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired as error:
        raise _broken(path, f"It had not opened after {seconds:g} s.") from error
    except (IndexError, ValueError):
        why = "\n".join(done.stderr.strip().splitlines()[-5:]) or f"The process ended with {done.returncode}."
        raise _broken(path, why) from None
    if answer is not None:
        raise retold(answer)


# ----------------------------------------------------------------------------------------------------------------------


def _broken(path: Path, why: str) -> BundleDamaged:
    return BundleDamaged(
        f"The bundle {path.name} does not open.", why=why, remedy="Promote a version that does: trilho rollback"
    )


def _main() -> None:
    wanted = json.load(sys.stdin)
    error = None
    try:
        open_warm(Path(wanted["path"]), trust_code=wanted["trust_code"], trusted=wanted["trusted"])
    except TrilhoError as caught:
        error = told(caught)
    sys.stdout.write(json.dumps(error) + "\n")
    sys.stdout.flush()
    os._exit(0)  # taking apart what was imported helps nobody


if __name__ == "__main__":
    _main()
