"""Addresses as they may be shown: on a terminal, in a run, in an error."""

from __future__ import annotations

import re

# USER:PASSWORD@ behind one slash or more, or at the beginning of an address without a scheme.
_LOGIN = re.compile(r"((?<=:/)/*[^/:@]*|^[^\s/:@]+):(?![/\\])(.*)@(?=[^@]*$)", re.DOTALL)
# password=…, also as codes within a value: odbc_connect=…%3BPWD%3D…
_TELLING = re.compile(
    r"([\w-]*(?:password|passwd|pwd|token|secret)[\w-]*(?:=|%3D))(?:(?!%3B|%26)[^&#;])+", re.IGNORECASE
)


def without_password(text: str) -> str:
    """`text` with *** for the password of an address in it, also of one that is mistyped.

    A password is what stands between the user and the last "@", so that one with "/" and "@" in it is hidden, too; and
    the value of a telling name behind "?" or "#". A placeholder like ${DB_PASSWORD} is no secret.
    """
    hidden = _LOGIN.sub(
        lambda found: found[0] if re.fullmatch(r"\$\{\w+\}", found[2]) else f"{found[1]}:***@", text, count=1
    )
    return _TELLING.sub(r"\1***", hidden)
