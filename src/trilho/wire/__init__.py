"""How we reach MLflow without importing it: its REST API over the standard library.

`connect` gives a `Client`; `probe` asks in two seconds whether anybody is there at all (MLflow's own client takes more
than four minutes to notice a dead server). A `Line` is for what goes on without a server.
"""

from trilho.wire.address import Address, parse_address
from trilho.wire.artifacts import PROXY_SCHEME, download, upload
from trilho.wire.client import CONNECT_SECONDS, Client, connect, probe
from trilho.wire.credentials import credentials_file, forget_credentials, keep_credentials
from trilho.wire.line import Line
from trilho.wire.rights import FORBIDDEN, NOT_KNOWN

__all__ = [
    "CONNECT_SECONDS",
    "FORBIDDEN",
    "NOT_KNOWN",
    "PROXY_SCHEME",
    "Address",
    "Client",
    "Line",
    "connect",
    "credentials_file",
    "download",
    "forget_credentials",
    "keep_credentials",
    "parse_address",
    "probe",
    "upload",
]
