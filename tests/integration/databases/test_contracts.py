"""What holds over SQLite and a folder holds over MariaDB and PostgreSQL with artifacts in S3: the very same tests."""

from __future__ import annotations

from integration import test_registry_rivals, test_sending, test_series
from integration.test_registry_store import TestMlflowVersionStore

__all__ = ["TestMlflowVersionStore"]

_OTHER_SERVERS = {
    "test_server_killed_half_way_is_caught_up_after_its_restart",  # starts its own, over SQLite
    "test_living_run_is_seen_as_alive",
    "test_damaged_header_names_the_folder",
    "test_header_is_what_was_written",
}

for _module in (test_registry_rivals, test_sending, test_series):
    for _name, _found in vars(_module).items():
        if _name.startswith("test_") and callable(_found) and _name not in _OTHER_SERVERS:
            globals()[_name] = _found


from integration.test_registry_rivals import store  # noqa: E402, F401
from integration.test_sending import client  # noqa: E402, F401
