"""Who may ask: API keys, kept as hashes and compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping

ENVIRONMENT = "TRILHO_API_KEYS"
_MOST = 1000  # spellings that are remembered


class Keys:
    """The keys that open the prediction routes; with none, everybody may ask."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._hashes = tuple(_hash(key.strip().encode()) for key in keys if key.strip())
        # What was accepted is found again by Python's keyed hash, which tells nobody how near another key came.
        self._accepted: set[bytes] = set()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Keys:
        """The keys in TRILHO_API_KEYS, separated by commas."""
        return cls(environment.get(ENVIRONMENT, "").split(","))

    def __bool__(self) -> bool:
        return bool(self._hashes)

    def allow(self, headers: Mapping[bytes, bytes]) -> bool:
        """Does a request with these headers carry a key? `X-API-Key: KEY` and `Authorization: Bearer KEY` do."""
        if not self._hashes:
            return True
        given = headers.get(b"x-api-key")
        if given is None:
            scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
            if scheme.lower() != b"bearer":
                return False
        if given in self._accepted:
            return True
        found = _hash(given.strip())
        allowed = False
        for known in self._hashes:  # all of them, so that the time says nothing about which one came near
            allowed |= hmac.compare_digest(found, known)
        if allowed and len(self._accepted) < _MOST:
            self._accepted.add(given)
        return allowed


# ----------------------------------------------------------------------------------------------------------------------


def _hash(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
