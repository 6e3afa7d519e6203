"""Do the MLflow here and the one of the server understand each other?"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, requires, version

from trilho.platform.doctor.finding import Finding, ok, trouble
from trilho.platform.doctor.http import get
from trilho.platform.doctor.site import Site


def versions(site: Site) -> Finding | None:
    """`API request to endpoint /api/2.0/mlflow/logged-models failed with error code 404`: the server is too old."""
    from packaging.requirements import Requirement
    from packaging.version import InvalidVersion, Version

    if not site.has_server:
        return None
    answer = get(site.shown.rstrip("/") + "/version")
    try:
        here = version("mlflow")
        there = Version(answer.text.strip()) if answer is not None and answer.status == 200 else None
    except (InvalidVersion, PackageNotFoundError):
        return None  # not MLflow: a check of its own
    if there is None:
        return None
    needed = next((one for line in requires("trilho") or [] if (one := Requirement(line)).name == "mlflow"), None)
    if needed is None or needed.specifier.contains(there, prereleases=True):
        return ok(f"MLflow {here} here, {there} on the server.")
    newer = there.major > Version(here).major
    return trouble(
        f"MLflow {here} here, {there} on the server.",
        expected=f"A server of mlflow{needed.specifier}.",
        remedy="Upgrade trilho on this machine: pip install --upgrade trilho"
        if newer
        else "Upgrade the server: a backup first (trilho backup FILE), pip install --upgrade 'mlflow>=3.13' there,\n"
        "then mlflow db upgrade URI.",
    )
