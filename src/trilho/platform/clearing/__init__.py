"""trilho gc: old runs and versions go for good, with their artifacts; what is or was in charge lately stays.

`look` asks the server what there is, `choose` decides (it asks nobody), `clear` acts.
"""

from trilho.platform.clearing.acting import Cleared, clear
from trilho.platform.clearing.choosing import Choice, choose
from trilho.platform.clearing.facts import Facts, LoggedModel, Run, Versions
from trilho.platform.clearing.looking import look

__all__ = ["Choice", "Cleared", "Facts", "LoggedModel", "Run", "Versions", "choose", "clear", "look"]
