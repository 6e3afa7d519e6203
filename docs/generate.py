"""Write docs/reference/ from the code: `python docs/generate.py`. With --check, only say which pages are stale."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from generating.commands import commands_page
from generating.errors import errors_page
from generating.python import python_page
from generating.settings import settings_page

REFERENCE = Path(__file__).resolve().parent / "reference"
NOTE = "<!-- Written by docs/generate.py from the code; changes belong there. -->"
PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "commands.md": commands_page,
    "errors.md": errors_page,
    "python.md": python_page,
}


def main(words: list[str]) -> int:
    """Write the pages that differ, or with --check name them. Returns the exit code: 1 where --check found one."""
    REFERENCE.mkdir(exist_ok=True)
    stale = []
    for name, page in PAGES.items():
        text = f"{NOTE}\n\n{page().rstrip()}\n"
        file = REFERENCE / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in words:
                file.write_text(text, encoding="utf-8", newline="\n")
    if stale and "--check" in words:
        print(f"Stale: {', '.join(stale)}. Write them anew: make docs")
        return 1
    print(f"Written: {', '.join(stale)}" if stale else f"All {len(PAGES)} pages are as the code is")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
