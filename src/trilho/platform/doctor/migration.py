"""What `trilho doctor --fix --yes` does about an older MLflow's tables: a copy of the database, then the migration."""

from __future__ import annotations

from pathlib import Path

from trilho.errors import BackupFailed, TrilhoError
from trilho.platform.backup.database_copy import copy_database
from trilho.platform.database_address import DatabaseAddress
from trilho.platform.dated import dated
from trilho.platform.migrating import alone, schema_of
from trilho.platform.service import Say
from trilho.platform.serving_lock import refuse_served

_LEAVING_SECONDS = 5.0  # for a server that is ending


def migrate_with_copy(address: DatabaseAddress, *, backup_in: Path, say: Say) -> str:
    """Migrate the tables at `address`, behind the lock that servers take; what was done, in a sentence.

    Args:
        backup_in: The folder in which the copy gets a folder of its own.

    Raises:
        BackupFailed: the copy could not be made (nothing was changed then), or the migration stopped.
        ServiceFailed: a server uses the database, or makes or migrates its tables just now.
    """
    from trilho.tracking.schema import upgrade_tables

    with alone(address, say=say):
        schema, before = schema_of(address)
        if schema != "older":
            return f"{address.shown} was migrated by somebody else meanwhile: it has schema {before}."
        refuse_served(address, seconds=_LEAVING_SECONDS, say=say)
        backup = dated(backup_in, "before-doctor")
        backup.mkdir(mode=0o700, parents=True)  # users and their hashes are in it, too
        say(f"Copying the database to {backup}")
        copy_database(address, backup)
        say(f"Migrating {address.shown} from schema {before}")
        try:
            upgrade_tables(address.uri)
        except TrilhoError:
            raise
        except Exception as error:
            raise BackupFailed(
                f"The migration of {address.shown} stopped.",
                state=f"It may be half done. The database as it was is in {backup}.",
                why=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
                remedy="Put that copy in the database's place before you start a server over it.",
            ) from error
        return f"{address.shown} has schema {schema_of(address)[1]}. As it was: {backup}"
