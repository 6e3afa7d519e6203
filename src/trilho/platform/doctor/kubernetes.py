"""Kubernetes or Minikube, where the project has manifests: does the cluster answer?"""

from __future__ import annotations

from pathlib import Path

from trilho.platform.doctor.command import ask
from trilho.platform.doctor.finding import Finding, ok, trouble, unknown
from trilho.platform.doctor.site import Site

_PLACES = ("k8s", "kubernetes", "deploy/kubernetes", "deployment.yaml")


def kubernetes(site: Site) -> Finding | None:
    """`The connection to the server … was refused - did you specify the right host or port?`; Minikube is stopped."""
    if not any((site.root / Path(place)).exists() for place in _PLACES):
        return None
    context = ask("kubectl", "config", "current-context", environment=site.environment)
    if context is None:
        return unknown("There are manifests for Kubernetes, and no kubectl on this machine.")
    name = context.out if context.code == 0 else ""
    said = ask("kubectl", "version", "-o", "json", "--request-timeout=4s", environment=site.environment)
    if said is not None and said.code == 0:
        return ok(f"The cluster {name} answers.")
    problem = said.problem if said is not None else ""
    if name == "minikube" or not name:
        remedy = "minikube status\nminikube start\nIf its machine is broken: minikube delete, then minikube start"
    else:
        remedy = "Is it the right cluster? kubectl config get-contexts; kubectl config use-context NAME"
    return trouble(
        f"{name or 'kubectl has no context'}: {problem or 'no answer'}",
        expected="The cluster of kubectl's context answers.",
        remedy=remedy,
    )
