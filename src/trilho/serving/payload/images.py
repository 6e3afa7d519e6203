"""Images in text: base64, as MLflow's protocol sends what is binary."""

from __future__ import annotations

import base64
import binascii
from typing import Any


def image(value: Any) -> bytes | None:
    """The bytes of an image file.

    Args:
        value: Bytes; or base64, with line breaks or as a data URL if need be; or None.

    Raises:
        ValueError: it is neither.
    """
    if value is None or isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise ValueError(value)
    text = value.partition(",")[2] if value.startswith("data:") else value
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(value[:60]) from error
