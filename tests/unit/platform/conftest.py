"""A service small enough to start in a test: standard library only, and as ill-behaved as asked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trilho.platform import Service, stop
from trilho.platform.record import recorded_names

SMALL = """
import argparse, http.server, signal, subprocess, sys, time
parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int)
parser.add_argument("--id")
parser.add_argument("--record")
parser.add_argument("--die-saying")
parser.add_argument("--deaf", action="store_true")
parser.add_argument("--mute", action="store_true")
parser.add_argument("--with-child", action="store_true")
parser.add_argument("--wait-for")
given = parser.parse_args()
print("small service", given.id, flush=True)
if given.die_saying:
    sys.exit(given.die_saying)
if given.deaf:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if given.with_child:
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)", "child-of-" + given.id])
if given.wait_for:
    import pathlib
    while not pathlib.Path(given.wait_for).exists():
        time.sleep(0.01)
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if given.mute:
            time.sleep(3600)
        self.send_response(200)
        self.send_header("x-trilho-service", given.id)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer.allow_reuse_address = True
http.server.ThreadingHTTPServer(("127.0.0.1", given.port), Answer).serve_forever()
"""

MakeService = Callable[..., Service]


@pytest.fixture
def make_service(tmp_path: Path) -> Iterator[MakeService]:
    """Makes small services; what a test leaves running is ended after it."""
    folders: set[Path] = set()

    def make(*flags: str, project: str = "project", name: str = "small", port: int) -> Service:
        state_dir = tmp_path / project / ".trilho"
        state_dir.mkdir(parents=True, exist_ok=True)
        folders.add(state_dir)
        command = (sys.executable, "-S", "-c", SMALL, *flags)
        return Service(name=name, state_dir=state_dir, command=command, folder=state_dir, port=port)

    yield make
    for state_dir in folders:
        for name in recorded_names(state_dir):
            stop(state_dir, name, seconds=1)
