"""What is examined: where a project's parts are said to be."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from trilho.platform.backup.artifact_store import folder_of
from trilho.platform.record import read_record
from trilho.platform.service import record_path
from trilho.platform.tracking import NAME, data_folder, database_path

if TYPE_CHECKING:
    from trilho.errors import TrilhoError
    from trilho.project.file import ProjectFile

ANSWER_SECONDS = 8.0  # of the tracking server; a connection is waited for 2 s

# Environment names that hold an address of a server.
ADDRESS_NAMES = ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_URI_CLOUD", "MLFLOW_S3_ENDPOINT_URL", "PROMETHEUS_URL")


@dataclass(frozen=True, kw_only=True)
class Site:
    """Everything that checks look at. "" stands for what is not known here: the checks about it do not apply.

    A laptop knows the server's address; the server's own machine, or a container of it, also the database and the place
    of the artifacts, by the environment names that `trilho tracking-server` reads.
    """

    root: Path  # the project's folder; where there is no project, the one that doctor looks at
    places_from: Path | None = None  # where relative places of database and artifacts begin; None: at root
    environment: Mapping[str, str] = field(repr=False, default_factory=lambda: os.environ)
    state_dir: Path | None = None  # .trilho; None without a project
    local: bool = False  # the tracking server is the project's own
    tracking_uri: str = field(repr=False, default="")  # as it was written
    database: str = field(repr=False, default="")  # --backend-store-uri of the server
    artifacts: str = ""  # --artifacts-destination of the server
    data_source: str = field(repr=False, default="")
    experiment: str = ""
    model: str = ""
    prometheus: str = ""
    answers: bool = False  # whether the tracking server answers our questions; found out once, before the checks
    refusal: TrilhoError | None = field(repr=False, default=None)  # what came instead of an answer

    @property
    def has_server(self) -> bool:
        """Whether the address is one that a server can have; not a file store's path."""
        return self.tracking_uri.lower().startswith(("http:", "https:"))

    @property
    def shown(self) -> str:
        """The tracking server's address as it may be shown."""
        return without_user(self.tracking_uri)

    @property
    def sqlite_file(self) -> Path | None:
        """The SQLite file of the tracking server, where it has one and we know it."""
        scheme, _, path = self.database.partition(":///")
        if scheme.split("+")[0] != "sqlite" or not path:
            return None
        return (self.places_from or self.root) / path.partition("?")[0]

    @property
    def database_host(self) -> str:
        """The host of the database; "" for SQLite. It stands behind the last @: a password may have a slash in it."""
        _, mark, rest = self.database.partition("://")
        return host_of(f"//{rest.rpartition('@')[2]}") if mark and self.sqlite_file is None else ""

    @property
    def artifact_folder(self) -> Path | None:
        """The folder that the server keeps artifacts in, where it is one and we know it."""
        folder = folder_of(self.artifacts) if self.artifacts else None
        return None if folder is None else (self.places_from or self.root) / folder


def site_of(
    project: ProjectFile | None,
    *,
    folder: Path,
    environment: Mapping[str, str] = os.environ,
    backend_store_uri: str = "",
    artifacts_destination: str = "",
    prometheus: str = "",
) -> Site:
    """The site of `project`, or of a server's machine that has none.

    Args:
        project: What trilho.yaml says; None where there is none.
        folder: What doctor looks at, if there is no project.
        environment: Credentials and addresses by the names of MLflow and AWS; .env of the project included.
        backend_store_uri: The server's database; "" where this machine does not know it. A relative path begins, as for
            every command that takes it, in the folder that the command runs in.
        artifacts_destination: Where the server keeps artifacts; "" likewise.
        prometheus: The address of Prometheus; "" likewise.
    """
    database = backend_store_uri or environment.get("MLFLOW_BACKEND_STORE_URI", "")
    artifacts = artifacts_destination or environment.get("MLFLOW_ARTIFACTS_DESTINATION", "")
    prometheus = prometheus or environment.get("PROMETHEUS_URL", "")
    if project is None:
        return Site(
            root=folder.resolve(),
            places_from=Path.cwd(),
            environment=environment,
            tracking_uri=environment.get("MLFLOW_TRACKING_URI", ""),
            database=database,
            artifacts=artifacts,
            prometheus=prometheus,
        )
    local = not project.tracking_uri
    if local:  # its own server's places; what was started, and not what could be
        record = read_record(record_path(project.state_dir, NAME))
        file = database_path(project.state_dir)
        database = database or (f"sqlite:///{file.as_posix()}" if file.exists() else "")
        artifacts = artifacts or (str(data_folder(project.state_dir) / "artifacts") if file.exists() else "")
        address = record.address if record else ""
    else:
        address = str(project.tracking_uri)
    return Site(
        root=project.root,
        places_from=Path.cwd(),
        environment=environment,
        state_dir=project.state_dir,
        local=local,
        tracking_uri=address,
        database=database,
        artifacts=artifacts,
        data_source=project.data.source,
        experiment=project.experiment,
        model=project.register.name,
        prometheus=prometheus,
    )


def addresses(site: Site) -> dict[str, str]:
    """Every http(s) address that the site names, by the name it goes by, as written. May hold passwords."""
    found = {name: site.environment.get(name, "") for name in ADDRESS_NAMES}
    found["tracking_uri"] = "" if site.local else site.tracking_uri
    found["PROMETHEUS_URL"] = site.prometheus
    if found["tracking_uri"] == found["MLFLOW_TRACKING_URI"]:
        del found["tracking_uri"]
    return {name: address for name, address in found.items() if is_server(address)}


def is_server(address: str) -> bool:
    """Whether it has the form of a server's http(s) address. Who wants one that has not, says so itself."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # a word is refused only when it is asked for
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def host_of(address: str) -> str:
    """The host in an address; "" where there is none, or the address is none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def without_user(address: str) -> str:
    """The address without user and password."""
    scheme, mark, rest = address.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{mark}{authority.rpartition('@')[2]}{slash}{path}"


def named(model: str) -> str:
    """MLflow's filter for versions of `model`. A name never holds both kinds of quotes."""
    quote = '"' if "'" in model else "'"
    return f"name = {quote}{model}{quote}"
