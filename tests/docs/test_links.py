"""What the pages point to and tell their readers to type exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from documented import PAGES, READMES, ROOT, blocks, commands, parses

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings become."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE):
        kept = re.sub(r"[^\w\s-]", "", heading.lower())
        found.add(re.sub(r"\s", "-", kept))
    return found


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_in_the_docs_lead_somewhere(page: Path) -> None:
    broken = []
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_in_the_docs_parse(page: Path) -> None:
    wrong = [said for words in commands(page.read_text(encoding="utf-8")) if (said := parses(words))]
    assert wrong == []


def test_both_readmes_name_each_other_and_hold_the_same_blocks() -> None:
    english, portuguese = (page.read_text(encoding="utf-8") for page in READMES)
    assert "(README.pt-BR.md)" in english.split("\n\n")[0] + english.split("\n\n")[1]
    assert "(README.md)" in portuguese.split("\n\n")[0] + portuguese.split("\n\n")[1]
    typed = [[re.sub(r"\s*#.*", "", block) for block in blocks(text, "sh")] for text in (english, portuguese)]
    assert typed[0] == typed[1]
    targets = [[link for link in LINK.findall(text) if link.startswith("docs/")] for text in (english, portuguese)]
    assert targets[0] == targets[1]


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [READMES[0]]
    while waiting:
        page = waiting.pop().resolve()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            found = page.parent / target.partition("#")[0]
            waiting += sorted(found.glob("*.md")) if found.is_dir() else [found]
    assert [named(page) for page in PAGES if page.resolve() not in reached] == []
