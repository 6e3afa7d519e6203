"""The user's own modules inside a bundle: packed from the project, imported apart from everything else.

Two versions of a model hold two versions of `features.py`, and a server has both open while it changes over; the
project itself may be imported, too. So a bundle's modules are imported while nothing else goes by their names, and
afterwards whoever had the names before has them again. Objects keep the modules they came from: an import at the top of
a module always leads to the module's own version. An import inside a function finds, while it runs, what was opened
last.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from trilho.errors import BadData

FOLDER = "code/"

_lock = threading.RLock()
_last: dict[str, Path] = {}  # top-level name → the code folder of the bundle that left it in sys.modules


def packed(code: Sequence[Path]) -> dict[str, bytes]:
    """Modules and packages as members of a bundle, each under its own name. Caches and hidden files stay out.

    Args:
        code: Files of modules, and folders of packages, as MLflow's `code_paths`.

    Raises:
        BadData: there is nothing at one of the paths.
    """
    found = {}
    for entry in code:
        if not entry.exists():
            raise BadData(f"There is no code at {entry}.", remedy="Name the project's modules and packages.")
        files = [entry] if entry.is_file() else sorted(path for path in entry.rglob("*") if path.is_file())
        for file in files:
            relative = file.relative_to(entry.parent)
            if not any(part.startswith(".") or part == "__pycache__" for part in relative.parts):
                found[FOLDER + relative.as_posix()] = file.read_bytes()
    return found


def unpack(files: Mapping[str, bytes], to: Path) -> Path:
    """Write a bundle's code below `to`; the folder to import it from."""
    for name, content in files.items():
        target = to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return to / FOLDER


def module_names(members: Iterable[str]) -> tuple[str, ...]:
    """The top-level modules among a bundle's members."""
    names = set()
    for member in members:
        if member.startswith(FOLDER):
            first, slash, _ = member.removeprefix(FOLDER).partition("/")
            if slash or first.endswith(".py"):
                names.add(first.removesuffix(".py"))
    return tuple(sorted(names))


@contextmanager
def modules_of(folder: Path, names: tuple[str, ...]) -> Iterator[None]:
    """While inside, `names` are imported from `folder`, and from nowhere else."""
    with _lock:
        others = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in names}
        for name in others:
            del sys.modules[name]
        sys.path.insert(0, str(folder))
        importlib.invalidate_caches()
        try:
            yield
        finally:
            sys.path.remove(str(folder))
            _give_back(others, folder, names)


# ----------------------------------------------------------------------------------------------------------------------


def _give_back(others: dict[str, ModuleType], folder: Path, names: tuple[str, ...]) -> None:
    """The names go back to whoever had them, unless that was another bundle: then the newer one keeps them."""
    for top in names:
        before = {name: module for name, module in others.items() if name.partition(".")[0] == top}
        if before and top not in _last:
            for name in [name for name in sys.modules if name.partition(".")[0] == top]:
                del sys.modules[name]
            sys.modules.update(before)
        elif top in sys.modules:
            _last[top] = folder
