"""trilho gc: old runs and versions go for good, with their artifacts; what is or was in charge lately stays.

`look` asks the server and its database what there is, `choose` decides (it asks nobody), `clear` acts.
"""

from trilho.platform.clearing.acting import Cleared, clear
from trilho.platform.clearing.choosing import Choice, Held, choose
from trilho.platform.clearing.facts import Experiment, Facts, LoggedModel, Run, Versions
from trilho.platform.clearing.looking import look

__all__ = [
    "Choice",
    "Cleared",
    "Experiment",
    "Facts",
    "Held",
    "LoggedModel",
    "Run",
    "Versions",
    "choose",
    "clear",
    "look",
]
