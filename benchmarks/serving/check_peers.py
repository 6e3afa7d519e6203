"""Start every server once with every model and compare its answers with those of trilho's own predictor.

    python benchmarks/serving/check_peers.py [--models NAME …] [--servers NAME …]

What cannot be installed or does not start says why.
"""

from __future__ import annotations

import argparse
import sys

from environments import NotInstalled
from models import PROJECTS, made
from servers import SERVERS, NotStarted, Running


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=tuple(PROJECTS), default=tuple(PROJECTS), metavar="NAME")
    parser.add_argument("--servers", nargs="+", choices=tuple(SERVERS), default=tuple(SERVERS), metavar="NAME")
    asked = parser.parse_args()
    failed = 0
    for name in asked.models:
        model = made(name)
        wanted = None
        for server in ["trilho", *(each for each in asked.servers if each != "trilho")]:
            if SERVERS[server].compiled_only and not model.compiled:
                continue
            said, found = answers(server, name)
            if server == "trilho":
                wanted = found
            if said == "answers" and found != wanted:
                said = f"answers otherwise than trilho: {found[:3]} … instead of {(wanted or [])[:3]} …"
            failed += said != "answers" and not said.startswith("answers,")
            print(f"{name:<10} {server:<18} {said}", flush=True)
    return 1 if failed else 0


def answers(server: str, name: str) -> tuple[str, list[object]]:
    """What is to be said, and the answers to one row and to a hundred."""
    try:
        running = Running(server, made(name))
    except (NotInstalled, NotStarted) as error:
        return str(error), []
    try:
        found = [*running.ask(1), *running.ask(100)]
        print(f"{'':<10} {'':<18} first answer after {running.ready:.2f} s, {running.memory():.0f} MB")
        return "answers", found
    except NotStarted as error:
        return str(error), []
    finally:
        running.stop()


if __name__ == "__main__":
    sys.exit(main())
