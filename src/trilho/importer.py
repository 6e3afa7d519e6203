"""Import strings: "package.module:name" (or "package.module.name") to the object, or an error that helps.

The only extension mechanism, and the one place where a missing package becomes `MissingExtra` with its install line.
"""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trilho.errors import ImportFailed, MissingExtra

# Import name → the extra of trilho that brings it, and the name it is installed by.
EXTRAS = {
    "lightgbm": "lightgbm",
    "onnxmltools": "lightgbm",
    "pandera": "checks",
    "xgboost": "xgboost",
}


def load_object(path: str) -> Any:
    """The object that `path` names.

    Args:
        path: "package.module:name" or "package.module.name"; name may be dotted ("module:Class.method").

    Raises:
        ImportFailed: no such module or name, or the module raised while it was imported.
        MissingExtra: a package is missing that one of trilho's extras brings.
    """
    module_name, _, attribute = path.partition(":") if ":" in path else path.rpartition(".")
    if not module_name or not attribute:
        raise ImportFailed(
            f"'{path}' is not an import string.",
            remedy='Write it as "package.module:name", for example "features:build".',
        )
    found = load_module(module_name)
    for part in attribute.split("."):
        if not hasattr(found, part):
            near = difflib.get_close_matches(part, dir(found), n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise ImportFailed(
                f"'{module_name}' has no '{part}'.{hint}",
                remedy=f"Correct '{path}' in trilho.yaml, or define '{part}' in {module_name}.",
            )
        found = getattr(found, part)
    return found


def load_module(name: str) -> Any:
    """The module called `name`; a missing package of an extra becomes `MissingExtra`."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = (error.name or name).split(".")[0]
        if missing in EXTRAS:
            raise MissingExtra(
                f"{missing} is not installed.",
                why=f"'{name}' needs it.",
                remedy=f'pip install "trilho[{EXTRAS[missing]}]"',
            ) from error
        raise ImportFailed(
            f"No module named '{error.name or name}'.",
            why=f"It was looked for to import '{name}'.",
            remedy="Correct the import string, or install the package that brings it into this environment.",
        ) from error
    except Exception as error:
        raise ImportFailed(
            f"'{name}' cannot be imported: {type(error).__name__}: {error}",
            remedy=f'See the whole error with: python -c "import {name}"',
        ) from error


@contextmanager
def project_code(root: Path) -> Iterator[None]:
    """While inside, modules of the project in `root` (its folder, and its src/) can be imported."""
    added = [entry for entry in (str(root / "src"), str(root)) if entry not in sys.path]
    sys.path[:0] = added
    try:
        yield
    finally:
        for entry in added:
            sys.path.remove(entry)
