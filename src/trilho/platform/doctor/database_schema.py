"""Does the server's database answer, and has it the tables that the installed MLflow wants?"""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from trilho.errors import ServiceFailed
from trilho.platform.database_address import DatabaseAddress, parse_database
from trilho.platform.database_wait import wait_for_database
from trilho.platform.doctor.compose_files import is_of_containers
from trilho.platform.doctor.finding import Finding, Fix, ok, trouble
from trilho.platform.doctor.site import Site
from trilho.platform.migrating import schema_of
from trilho.platform.service import Say


def database_unreachable(site: Site) -> Finding | None:
    """MySQL, PostgreSQL: `Can't connect to MySQL server`, `Access denied for user`, `authentication failed`.

    SQLite: `unable to open database file`, or no word at all: a server over a path with a slip of the pen makes a new
    and empty database there. And an address that is none.
    """
    try:
        address = _address(site)
    except ServiceFailed as error:
        return trouble(f"{error.what} {error.why}", expected="The address of a database.", remedy=error.remedy)
    if address is None or (address.file is not None and address.file.is_file()):
        return None  # a file that is there has checks of its own
    if address.file is not None:
        return trouble(
            f"There is no file {address.file}.",
            expected="The SQLite file of a server that was started once.",
            remedy="Correct the path (--backend-store-uri, MLFLOW_BACKEND_STORE_URI): with three slashes it begins in\n"
            f"the folder that the command runs in, {site.places_from or site.root}, with four at the root.\n"
            "Of a server in a container: mount its volume, or ask doctor inside. If it never ran, start it once.",
        )
    try:
        wait_for_database(address, seconds=0)
    except ServiceFailed as error:
        return trouble(f"{error.what} {error.why}".strip(), expected="It answers a query.", remedy=error.remedy)
    return ok(f"{address.shown} answers.")


def database_schema(site: Site) -> Finding | None:
    """`Detected out-of-date database schema`, `Can't locate revision identified by`: written by another MLflow."""
    import sqlalchemy

    try:
        address = _address(site)
    except ServiceFailed:
        return None  # no address: a check of its own
    if address is None or (address.file is not None and not address.file.is_file()):
        return None
    try:
        schema, revision = schema_of(address)
    except sqlalchemy.exc.SQLAlchemyError:
        return None  # damaged, locked or gone: checks of their own
    here = version("mlflow")
    if schema in ("current", "none"):
        return ok(f"{address.shown} has the tables of MLflow {here}.")
    age = "a newer" if schema == "newer" else "an older"
    if schema == "newer":
        remedy = (
            "Install the newer MLflow where the server runs (pip install --upgrade mlflow, or the newer image), or "
        )
        remedy += "put back the copy made before it was migrated."
    else:
        remedy = "Stop the server, then: trilho doctor --fix (a copy of the database, and the migration)\n"
        remedy += "Or make a copy (trilho backup FILE), and start trilho tracking-server --migrate"
    return trouble(
        f"{address.shown} has schema {revision}, of {age} MLflow than {here}.",
        expected=f"The schema of MLflow {here}.",
        remedy=remedy,
        fix=None if schema == "newer" else _migration(address, site.root, here),
    )


# ---------------------------------------------------------------------------------------------------------------------


def _migration(address: DatabaseAddress, folder: Path, here: str) -> Fix:
    backup_in = address.file.parent if address.file else folder

    def act(say: Say) -> str:
        from trilho.platform.doctor.migration import migrate_with_copy

        return migrate_with_copy(address, backup_in=backup_in, say=say)

    return Fix(
        does=f"Copy {address.shown} to {backup_in}, and migrate it to MLflow {here}. Stop its servers before.", act=act
    )


def _address(site: Site) -> DatabaseAddress | None:
    if not site.database or is_of_containers(site, site.database_host):
        return None
    file = site.sqlite_file
    if file is None:
        return parse_database(site.database)
    return replace(parse_database(f"sqlite:///{file.as_posix()}"), file=file)
