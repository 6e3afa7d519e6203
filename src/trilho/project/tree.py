"""YAML text → a tree in which every value knows where it is written.

Built from PyYAML's events, not its nodes: its C composer calls itself for each level of nesting, and a file of 100,000
brackets ends the whole process. Plain words mean what YAML 1.2 says: only true and false are booleans, so that `on:` is
a key and `positive_class: yes` a label, and 1e-3 is a number.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import yaml

from trilho.project.mistakes import Mistake
from trilho.settings import Origin

Scalar: TypeAlias = "str | int | float | bool | None"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DEEPEST, LARGEST = 30, 20_000  # levels of nesting, values after aliases: far beyond any project, far below any harm


@dataclass(frozen=True)
class Node:
    """A value as written; in a mapping its origin is the line of its key."""

    content: Scalar | list[Node] | dict[Scalar, Node]
    origin: Origin

    def plain(self) -> Any:
        """The value without origins."""
        if isinstance(self.content, dict):
            return {key: node.plain() for key, node in self.content.items()}
        if isinstance(self.content, list):
            return [node.plain() for node in self.content]
        return self.content

    def moved(self, to: Callable[[Origin], Origin]) -> Node:
        """The same tree with every origin translated."""
        content = self.content
        if isinstance(content, dict):
            content = {key: node.moved(to) for key, node in content.items()}
        elif isinstance(content, list):
            content = [node.moved(to) for node in content]
        return Node(content, to(self.origin))


def parse(text: str, origin: Origin) -> tuple[Node | None, list[Mistake]]:
    """The tree of a YAML document, and what is wrong with its form.

    Args:
        text: The document.
        origin: Of the whole text; where it has a line, lines are counted from there.

    Returns:
        The tree, None where the document cannot be read to its end, and its mistakes: broken syntax, a key written
        twice, tags, too many values.
    """
    reader = _Reader(origin)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            reader.take(event)
            if reader.hopeless:
                break
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reader.mistake(mark.line if mark else 0, f"this is not YAML: {_words(error)}.")
    except (yaml.YAMLError, UnicodeError):
        strange = next((place for place, sign in enumerate(text) if not _ALLOWED.match(sign)), 0)
        line = text.count("\n", 0, strange)
        reader.mistake(line, f"the character {text[strange : strange + 1]!r} is not allowed in YAML.")
    if reader.root is None and not reader.mistakes:  # nothing, or nothing but comments
        return Node(None, origin), []
    return reader.root, reader.mistakes


def resolve(word: str) -> Scalar:
    """What an unquoted word means in YAML 1.2: null, a boolean, a number, or text."""
    if word in ("", "~", "null", "Null", "NULL"):
        return None
    if word in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return word[0] in "tT"
    try:
        if re.fullmatch(r"[-+]?[0-9]+", word):
            return int(word)
        if re.fullmatch(r"0x[0-9a-fA-F]+|0o[0-7]+", word):
            return int(word, 0)
    except ValueError:  # more digits than Python reads
        return word
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", word):
        return float(word)
    if re.fullmatch(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", word):
        return float(word.replace(".", ""))
    return word


_ALLOWED = re.compile("[\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_STANDARD = re.compile(r"tag:yaml\.org,2002:(str|int|float|bool|null|map|seq)|!")


@dataclass
class _Open:
    """A list or mapping whose end has not come yet."""

    content: list[Node] | dict[Scalar, Node]
    line: int
    anchor: str | None
    key: Scalar = None
    key_line: int = 0
    has_key: bool = False
    size: int = 1


@dataclass
class _Reader:
    origin: Origin
    root: Node | None = None
    hopeless: bool = False
    mistakes: list[Mistake] = field(default_factory=list)
    _open: list[_Open] = field(default_factory=list)
    _anchors: dict[str, tuple[Node, int]] = field(default_factory=dict)

    def take(self, event: Any) -> None:
        line = event.start_mark.line
        if isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            self._give_up(line, "a second document starts here; a project file is one document.")
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._check_tag(event, line)
            if len(self._open) >= DEEPEST:
                self._give_up(line, f"more than {DEEPEST} levels of nesting.")
            content: list[Node] | dict[Scalar, Node] = {} if isinstance(event, yaml.MappingStartEvent) else []
            self._open.append(_Open(content, line, event.anchor))
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            done = self._open.pop()
            self._place(Node(done.content, self._at(done.line)), done.line, done.anchor, done.size)
        elif isinstance(event, yaml.ScalarEvent):
            self._check_tag(event, line)
            tag = event.tag or ""
            typed = event.implicit[0] or (tag.startswith("tag:") and not tag.endswith(":str"))
            self._place(Node(resolve(event.value) if typed else event.value, self._at(line)), line, event.anchor, 1)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                self.mistake(line, f"*{event.anchor} refers to no earlier &{event.anchor}.")
            node, size = self._anchors.get(str(event.anchor), (Node(None, self._at(line)), 1))
            self._place(node, line, None, size)

    def mistake(self, line: int, text: str) -> None:
        self.mistakes.append(Mistake(self._at(line), text))

    def _place(self, node: Node, line: int, anchor: str | None, size: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = (node, size)
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        parent.size += size
        if parent.size > LARGEST:
            self._give_up(line, f"more than {LARGEST:,} values.")
        elif isinstance(parent.content, list):
            parent.content.append(node)
        elif parent.has_key:
            parent.has_key = False
            if parent.key in parent.content:
                first = parent.content[parent.key].origin.line
                text = f"{self._path(parent.key)} is written twice" + (f", first in line {first}." if first else ".")
                self.mistake(parent.key_line, text)
            parent.content[parent.key] = replace(node, origin=self._at(parent.key_line))
        else:
            if isinstance(node.content, (list, dict)):
                self.mistake(line, "a list or mapping cannot be a key.")
            parent.key = None if isinstance(node.content, (list, dict)) else node.content
            parent.has_key, parent.key_line = True, line

    def _path(self, key: Scalar) -> str:
        return ".".join(str(name) for name in [*(level.key for level in self._open[:-1] if level.has_key), key])

    def _check_tag(self, event: Any, line: int) -> None:
        if event.tag is not None and not _STANDARD.fullmatch(event.tag):
            self.mistake(line, f"the tag {event.tag} is not supported; write plain values.")

    def _give_up(self, line: int, text: str) -> None:
        self.hopeless = True
        self.mistake(line, text)

    def _at(self, line: int) -> Origin:
        return self.origin if self.origin.line is None else replace(self.origin, line=self.origin.line + line)


def _words(error: yaml.MarkedYAMLError) -> str:
    problem = " ".join(str(part) for part in (error.context, error.problem) if part).replace("\n", " ")
    if "'\\t'" in problem or "\t" in problem or "cannot start any token" in problem:
        problem += " (indent with spaces, not tabs; quote text that starts with @, `, % or *)"
    return problem.rstrip(".")
