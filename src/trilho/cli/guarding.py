"""What `trilho monitor --every` does between two looks: guard the version that was promoted last."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from trilho.cli import output

if TYPE_CHECKING:
    from trilho.monitoring import Guarded
    from trilho.platform.heartbeat import Heartbeat
    from trilho.project import ProjectFile

LOOK_SECONDS = 5.0  # between two looks at the model server


class Guard:
    """Looks every few seconds, and says what it did, once.

    Args:
        json: Standard output belongs to reports.
    """

    def __init__(self, file: ProjectFile, *, json: bool) -> None:
        from trilho.monitoring import Guarded

        self._file, self._json = file, json
        self._known = Guarded()
        self._trouble = ""

    def wait(self, seconds: float, heartbeat: Heartbeat) -> bool:
        """Wait, guarding meanwhile. False once nobody wants this service any more."""
        if not self._file.guard.lasts:
            return heartbeat.wait(seconds)
        over = time.monotonic() + seconds
        while (left := over - time.monotonic()) > 0:
            self.look()
            if not heartbeat.wait(min(left, LOOK_SECONDS)):
                return False
        return True

    def look(self) -> None:
        """Look once. What goes wrong is said once, and tried again at the next look."""
        from trilho import delivery
        from trilho.errors import TrilhoError
        from trilho.platform.address import known_address

        try:
            found = delivery.guard(self._file, self._known, server=lambda _: known_address(self._file))
        except TrilhoError as error:
            if error.what != self._trouble:
                output.progress(f"{error}\nThe guard looks again.")
            self._trouble = error.what
            return
        self._trouble = ""
        before, self._known = self._known, found
        for name, text in _news(self._file, before, found):
            if self._json:
                output.progress(f"{name} {text}")
            else:
                output.state(name, text)
        sys.stdout.flush()


# ----------------------------------------------------------------------------------------------------------------------


def _news(file: ProjectFile, before: Guarded, found: Guarded) -> list[tuple[str, str]]:
    from trilho.settings import format_duration

    name = file.register.name
    told: list[tuple[str, str]] = []
    began, ended, back = found.promotion, before.promotion, found.rollback
    same = began is not None and ended is not None and began.number == ended.number
    if ended is not None and not same and before.rollback is None:
        stays = before.reading.in_charge == found.reading.in_charge
        how = f"stays: {before.why}" if stays else f"is not in charge any more, v{found.reading.in_charge} is"
        told.append(("Guarded", f"{name} v{ended.after} {how}"))
    if began is not None and not same:
        told.append(
            ("Guarding", f"{name} v{began.after}, was v{began.before}, for {format_duration(file.guard.lasts)}")
        )
    if back is not None and before.rollback is None:
        told.append(("Rolled back", f"{name} v{back.after} is champion, was v{back.before}: {found.why}"))
    return told
