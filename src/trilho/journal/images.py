"""What is journaled of an image: which it was, and how large. Never the image itself.

The bytes of a month of images would fill any disk, and show people. Whoever keeps the images elsewhere finds them again
by their digest; equal digests tell a client that sends one image over and over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

DIGEST, BYTES = ".sha256", ".bytes"  # after the name of the image's column


def referenced(columns: Mapping[str, np.ndarray], images: Collection[str]) -> dict[str, np.ndarray]:
    """The columns with two in place of each image: its SHA-256 in hex, and its size in bytes; null where there is none.

    A fifth of a millisecond for 200 kB: it is done before the rows wait for the writer, so that no image does.

    Args:
        columns: Canonical. Shape (n,) each; of an image objects of bytes, or arrays of numbers.
        images: The names of those that hold images.
    """
    found: dict[str, np.ndarray] = {}
    for name, values in columns.items():
        if name not in images:
            found[name] = values
            continue
        contents = [_content(value) for value in values]
        digests = np.empty(len(contents), dtype=object)
        digests[:] = [None if content is None else hashlib.sha256(content).hexdigest() for content in contents]
        found[name + DIGEST] = digests
        found[name + BYTES] = np.array([np.nan if content is None else len(content) for content in contents])
    return found


# ----------------------------------------------------------------------------------------------------------------------


def _content(value: Any) -> bytes | None:
    if value is None or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    return np.ascontiguousarray(value).tobytes()
