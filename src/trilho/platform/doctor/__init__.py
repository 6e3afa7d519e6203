"""What is wrong, and what to do: named checks of a project's server, stores and containers, each with a remedy.

`examine(site_of(project, folder=…), CHECKS)` gives one `Finding` for each check that applies. Nothing is changed by
looking; a finding may bring a `Fix` that is done when it is asked to. `plan_relocation` says, and `relocate` does, the
largest of them: locations that are paths go behind the server.
"""

from trilho.platform.doctor.checks import CHECKS
from trilho.platform.doctor.examining import Check, examine
from trilho.platform.doctor.finding import Finding
from trilho.platform.doctor.places import Place
from trilho.platform.doctor.relocating import Relocated, relocate
from trilho.platform.doctor.relocation import Experiment, Relocation, plan_relocation
from trilho.platform.doctor.site import Site, site_of

__all__ = [
    "CHECKS",
    "Check",
    "Experiment",
    "Finding",
    "Place",
    "Relocated",
    "Relocation",
    "Site",
    "examine",
    "plan_relocation",
    "relocate",
    "site_of",
]
