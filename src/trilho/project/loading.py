"""trilho.yaml → ProjectFile: find it, lay the layers over each other, check all, report all mistakes at once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from trilho.errors import InvalidProject, ProjectNotFound
from trilho.project.env_file import read_env_file
from trilho.project.file import ProjectFile
from trilho.project.layers import Layer, from_environment, from_flags, from_tree, laid_over, split_profiles
from trilho.project.mistakes import Mistake, report
from trilho.project.names import did_you_mean
from trilho.project.rules import Origins, Values, broken_rules, fill
from trilho.project.sections import project_file
from trilho.project.tree import Node, parse
from trilho.project.values import convert
from trilho.settings import BY_NAME, MAPPINGS, Origin

FILE = "trilho.yaml"
DEFAULT_PROFILE = "local"


def find(start: Path = Path()) -> Path:
    """The folder of the project that `start` lies in: the first one upwards that holds trilho.yaml.

    Raises:
        ProjectNotFound: there is none.
    """
    place = start.resolve()
    folder = place.parent if place.name == FILE and place.is_file() else place
    for candidate in (folder, *folder.parents):
        if (candidate / FILE).is_file():
            return candidate
    if not folder.is_dir():
        raise ProjectNotFound(f"There is no folder {folder}.", remedy="Correct the path of the project.")
    similar = [name for name in ("trilho.yml", "Trilho.yaml", "trilho.yaml.txt") if (folder / name).is_file()]
    raise ProjectNotFound(
        f"There is no {FILE} in {folder} or any folder above.",
        remedy=f"Rename {similar[0]} to {FILE}."
        if similar
        else "Go to a project's folder, or make one: trilho new DIR",
    )


def load(
    start: Path = Path(),
    *,
    profile: str | None = None,
    overrides: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> ProjectFile:
    """The project that `start` lies in, as frozen values.

    A value is decided by the first of: flag, environment, .env, profile, trilho.yaml, default.

    Args:
        start: The project's folder, one inside it, or trilho.yaml itself.
        profile: The profile from a flag; else TRILHO_PROFILE, else "local", which need not be in the file.
        overrides: From flags: "train.params.max_depth=3"; the values are YAML.
        environment: Environment names and values; those of this process by default.

    Raises:
        ProjectNotFound: no trilho.yaml in `start` or above.
        InvalidProject: all mistakes at once, each with its line, the near name and what is allowed.
    """
    root = find(start)
    file = root / FILE
    environment = os.environ if environment is None else environment
    written, mistakes = _read(file)
    tree, profiles = split_profiles(written, mistakes)
    layers = [from_tree(tree, mistakes)]
    by_profile = {name: from_tree(node, mistakes) for name, node in profiles.items()}
    dotenv = read_env_file(root, mistakes)
    chosen, origin = _profile(profile, environment, dotenv.values, dotenv.lines)
    if chosen in by_profile:
        layers.append(by_profile[chosen])
    elif chosen != DEFAULT_PROFILE:
        known = list(dict.fromkeys([DEFAULT_PROFILE, *by_profile]))
        near = did_you_mean(chosen, known)
        mistakes.append(Mistake(origin, f"there is no profile {chosen}.{near} Profiles: {', '.join(known)}."))
    layers.append(from_environment(dotenv.values, mistakes, lines=dotenv.lines))
    layers.append(from_environment(environment, mistakes))
    layers.extend(from_flags(overrides, mistakes))
    report(mistakes, file)

    merged: Layer = {}
    for layer in layers:
        merged = laid_over(merged, layer)
    values, origins = _values(merged)
    fill(values, origins)
    report(broken_rules(values, origins), file)
    origins["profile"] = origin
    return project_file(root, chosen, values, origins)


def _read(file: Path) -> tuple[Node, list[Mistake]]:
    origin = Origin(source="file", line=1)
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise InvalidProject(
            f"{file} cannot be read: {error.strerror}.", remedy="Make it readable for the user who runs trilho."
        ) from error
    try:
        tree, mistakes = parse(raw.decode("utf-8-sig"), origin)
    except UnicodeDecodeError as error:
        line = replace(origin, line=raw.count(b"\n", 0, error.start) + 1)
        tree, mistakes = (
            None,
            [Mistake(line, f"the byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8.")],
        )
    if tree is None:  # nothing else can be said about it
        report(mistakes, file)
    return tree or Node(None, origin), mistakes


def _profile(
    flag: str | None, environment: Mapping[str, str], dotenv: Mapping[str, str], lines: Mapping[str, int]
) -> tuple[str, Origin]:
    name = "TRILHO_PROFILE"
    if flag:
        return flag, Origin(source="flag", detail=f"--profile {flag}")
    if environment.get(name, "").strip():
        return environment[name].strip(), Origin(source="environment", detail=name)
    if dotenv.get(name, "").strip():
        return dotenv[name].strip(), Origin(source=".env", detail=name, line=lines[name])
    return DEFAULT_PROFILE, Origin(source="default")


def _values(layer: Layer) -> tuple[Values, Origins]:
    """Plain values by setting; origins too, and those of each entry of a mapping ("train.params.max_depth")."""
    values: Values = {}
    origins: Origins = {}
    for name, node in layer.items():
        setting = BY_NAME[name]
        values[name] = convert(setting, node.plain())
        origins[name] = node.origin
        if setting.kind in MAPPINGS and isinstance(node.content, dict):
            entries = {str(key): child.origin for key, child in node.content.items()}
            origins |= {f"{name}.{key}": entries[str(key)] for key in values[name]}
    return values, origins
