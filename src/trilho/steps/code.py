"""The fingerprint of the user's code behind an import string, read from source without running it.

A function's fingerprint covers its own definition, every definition of its module that it reaches by name, and the same
for names it takes from other modules of the project. Comments and layout do not count, they are not in the syntax tree.
Code outside the project counts by the version of the package that brings it.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def code_fingerprint(path: str, root: Path) -> str:
    """What `path` ("module:name" or "module.name") stands for, as a short text that changes when the code does.

    For code of the project in `root` (the folder itself, or its src/) a hash; else package and version ("scikit-learn
    1.9.1"); "unknown" where neither is found, which the import will complain about.
    """
    module, _, name = path.partition(":") if ":" in path else path.rpartition(".")
    if _file_of(module, root) is None:
        return _package(module)
    seen: set[tuple[str, str]] = set()
    parts = sorted(_reach(module, name.split(".")[0], root, seen))
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=12).hexdigest()


def _reach(module: str, name: str, root: Path, seen: set[tuple[str, str]]) -> Iterator[str]:
    """Every definition that `name` of `module` can reach inside the project, each as text."""
    file = _file_of(module, root)
    if file is None or (module, name) in seen:
        return
    seen.add((module, name))
    try:
        tree = ast.parse(file.read_bytes())
    except SyntaxError as error:  # the import will say so; until then any change counts
        yield f"{module} broken {error} {hashlib.blake2b(file.read_bytes()).hexdigest()}"
        return
    definitions = {node.name: node for node in tree.body if isinstance(node, Definition)}
    imports = list(_imports(tree, module))
    # Statements that are neither definition nor import (constants, settings) run on import and may matter to anything.
    loose = [node for node in tree.body if not isinstance(node, Definition | ast.Import | ast.ImportFrom)]
    wanted = [definitions[name]] if name in definitions else list(definitions.values())
    pending: list[ast.AST] = [*wanted, *loose]
    done: set[int] = set()
    while pending:
        node = pending.pop()
        if id(node) in done:
            continue
        done.add(id(node))
        yield f"{module}:{ast.dump(node)}"
        for used in {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}:
            if used in definitions:
                pending.append(definitions[used])
            for local, target in imports:
                if local == used:
                    yield from _reach(*target, root, seen)
    for inner in wanted + loose:  # imports inside functions
        for _, target in _imports(inner, module):
            yield from _reach(*target, root, seen)


def _imports(tree: ast.AST, module: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """(name here, (module, name there)) of every import; ("module", "") where a whole module is taken."""
    nodes = tree.body if isinstance(tree, ast.Module) else list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname or alias.name).split(".")[0], (alias.name, "")
        elif isinstance(node, ast.ImportFrom):
            parent = module.split(".")[: -node.level] if node.level else []
            origin = ".".join([*parent, *([node.module] if node.module else [])])
            for alias in node.names:
                yield alias.asname or alias.name, (origin, alias.name)
                yield alias.asname or alias.name, (f"{origin}.{alias.name}", "")


def _file_of(module: str, root: Path) -> Path | None:
    relative = Path(*module.split(".")) if module else None
    if relative is None:
        return None
    for place in (root / "src", root):
        for file in (place / relative.with_suffix(".py"), place / relative / "__init__.py"):
            if file.is_file():
                return file
    return None


def _package(module: str) -> str:
    top = module.split(".")[0]
    for name in (top, {"sklearn": "scikit-learn"}.get(top, "")):
        try:
            return f"{name} {version(name)}" if name else "unknown"
        except PackageNotFoundError:
            continue
    names = packages_distributions().get(top, [])
    return f"{names[0]} {version(names[0])}" if names else "unknown"
