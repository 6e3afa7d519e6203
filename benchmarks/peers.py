"""Peers in environments of their own, .bench/NAME, made when first asked for: what they need is no business of ours.

    python benchmarks/peers.py

makes them all.
"""

from __future__ import annotations

import os
import subprocess
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / ".bench"

# What is installed, by name. mlflow takes the version that trilho is pinned to, so that both sides run the same one.
PACKAGES = {
    "mlflow": "mlflow",
    "dvc": "dvc==3.67.1",
    "evidently": "evidently==0.7.23 pandas<3 pyarrow",  # it does not import with pandas 3
    "nannyml": "nannyml==0.13.1 statsmodels<0.15 pyarrow",
}


def environment(name: str) -> Path:
    """The folder of the programs of the peer's environment."""
    folder = BENCH / name
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    ready, wanted = folder / ".ready", PACKAGES[name]
    if not ready.exists() or ready.read_text(encoding="utf-8") != wanted:
        print(f"Installing {wanted} into .bench/{name} …", flush=True)
        venv.create(folder, clear=True, symlinks=os.name != "nt", with_pip=True)
        pins = ["-c", str(ROOT / "constraints.txt")] if "==" not in wanted else []
        subprocess.run([programs / "python", "-m", "pip", "install", "-q", *pins, *wanted.split()], check=True)
        ready.write_text(wanted, encoding="utf-8")
    return programs


def program(environment_programs: Path, name: str) -> Path:
    return environment_programs / (f"{name}.exe" if os.name == "nt" else name)


if __name__ == "__main__":
    for peer in PACKAGES:
        environment(peer)
