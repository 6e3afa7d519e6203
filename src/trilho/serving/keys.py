"""Who may ask: API keys, kept as hashes and compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping

ENVIRONMENT = "TRILHO_API_KEYS"


class Keys:
    """The keys that open the prediction routes; with none, everybody may ask."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._hashes = tuple(_hash(key.strip().encode()) for key in keys if key.strip())

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
        found = _hash(given.strip())
        # Every key is compared, so that the time says nothing about which one came near.
        return sum([hmac.compare_digest(found, known) for known in self._hashes]) > 0


# ----------------------------------------------------------------------------------------------------------------------


def _hash(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
