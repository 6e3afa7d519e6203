"""All checks, the likeliest trouble first. docs/guides/troubleshooting.md has a section for each."""

from __future__ import annotations

from trilho.platform.doctor.artifact_roots import artifact_roots, artifacts_unwritable
from trilho.platform.doctor.clock import clock
from trilho.platform.doctor.containers import container_names, docker
from trilho.platform.doctor.database_file import database_damaged, database_locked
from trilho.platform.doctor.database_schema import database_schema, database_unreachable
from trilho.platform.doctor.disk import disk
from trilho.platform.doctor.examining import Check
from trilho.platform.doctor.file_store import file_store
from trilho.platform.doctor.history import empty_experiments, no_versions, runs_without_metrics
from trilho.platform.doctor.host_names import host_names
from trilho.platform.doctor.kubernetes import kubernetes
from trilho.platform.doctor.model_files import model_files
from trilho.platform.doctor.object_store import bucket, s3_access
from trilho.platform.doctor.prometheus import prometheus_targets
from trilho.platform.doctor.server import host_refused, listening_address, login_refused, server_unreachable, wrong_port
from trilho.platform.doctor.versions import versions

CHECKS = tuple(
    Check(name=look.__name__.replace("_", "-"), look=look)
    for look in (
        server_unreachable,
        listening_address,
        wrong_port,
        host_names,
        host_refused,
        login_refused,
        artifact_roots,
        artifacts_unwritable,
        model_files,
        database_unreachable,
        database_locked,
        database_damaged,
        database_schema,
        bucket,
        s3_access,
        clock,
        docker,
        container_names,
        kubernetes,
        disk,
        versions,
        file_store,
        empty_experiments,
        runs_without_metrics,
        no_versions,
        prometheus_targets,
    )
)
