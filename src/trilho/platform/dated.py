"""Names of copies that are made before something is changed."""

from __future__ import annotations

import itertools
import time
from pathlib import Path


def dated(folder: Path, name: str, ending: str = "") -> Path:
    """NAME-20260131-235959 in `folder`, which nothing has yet: a script does the same twice in a second.

    Args:
        ending: Such as ".tar.zst".
    """
    begun = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    numbered = (f"{begun}{'' if number == 1 else f'-{number}'}{ending}" for number in itertools.count(1))
    return next(path for each in numbered if not (path := folder / each).exists())
