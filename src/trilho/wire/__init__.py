"""How we reach MLflow without importing it: its REST API over the standard library.

`connect` gives a `Client`; `probe` asks in two seconds whether anybody is there at all (MLflow's own client takes more
than four minutes to notice a dead server).
"""

from trilho.wire.address import Address, parse_address
from trilho.wire.artifacts import PROXY_SCHEME, download, upload
from trilho.wire.client import Client, connect, probe

__all__ = ["PROXY_SCHEME", "Address", "Client", "connect", "download", "parse_address", "probe", "upload"]
