"""Do the names in addresses have an address here?"""

from __future__ import annotations

import os
import socket

from trilho.platform.doctor.compose_files import is_of_containers
from trilho.platform.doctor.finding import Finding, ok, trouble
from trilho.platform.doctor.site import Site, addresses, host_of

# Names that services have among the containers of one compose file, or of this project's.
_OF_COMPOSE = ("mlflow", "db", "s3", "minio", "webapp", "postgres", "mysql", "mlflow-server", "tracking")


def host_names(site: Site) -> Finding | None:
    """`Failed to resolve 'mlflow.hm-mlflow.local' ([Errno -2] Name or service not known)`."""
    names = _names(site)
    if not names:
        return None
    lost = {host: said for host in names if (said := _problem(host))}
    if not lost:
        return ok(f"{', '.join(names)} found.")
    measured = "; ".join(f"{host} (in {names[host]}): {said}" for host, said in lost.items())
    remedies = []
    for host in lost:
        if host.endswith((".svc", ".cluster.local")):
            remedies.append(f"{host} is a name inside a Kubernetes cluster. From here: kubectl port-forward")
        elif "." not in host and host in _OF_COMPOSE:
            remedies.append(f"{host} is a name between the containers of a compose file. From here: 127.0.0.1")
        else:
            remedies.append(f"Add a line to {_hosts_file()}: ADDRESS {host}")
    return trouble(
        measured,
        expected="Each name leads to an address.",
        remedy="\n".join(remedies) + "\nOr correct the name, or ask who runs the DNS for it.",
    )


# ---------------------------------------------------------------------------------------------------------------------


def _names(site: Site) -> dict[str, str]:
    """Host names → the setting that names them. Addresses in numbers need no look-up."""
    found = {host_of(address): name for name, address in addresses(site).items()}
    load_balancer = site.environment.get("ALB_DNS_NAME", "").strip()
    if load_balancer and "<" not in load_balancer:
        found[load_balancer] = "ALB_DNS_NAME"
    if site.database_host:
        found[site.database_host] = "the address of the database"
    asked = host_of(site.tracking_uri)  # from here, and not by a container
    found = {host: name for host, name in found.items() if host == asked or not is_of_containers(site, host)}
    return {
        host: name for host, name in found.items() if host and not host.replace(".", "").isdigit() and ":" not in host
    }


def _problem(host: str) -> str:
    try:
        socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return str(error)
    return ""


def _hosts_file() -> str:
    if os.name == "nt":
        return r"C:\Windows\System32\drivers\etc\hosts"
    return "/etc/hosts"
