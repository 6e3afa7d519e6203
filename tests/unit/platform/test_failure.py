from __future__ import annotations

from collections.abc import Callable

import pytest

from trilho.platform.failure import cause_of
from trilho.platform.service import Service
from trilho.platform.tracking import tracking_service

MakeService = Callable[..., Service]


@pytest.mark.parametrize(
    ("text", "told", "remedy"),
    [
        ("cannot listen on 127.0.0.1:5000: [Errno 98] Address already in use", "port", "--port"),
        ("[Errno 48] error while attempting to bind on address", "port", "--port"),
        ("OSError: [WinError 10048] Only one usage of each socket address", "port", "--port"),
        ("sqlite3.OperationalError: database or disk is full", "disk is full", "Free some space"),
        ("OSError: [Errno 28] No space left on device: 'x'", "disk is full", "Free some space"),
        ("sqlite3.OperationalError: attempt to write a readonly database", "may not write", "writable"),
        ("sqlite3.OperationalError: unable to open database file", "may not write", "writable"),
        ("PermissionError: [Errno 13] Permission denied: 'artifacts'", "may not write", "writable"),
        ("ModuleNotFoundError: No module named 'flask'", "package", "pip install"),
        (
            "Detected out-of-date database schema (found version 1, but expected 2)",
            "another MLflow",
            "mlflow db upgrade",
        ),
        ("Can't locate revision identified by 'ffffffff'", "another MLflow", "pip install --upgrade mlflow"),
        ("sqlite3.DatabaseError: file is not a database", "damaged", "Put back a copy"),
        ("sqlite3.DatabaseError: database disk image is malformed", "damaged", "Put back a copy"),
    ],
)
def test_known_cause_of_death_has_a_remedy(make_service: MakeService, text: str, told: str, remedy: str) -> None:
    service = tracking_service(make_service(port=1).state_dir)
    cause = cause_of(service, f"Traceback …\n{text}\nmore")
    assert cause is not None
    assert told in cause.what
    assert remedy in cause.remedy


def test_unknown_cause_is_not_guessed(make_service: MakeService) -> None:
    assert cause_of(tracking_service(make_service(port=1).state_dir), "KeyError: 'x'") is None
