"""The names by which clients may call the tracking server, as MLflow's server is told them."""

from __future__ import annotations

LOCAL_HOSTS = "localhost,localhost:*,127.0.0.1,127.0.0.1:*"


def host_patterns(names: str) -> str:
    """`names`, each with any port, and this machine's own: "mlflow" → "mlflow,mlflow:*,localhost,…".

    MLflow compares the Host header literally, port and all, and a list that is given replaces its own.
    """
    given = [name.strip() for name in names.split(",") if name.strip()]
    with_port = [f"{name}:*" for name in given if ":" not in name and name != "*"]
    return ",".join(dict.fromkeys([*given, *with_port, *LOCAL_HOSTS.split(",")]))


def origin_patterns(hosts: str) -> str:
    """The origins of MLflow's own page, opened under any of `hosts`.

    Its page is refused its own requests ("Cross-origin request blocked") under every name but localhost otherwise. A
    "*" among the hosts opens nothing here: any website could then act in the name of who visits it.
    """
    names = [name for name in hosts.split(",") if name != "*"]
    return ",".join(f"{scheme}://{name}" for name in names for scheme in ("http", "https"))
