"""Tests of rights that files have, for root, too, whom they do not bind."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NOBODY = 65534


@contextmanager
def as_ordinary_user() -> Iterator[Path]:
    """A new folder whose owner is bound by the modes of files. Inside, the tests are that user, root or not.

    What the block needs should be imported before: a nobody may not be able to read Python's own files.
    """
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with tempfile.TemporaryDirectory() as folder:
        if root:
            os.chown(folder, _NOBODY, _NOBODY)
            os.seteuid(_NOBODY)
        try:
            yield Path(folder)
        finally:
            if root:
                os.seteuid(0)
            Path(folder).chmod(0o700)
