"""Artifact locations that are paths of a machine: "/mlruns/1", "file:///mlruns/1", "./mlruns/1", "C:\\mlruns\\1"."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit


def local_path(location: str) -> Path | None:
    """The folder that `location` means on the machine that wrote it; None for mlflow-artifacts:, s3: and the like."""
    if not location:
        return None
    parts = urlsplit(location)
    if parts.scheme == "file":
        path = unquote(parts.path)
        if os.name == "nt" or path[2:3] == ":":  # file:///C:/mlruns
            path = path.lstrip("/")
        return Path(path)
    if not parts.scheme or len(parts.scheme) == 1:  # a single letter is a drive
        return Path(location)
    return None
