"""Logs without secrets: whatever a library writes, known passwords and keys leave this process as ***."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

_SHORTEST = 4  # a shorter secret would blot out ordinary words, and is none


class RedactingFormatter(logging.Formatter):
    """A log's format that blots out `secrets`, in tracebacks too, plain or as an address holds them."""

    def __init__(self, form: str, secrets: Iterable[str]) -> None:
        super().__init__(form)
        plain = {secret for secret in secrets if len(secret) >= _SHORTEST}
        written = {form for secret in plain for form in (secret, quote(secret, safe=""), quote_plus(secret))}
        self._secrets = sorted(written | {quote(s, safe=" +") for s in plain}, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line, or several."""
        return self.without_secrets(super().format(record))

    def without_secrets(self, text: str) -> str:
        """`text`, with *** in place of each secret."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text
