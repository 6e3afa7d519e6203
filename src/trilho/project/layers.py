"""The layers that settings come from, lowest first: the file, its profile, .env, the environment, flags.

Each becomes the same thing, setting name → node, already checked: what is left is to lay one over the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from trilho.project.mistakes import Mistake
from trilho.project.names import did_you_mean
from trilho.project.tree import Node, parse, resolve
from trilho.project.values import mistakes_in
from trilho.settings import BY_NAME, MAPPINGS, SETTINGS, Origin, Setting
from trilho.shown_address import without_password

Layer = dict[str, Node]  # setting name → what is written
_WORDS = ("text", "choice", "import", "address", "path", "duration")  # kinds whose values are text, quotes or not

SECTIONS = {
    ".".join(parts[:depth]): None
    for setting in SETTINGS
    for parts in [setting.name.split(".")]
    for depth in range(1, len(parts))
}


def from_tree(tree: Node, mistakes: list[Mistake], section: str = "") -> Layer:
    """The settings in a mapping as nested as the file is; what is unknown or wrong is added to `mistakes`."""
    if tree.content is None:  # a section with nothing in it, or only comments
        return {}
    if not isinstance(tree.content, dict):
        text = f"{section} is a section; its settings go below it: {', '.join(_inside(section))}."
        mistakes.append(Mistake(tree.origin, text if section else "settings are expected here, such as name: shop."))
        return {}
    found: Layer = {}
    for key, node in tree.content.items():
        name = f"{section}.{key}" if section else str(key)
        if "." in str(key) or (name not in BY_NAME and name not in SECTIONS):
            mistakes.append(Mistake(node.origin, _unknown(name, str(key), section)))
        elif name in SECTIONS:
            found |= from_tree(node, mistakes, name)
        else:
            mistakes.extend(mistakes_in(BY_NAME[name], node))
            found[name] = node
    return found


def split_profiles(tree: Node, mistakes: list[Mistake]) -> tuple[Node, dict[str, Node]]:
    """The file without `profiles:`, and each profile by name with origins that name it."""
    if not isinstance(tree.content, dict) or "profiles" not in tree.content:
        return tree, {}
    rest = Node({key: node for key, node in tree.content.items() if key != "profiles"}, tree.origin)
    written = tree.content["profiles"]
    if written.content is None:
        return rest, {}
    if not isinstance(written.content, dict):
        mistakes.append(Mistake(written.origin, "profiles is a mapping of names to settings: {team: {…}}."))
        return rest, {}
    profiles = {}
    for key, node in written.content.items():
        if isinstance(node.content, dict) and "profiles" in node.content:
            inner = node.content["profiles"].origin
            mistakes.append(Mistake(inner, f"profiles.{key}.profiles: a profile cannot hold profiles."))
            node = Node({name: child for name, child in node.content.items() if name != "profiles"}, node.origin)
        profiles[str(key)] = _of_profile(node, str(key))
    return rest, profiles


def from_environment(
    values: Mapping[str, str], mistakes: list[Mistake], *, lines: Mapping[str, int] | None = None
) -> Layer:
    """The settings that environment names give. An empty value counts as not set, as compose files leave it.

    Args:
        values: Environment name → value; names that no setting has are left alone.
        mistakes: What is wrong is added here.
        lines: Name → its line, where the values are those of .env.
    """
    found: Layer = {}
    for setting in SETTINGS:
        for name in setting.env:
            text = values.get(name, "").strip()
            if not text:
                continue
            origin = Origin(source="environment", detail=name)
            if lines is not None:
                origin = Origin(source=".env", detail=name, line=lines[name])
            found[setting.name] = Node(_word(setting, text), origin)
            mistakes.extend(mistakes_in(setting, found[setting.name]))
            break
    return found


def from_flags(overrides: Iterable[str], mistakes: list[Mistake]) -> list[Layer]:
    """The settings that each `--set name=value` gives; the value is YAML, and text needs no quotes.

    A name may go into a mapping: "train.params.max_depth=3".
    """
    layers = []
    for override in overrides:
        name, equals, text = override.partition("=")
        origin = Origin(source="flag", detail=f"--set {without_password(override):.80}")
        if not equals or not name.strip():
            mistakes.append(Mistake(origin, "write it as name=value, for example train.params.max_depth=3."))
            continue
        setting = BY_NAME.get(name.strip())
        if setting is not None and setting.kind in _WORDS and text[:1] not in ("'", '"'):
            node = Node(_word(setting, text.strip()), origin)
        else:
            parsed, wrong = parse(text, origin)
            mistakes.extend(wrong)
            if parsed is None or wrong:
                continue
            node = parsed
        for part in reversed(_path(name.strip())):
            node = Node({part: node}, origin)
        layers.append(from_tree(node, mistakes))
    return layers


def laid_over(below: Layer, above: Layer) -> Layer:
    """What holds when `above` decides: values replaced, mappings merged key by key, null back to the default."""
    merged = dict(below)
    for name, node in above.items():
        if node.content is None:
            merged.pop(name, None)
        elif name in merged and BY_NAME[name].kind in MAPPINGS:
            merged[name] = _merged(merged[name], node)
        else:
            merged[name] = node
    return merged


def _of_profile(node: Node, name: str) -> Node:
    return node.moved(lambda origin: replace(origin, source="profile", detail=name))


def _merged(below: Node, above: Node) -> Node:
    if not (isinstance(below.content, dict) and isinstance(above.content, dict)):
        return above
    content = dict(below.content)
    for key, node in above.content.items():
        content[key] = _merged(content[key], node) if key in content else node
    return Node(content, above.origin)


def _word(setting: Setting, text: str) -> str | int | float | bool | None:
    """Text from outside the file: as it stands where text is expected, else what YAML takes it for."""
    if setting.kind in _WORDS:
        return None if text in ("", "null", "~") else text
    return resolve(text)


def _path(name: str) -> list[str]:
    """The keys that a dotted name goes through; what follows a mapping of single values is one key, dots and all."""
    for setting in SETTINGS:
        if name.startswith(f"{setting.name}.") and setting.kind in MAPPINGS and setting.kind != "mapping":
            return [*setting.name.split("."), name.removeprefix(f"{setting.name}.")]
    return name.split(".")


def _inside(section: str) -> list[str]:
    """The names directly below a section, in the order of SETTINGS."""
    prefix = f"{section}." if section else ""
    names = [name.removeprefix(prefix).split(".")[0] for name in BY_NAME if name.startswith(prefix)]
    return list(dict.fromkeys([*names, *(["profiles"] if not section else [])]))


def _unknown(name: str, key: str, section: str) -> str:
    if name in BY_NAME:
        parts = name.split(".")
        return f"{name} is written in one word; write {': {'.join(parts)}: …{'}' * (len(parts) - 1)}."
    near = did_you_mean(key, _inside(section))
    if near:
        near = near.replace("mean ", f"mean {section}." if section else "mean ")
    else:  # the right word in the wrong place
        elsewhere = [other for other in BY_NAME if other.rpartition(".")[2] == key.rpartition(".")[2]]
        near = f" Did you mean {elsewhere[0]}?" if elsewhere else did_you_mean(name, BY_NAME)
    where = f"Allowed in {section}" if section else "Allowed"
    return f"{name} is no setting.{near} {where}: {', '.join(_inside(section))}."
