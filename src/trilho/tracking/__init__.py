"""What was tried: runs, spooled on disk first, then sent to the tracking server, each once."""

from trilho.tracking.run import RunHeader, SentModel, SentRun
from trilho.tracking.sending import RUN_KEY, send, send_records
from trilho.tracking.series import Point, Series
from trilho.tracking.spool import SpooledRun, discard, is_alive, one_sync, read_header, read_log, start_run, waiting

__all__ = [
    "RUN_KEY",
    "Point",
    "RunHeader",
    "SentModel",
    "SentRun",
    "Series",
    "SpooledRun",
    "discard",
    "is_alive",
    "one_sync",
    "read_header",
    "read_log",
    "send",
    "send_records",
    "start_run",
    "waiting",
]
