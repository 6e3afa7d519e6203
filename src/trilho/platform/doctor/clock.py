"""Does this machine's clock agree with those of its servers? Signed requests to S3 and tokens depend on it."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

from trilho.platform.doctor.finding import Finding, ok, trouble
from trilho.platform.doctor.http import get
from trilho.platform.doctor.site import Site, addresses, without_user

ALLOWED_SECONDS = 60.0  # S3 refuses requests that are 15 minutes off; runs are out of order long before
REMEDY = (
    "Let the wrong one follow a time server: timedatectl set-ntp true (Linux), w32tm /resync (Windows), "
    "sntp -sS pool.ntp.org (macOS). A virtual machine that slept, or WSL: restart it."
)


def clock(site: Site) -> Finding | None:
    """`RequestTimeTooSkewed: The difference between the request time and the server's time is too large`."""
    asked = {"the tracking server": site.tracking_uri} | addresses(site)
    measured = {}
    for name, address in asked.items():
        skew = _ahead(address) if address.startswith("http") else None
        if skew is not None:
            measured[f"{name}, {without_user(address)}"] = skew
    if not measured:
        return None
    name, skew = max(measured.items(), key=lambda item: abs(item[1]))
    if abs(skew) <= ALLOWED_SECONDS:
        return ok(f"The clocks are within {max(1.0, abs(skew)):.0f} s.")
    return trouble(
        f"This machine's clock is {abs(skew):,.0f} s {'ahead of' if skew > 0 else 'behind'} that of {name}.",
        expected=f"At most {ALLOWED_SECONDS:.0f} s. S3 refuses requests that are 900 s off.",
        remedy=REMEDY,
    )


# ---------------------------------------------------------------------------------------------------------------------


def _ahead(address: str) -> float | None:
    """Seconds that our clock is ahead of the server's; None where it does not tell. Good to a second."""
    before = time.time()
    answer = get(without_user(address).rstrip("/") + "/health")
    middle = (before + time.time()) / 2
    try:
        told = parsedate_to_datetime(answer.headers["date"]) if answer is not None else None
    except (KeyError, ValueError, TypeError):
        return None
    return None if told is None else middle - told.timestamp()
