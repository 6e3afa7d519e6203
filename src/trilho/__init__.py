"""trilho: continuous delivery for machine learning on top of MLflow.

    from trilho import Project
    Project(".").run()

Names are loaded on first use: `import trilho` loads neither MLflow nor pandas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trilho.delivery import Delivery, Project
    from trilho.errors import TrilhoError

__version__ = "0.1.0"
__all__ = ["Delivery", "Project", "TrilhoError", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "Project":
        from trilho.delivery import Project
        from trilho.platform.address import server_address

        # Handed down: delivery knows nothing of what is above it.
        Project.find_server = staticmethod(server_address)  # type: ignore[assignment, method-assign]
        return Project
    if name == "Delivery":
        from trilho.delivery import Delivery

        return Delivery
    if name == "TrilhoError":
        from trilho.errors import TrilhoError

        return TrilhoError
    raise AttributeError(f"module 'trilho' has no attribute '{name}'")
