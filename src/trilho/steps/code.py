"""The fingerprint of the user's code behind an import string, read from source without running it.

A function's fingerprint covers its own definition, every definition of its module that it reaches by name, what its
imports stand for, and the same for all it takes from other modules of the project. Comments and layout do not count,
they are not in the syntax tree. Code outside the project counts by the version of the package that brings it.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path

from trilho.importer import source_of

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Target = tuple[str, str]  # module, name in it; "" for all of the module

# Found at once; for others under another name, the files of every installed package are searched.
_INSTALLED_AS = {
    "PIL": "pillow",
    "cv2": "opencv-python",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}


def code_fingerprint(path: str, root: Path) -> str:
    """What `path` ("module:name" or "module.name") stands for, as a short text that changes when the code does.

    For code of the project in `root` (the folder itself, or its src/) a hash; else package and version ("scikit-learn
    1.9.1"); "unknown" where neither is found, which the import will complain about.
    """
    module, _, name = path.partition(":") if ":" in path else path.rpartition(".")
    if source_of(module, root) is None:
        return _package(module.split(".")[0])
    parts = sorted(set(_reach(module, name.split(".")[0], root, set())))
    return hashlib.blake2b("\n".join(parts).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _reach(module: str, name: str, root: Path, seen: set[Target]) -> Iterator[str]:
    """Everything that `name` of `module` can reach, each as text."""
    if (module, name) in seen:
        return
    seen.add((module, name))
    file = source_of(module, root)
    if file is None:
        top = module.split(".")[0]
        own = source_of(top, root) is not None or any((place / top).is_dir() for place in (root / "src", root))
        if not own and top not in sys.stdlib_module_names:
            yield _package(top)
        return
    source = file.read_bytes()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # the import will say so; until then any change counts
        yield f"{module} broken {hashlib.blake2b(source).hexdigest()}"
        return
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    imports = [found for node in tree.body for found in _imports(node, package)]
    definitions = {node.name: node for node in tree.body if isinstance(node, Definition)}
    whole = name == "" or (name not in definitions and name not in {local for local, _ in imports})
    # What runs on import may matter to anything: constants, settings, and functions that a decorator registers.
    pending: list[ast.AST] = [node for node in tree.body if _runs_on_import(node)]
    pending += definitions.values() if whole else [definitions[name]] if name in definitions else []
    used = {local for local, _ in imports} if whole else {name}
    used.add("*")
    done: set[int] = set()
    while pending:
        node = pending.pop()
        if id(node) in done:
            continue
        done.add(id(node))
        yield f"{module}:{ast.dump(node)}"
        names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        pending += [definitions[found] for found in names if found in definitions]
        used |= names
        for _, target in _imports(node, package):  # inside a function, or in try and if
            yield from _reach(*target, root, seen)
    for local, target in imports:
        if local in used:
            yield f"{module}:{local} is {target}"
            yield from _reach(*target, root, seen)


def _runs_on_import(node: ast.stmt) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return False
    return not isinstance(node, Definition) or bool(node.decorator_list)


def _imports(tree: ast.AST, package: str) -> Iterator[tuple[str, Target]]:
    """(name here, what it stands for) of every import in `tree`, of a module that lies in `package`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                yield alias.asname or top, (alias.name, "")
                if not alias.asname:
                    yield top, (top, "")
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".") if package else []
            start = above[: len(above) - node.level + 1] if node.level else []
            origin = ".".join([*start, *([node.module] if node.module else [])])
            for alias in node.names:
                here = alias.asname or alias.name
                if alias.name == "*":
                    yield "*", (origin, "")
                else:
                    yield here, (origin, alias.name)
                    yield here, (f"{origin}.{alias.name}", "")  # if it is a module


@cache
def _package(top: str) -> str:
    """Name and version of the installed package that brings the module `top`."""
    if not top:
        return "unknown"
    try:
        name = _INSTALLED_AS.get(top, top)
        return f"{name} {version(name)}"
    except PackageNotFoundError:  # installed under another name; finding it means reading what every package brings
        names = packages_distributions().get(top, [])
    return f"{names[0]} {version(names[0])}" if names else "unknown"
