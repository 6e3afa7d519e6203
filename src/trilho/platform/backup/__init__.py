"""A tracking server's database and artifacts as one file, and that file as a tracking server's again.

`back_up` writes it while the server goes on, `restore` checks it whole and puts it back: into the same kind of
database, or from a laptop's SQLite and folder into a team's PostgreSQL or MySQL and S3.
"""

from trilho.platform.backup.manifest import Counts, Manifest, Move
from trilho.platform.backup.planning import Plan
from trilho.platform.backup.restoring import Restored, restore
from trilho.platform.backup.saving import Saved, back_up

__all__ = ["Counts", "Manifest", "Move", "Plan", "Restored", "Saved", "back_up", "restore"]
