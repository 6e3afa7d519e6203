"""The peers' environments: .bench/serving-NAME, made when first asked for. Nothing of ours is in them.

    python benchmarks/serving/environments.py [NAME …]

makes them all, or these. What answers (scikit-learn, lightgbm, onnxruntime, numpy, …) and what is named below comes in
the versions that trilho is pinned to (constraints.txt); what else a peer needs is as its own maker wants it.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BENCH = ROOT / ".bench"
MODELS = ("scikit-learn", "lightgbm", "skops", "cloudpickle", "joblib", "pandas", "numpy", "scipy")


ENVIRONMENTS = {
    "mlflow": ("mlflow", *MODELS),
    "mlflow-uvloop": ("mlflow", "uvloop", "httptools", *MODELS),
    "http": ("fastapi", "uvicorn[standard]", "uvloop", "httptools", "msgspec", "onnxruntime", *MODELS),
    "bentoml": ("bentoml==1.4.39", "onnxruntime", *MODELS),
    "litserve": ("litserve==0.2.19", "onnxruntime", *MODELS),
    "mlserver": ("mlserver==1.7.1", "mlserver-mlflow==1.7.1", "mlflow", *MODELS),
}


class NotInstalled(Exception):
    """pip's last words about a peer that cannot be installed here."""


def python_of(name: str) -> Path:
    """The Python of the environment. Raises NotInstalled."""
    folder = BENCH / f"serving-{name}"
    python, ready = folder / "bin" / "python", folder / ".ready"
    wanted = _wanted(name)
    if not ready.exists() or ready.read_text(encoding="utf-8") != wanted:
        print(f"Installing {', '.join(ENVIRONMENTS[name])} into .bench/{folder.name} …", flush=True)
        venv.create(folder, clear=True, symlinks=True, with_pip=True)
        pins = folder / "constraints.txt"
        pins.write_text(wanted, encoding="utf-8")
        words = [python, "-m", "pip", "install", "-q", "-c", pins, *ENVIRONMENTS[name]]
        done = subprocess.run(words, check=False, capture_output=True, text=True)
        if done.returncode:
            raise NotInstalled(done.stderr.strip()[-2000:])
        ready.write_text(wanted, encoding="utf-8")
    return python


def version_in(name: str, package: str) -> str:
    """Of a package in an environment that is there."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    return subprocess.run([python_of(name), "-c", code], check=True, capture_output=True, text=True).stdout.strip()


# ----------------------------------------------------------------------------------------------------------------------


def _wanted(name: str) -> str:
    """The versions to take, as pip's constraints; with what is asked for, so that a change shows."""
    asked = ENVIRONMENTS[name]
    named = {package.partition("==")[0].partition("[")[0].lower() for package in asked}
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line.partition("==")[0].lower() in named]
    return "\n".join([f"# {' '.join(asked)}", *pins, ""])


if __name__ == "__main__":
    for each in sys.argv[1:] or ENVIRONMENTS:
        try:
            python_of(each)
        except NotInstalled as error:
            print(f"{each}: {error}")
