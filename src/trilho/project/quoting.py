"""Plain values as YAML text that reads back as the same values."""

from __future__ import annotations

import re
from typing import Any

import yaml

from trilho.project.tree import resolve


def quoted(value: Any) -> str:
    """A scalar, list or mapping on one line; words stay bare where that is safe."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)}: {quoted(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(quoted, value))}]"
    if isinstance(value, bool) or value is None:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        return repr(value)
    text = str(value)
    # Words of YAML 1.1 (yes, on) are quoted too: other readers of the file take them for booleans.
    bare = re.fullmatch(r"[A-Za-z_][\w./-]*", text, re.ASCII) and isinstance(resolve(text), str)
    if bare and text.lower() not in ("yes", "no", "on", "off", "y", "n"):
        return text
    return str(yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**9)).strip()


def commented(text: str, longest: int = 100) -> str:
    """Text that may stand after a # whatever it came from: one line, no control signs, not endless."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
