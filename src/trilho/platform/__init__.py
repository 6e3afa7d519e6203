"""The platform on one machine: what runs, started once, watched by its own answers, stopped whole.

`ensure_tracking(state_dir)` gives the address of the project's tracking server, starting it if need be; asking a server
that runs costs one request. `services(project)` lists what `trilho up` starts; `ensure`, `stop`, `statuses` act on it.
"""

from trilho.platform.address import known_address, server_address
from trilho.platform.known import check_name, known_names, services
from trilho.platform.logs import follow, tail
from trilho.platform.monitoring import monitor_service
from trilho.platform.service import Record, Service, Status, log_path
from trilho.platform.serving import serving_service
from trilho.platform.supervise import ensure, status, statuses, stop
from trilho.platform.tracking import ensure_tracking, tracking_service

__all__ = [
    "Record",
    "Service",
    "Status",
    "check_name",
    "ensure",
    "ensure_tracking",
    "follow",
    "known_address",
    "known_names",
    "log_path",
    "monitor_service",
    "server_address",
    "services",
    "serving_service",
    "status",
    "statuses",
    "stop",
    "tail",
    "tracking_service",
]
