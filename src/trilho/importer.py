"""Import strings: "package.module:name" (or "package.module.name") to the object, or an error that helps.

The only extension mechanism, and the one place where a missing package becomes `MissingExtra` with its install line.
"""

from __future__ import annotations

import difflib
import importlib
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trilho.errors import ImportFailed, MissingExtra

# Import name → the extra of trilho that brings it, and the name it is installed by.
EXTRAS = {
    "boto3": "s3",
    "flask_wtf": "auth",
    "httpx": "client",
    "lightgbm": "lightgbm",
    "pandera": "checks",
    "psycopg2": "postgres",
    "pymysql": "mysql",
}

# An extra → what asks for it, where the package's own name says nothing to who reads it.
_ASKS = {
    "auth": "Asking for users and passwords (--auth) takes it.",
    "mysql": "A database of MySQL or MariaDB takes it.",
    "postgres": "A database of PostgreSQL takes it.",
    "s3": "A bucket (s3://…) takes it.",
}

# Where estimators live that people call by their bare names.
_ESTIMATORS = (
    *(f"sklearn.{name}" for name in ("ensemble", "linear_model", "svm", "tree", "neighbors", "naive_bayes")),
    *(f"sklearn.{name}" for name in ("neural_network", "discriminant_analysis", "gaussian_process", "dummy")),
    *("lightgbm", "xgboost", "catboost"),
)
_PUBLISHED = ("sklearn", "lightgbm", "xgboost", "catboost")  # packages that nobody adds a name to

# Files are dated to two seconds on the coarsest file systems; within that, an older and a newer source look alike.
_COARSE_NS = 2_000_000_000

_loaded: dict[str, tuple[int, int, int]] = {}  # module of a project → times and size of its source when imported
_looked = 0  # when they were last compared with their files, in nanoseconds


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
            place = "" if near else place_of(attribute)
            hint = f" Did you mean '{place}'?" if place else hint
            own = f", or define '{part}' in {module_name}" if module_name.partition(".")[0] not in _PUBLISHED else ""
            raise ImportFailed(
                f"'{module_name}' has no '{part}'.{hint}",
                remedy=f"Correct '{path}' in trilho.yaml{own}.",
            )
        found = getattr(found, part)
    return found


def place_of(estimator: str) -> str:
    """Where an estimator's bare name is at home, as its import string; "" where no installed package knows it."""
    for name in _ESTIMATORS:
        try:
            module = importlib.import_module(name)
        except Exception:
            continue  # not installed, or broken: then it is no help
        if isinstance(getattr(module, estimator, None), type):
            return f"{name}.{estimator}"
    return ""


def load_module(name: str) -> Any:
    """The module called `name`; a missing package of an extra becomes `MissingExtra`."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = (error.name or name).split(".")[0]
        if missing in EXTRAS:
            raise MissingExtra(
                f"{missing} is not installed.",
                why=_ASKS.get(EXTRAS[missing], f"'{name}' needs it."),
                remedy=f'pip install "trilho[{EXTRAS[missing]}]"',
            ) from error
        raise ImportFailed(
            f"No module named '{error.name or name}'.",
            why=f"It was looked for to import '{name}'.",
            remedy="Correct the import string, or install the package that brings it into this environment.",
        ) from error
    except (Exception, SystemExit) as error:  # a script that ends itself would end us
        raise ImportFailed(
            f"'{name}' cannot be imported: {type(error).__name__}: {error}",
            remedy=f'See the whole error with: python -c "import {name}"',
        ) from error


@contextmanager
def project_code(root: Path) -> Iterator[None]:
    """While inside, modules of the project in `root` (its folder, and its src/) can be imported, as they are now."""
    forget_changed(root)
    added = [entry for entry in (str(root / "src"), str(root)) if entry not in sys.path]
    sys.path[:0] = added
    try:
        yield
    finally:
        for entry in added:
            if entry in sys.path:  # the user's code may tidy up itself
                sys.path.remove(entry)


def source_of(module: str, root: Path) -> Path | None:
    """The file of a module of the project in `root`, which is looked for as Python does: src/ first, packages first."""
    if not all(part.isidentifier() for part in module.split(".")):
        return None
    relative = Path(*module.split("."))
    for place in (root / "src", root):
        for file in (place / relative / "__init__.py", place / relative.with_suffix(".py")):
            if file.is_file():
                return file
    return None


def forget_changed(root: Path) -> bool:
    """Let the project's modules be imported anew if the source of one has changed; says whether it has.

    A notebook lives longer than the code it imports, and what a step makes is kept under the code as it is on disk: it
    must be made by that code and no other. Modules by the project's names that came from elsewhere go, too.
    """
    global _looked
    now = time.time_ns()
    tops = _top_names(root)
    mine = {
        name: file for name in list(sys.modules) if name.partition(".")[0] in tops and (file := source_of(name, root))
    }
    changed = False
    for name, file in mine.items():
        status = file.stat()
        # Both times: a file put back from elsewhere can be dated long ago, but not have been changed long ago.
        found = (status.st_mtime_ns, status.st_ctime_ns, status.st_size)
        if name not in _loaded and max(found[:2]) < _looked - _COARSE_NS:
            _loaded[name] = found
        same_file = Path(getattr(sys.modules[name], "__file__", None) or "").resolve() == file.resolve()
        changed = changed or not same_file or _loaded.get(name) != found
    if changed:
        for name in mine:
            del sys.modules[name]
            _loaded.pop(name, None)
        importlib.invalidate_caches()
    _looked = now
    return changed


def _top_names(root: Path) -> set[str]:
    """What the project's modules can be called; never in place of Python's own, ours, or the running program."""
    found = {entry.stem for place in (root / "src", root) if place.is_dir() for entry in place.iterdir()}
    return found - sys.stdlib_module_names - {"trilho", "__main__"}
