"""Which model names MLflow can hold, with a history beside them."""

from __future__ import annotations

from trilho.errors import InvalidProject
from trilho.registry.event_tags import HISTORY_SUFFIX

LONGEST = 256 - len(HISTORY_SUFFIX)  # MLflow's column is 256 characters wide


def check_name(name: str) -> None:
    """Raises InvalidProject for a name that MLflow refuses, cannot search for, or that is meant for a history."""
    problem = _problem(name)
    if problem:
        raise InvalidProject(
            f"A model cannot be called '{name}'.", why=problem, remedy="Choose another register.name in trilho.yaml."
        )


def _problem(name: str) -> str:
    if not name.strip():
        return "The name is empty."
    refused = [character for character in "/:@" if character in name]
    if refused or not name.isprintable():
        shown = " or ".join(refused) or "characters that cannot be printed"
        return f"The name must not hold {shown}: it is part of addresses like models:/NAME@champion."
    if "'" in name and '"' in name:
        return "The name must not hold both kinds of quotes: MLflow cannot search for it."
    if name in (".", ".."):
        return "The name must not be that of a folder."
    if name.endswith(HISTORY_SUFFIX):
        return f"Names that end in {HISTORY_SUFFIX} are kept for the histories of other models."
    if len(name) > LONGEST:
        return f"The name has {len(name)} characters; MLflow holds {LONGEST}, with {HISTORY_SUFFIX} after it."
    return ""
