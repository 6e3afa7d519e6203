"""What the user wrote: find the project, read trilho.yaml into frozen values, say where each value came from.

Loads nothing heavier than PyYAML.
"""

from __future__ import annotations

from trilho.project.file import ProjectFile
from trilho.project.loading import find, load

__all__ = ["ProjectFile", "find", "load"]
