"""Another program's answer: its exit code and what it said, within seconds."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a program said. `code` is None where it gave no answer in time."""

    code: int | None
    out: str
    problem: str  # the last line of what it complained about


def ask(*words: str, environment: Mapping[str, str], seconds: float = 8.0) -> Said | None:
    """Run a program; None where it is not installed."""
    program = shutil.which(words[0], path=environment.get("PATH"))
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, *words[1:]],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return Said(code=None, out="", problem=f"no answer within {seconds:.0f} s")
    except OSError as error:
        return Said(code=None, out="", problem=str(error))
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return Said(code=done.returncode, out=done.stdout.strip(), problem=lines[-1].strip() if lines else "")
