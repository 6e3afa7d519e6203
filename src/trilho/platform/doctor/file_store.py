"""Runs that went into a folder beside the server: MLflow's old file store, which nothing of today reads."""

from __future__ import annotations

from pathlib import Path

from trilho.platform.doctor.finding import Finding, counted, trouble
from trilho.platform.doctor.site import Site

_FOLDERS = ("mlruns", "src/mlruns", "notebooks/mlruns")


def file_store(site: Site) -> Finding | None:
    """`The filesystem tracking backend (e.g., './mlruns') is in maintenance mode`; runs that no server shows;
    `MissingConfigException: Yaml file '…/meta.yaml' does not exist`."""
    if site.tracking_uri and not site.has_server:
        return trouble(
            f"MLFLOW_TRACKING_URI is {site.shown}, and no server's address.",
            expected="http://HOST:PORT; MLflow reads no file store since 3.13.",
            remedy="Set it to the server, or leave it out: trilho up starts one, and trilho run uses it.",
        )
    for name in _FOLDERS:
        folder = site.root / name
        experiments = [path.parent for path in folder.glob("*/meta.yaml")]
        if experiments:
            runs = sum(1 for _ in folder.glob("*/*/meta.yaml"))
            broken = [path for path in folder.glob("*/models/m-*") if not (path / "meta.yaml").exists()]
            return _found(folder, len(experiments), runs, len(broken), site)
    return None


# ---------------------------------------------------------------------------------------------------------------------


def _found(folder: Path, experiments: int, runs: int, broken: int, site: Site) -> Finding:
    target = "sqlite:///mlflow.db"
    beside = f" The server at {site.shown} does not show them." if site.shown else ""
    damage = f", {counted(broken, 'model folder')} without its meta.yaml" if broken else ""
    return trouble(
        f"{folder} is a file store: {counted(experiments, 'experiment')}, {counted(runs, 'run')}{damage}.{beside}",
        expected="Runs in a database behind a server; MLflow reads no file store since 3.13.",
        remedy=f"Take them into a database of their own, and look at it:\n"
        f"  mlflow migrate-filestore --source {folder.parent} --target {target}\n"
        f"  mlflow server --backend-store-uri {target}\n"
        f"If they are not wanted, remove {folder}\nA script that still writes there lacks MLFLOW_TRACKING_URI.",
    )
