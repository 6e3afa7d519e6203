"""File systems of a few kilobytes, and such that nobody may write to."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    """A file system of its own at `folder`, which is made if need be; a skip where only root may have one.

    Args:
        options: As for mount -o: "size=1m", "ro".
    """
    folder.mkdir(exist_ok=True)
    if not sys.platform.startswith("linux") or shutil.which("mount") is None:
        pytest.skip("a small file system of its own needs Linux, and its command mount (apt-get install mount)")
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"only root may mount a small file system, with CAP_SYS_ADMIN: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)  # -l: what was just killed may still hold it


def change_disk(folder: Path, options: str) -> None:
    """Another size for the file system at `folder`, or "ro": nothing in it can be changed any more."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)
