"""The trilho that runs here, as a wheel: what an image gets is then what was tried on this machine, released or not."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from importlib.metadata import distribution, version
from importlib.resources import files
from pathlib import Path

_MADE = (2020, 1, 1, 0, 0, 0)  # the same bytes each time
_LEFT_OUT = ("__pycache__", ".DS_Store")
_METADATA = ("METADATA", "entry_points.txt")


def wheel_name() -> str:
    """The name that pip asks of the file."""
    return f"trilho-{version('trilho')}-py3-none-any.whl"


def wheel() -> bytes:
    """The bytes of a wheel made from the package's own files, whether it was installed or is a checkout.

    The format is that of the specification "Binary distribution format" of the Python Packaging User Guide.
    """
    package = Path(str(files("trilho")))
    paths = sorted(path for path in package.rglob("*") if path.is_file() and not set(path.parts) & set(_LEFT_OUT))
    members = {f"trilho/{path.relative_to(package).as_posix()}": path.read_bytes() for path in paths}
    installed = distribution("trilho")
    info = f"trilho-{installed.version}.dist-info"
    for name in _METADATA:
        members[f"{info}/{name}"] = (installed.read_text(name) or "").encode()
    members[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: trilho\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    members[f"{info}/RECORD"] = _record(members, f"{info}/RECORD")
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, _MADE)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, compresslevel=1)
    return made.getvalue()


# ----------------------------------------------------------------------------------------------------------------------


def _record(members: dict[str, bytes], own: str) -> bytes:
    rows = io.StringIO()
    table = csv.writer(rows, lineterminator="\n")
    for name, content in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        table.writerow([name, f"sha256={digest}", len(content)])
    table.writerow([own, "", ""])
    return rows.getvalue().encode()
