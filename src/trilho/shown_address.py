"""Addresses as they may be shown: on a terminal, in a run, in an error."""

from __future__ import annotations

import re


def without_password(text: str) -> str:
    """`text` with *** for the password of an address in it, also of one that is mistyped.

    A password is what stands between the user and the last "@", so that one with "/" and "@" in it is hidden, too; and
    the value of a telling name behind "?" or "#". A placeholder like ${DB_PASSWORD} is no secret.
    """
    hidden = re.sub(
        r"(?<=:/)(/*[^/:@]*):(.*)@(?=[^@]*$)",
        lambda found: found[0] if re.fullmatch(r"\$\{\w+\}", found[2]) else f"{found[1]}:***@",
        text,
        count=1,
    )
    return re.sub(r"(?i)\b(password|passwd|pwd|token|secret)(=|%3D)[^&#;%]+", r"\1\2***", hidden)
