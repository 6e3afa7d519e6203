"""A model that plain MLflow logged becomes a bundle, in a process of its own: that needs MLflow, pandas and
scikit-learn, which a server must not load.

`python -m trilho.serving.converting` reads what to do as JSON from its standard input and answers as JSON.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trilho.errors import ServiceFailed, TrilhoError
from trilho.serving.orders import retold, told
from trilho.wire import connect

MLMODEL = "MLmodel"
_NO_NAMES = ("model", "mlflow_model", "artifacts")  # of folders that say nothing about what lies in them


def model_folder(path: Path) -> Path | None:
    """The folder at or just below `path` that holds a model of plain MLflow; None where there is none."""
    return next((place for place in (path, path / "mlflow_model") if (place / MLMODEL).is_file()), None)


def convert_folder(model: Path, to: Path, *, trust_code: bool, trusted: Sequence[str]) -> Path:
    """The bundle of the model in a folder, made once for each content.

    Args:
        model: Holds MLmodel.
        to: Folder of the bundles made so far.

    Raises:
        BadData, UntrustedModel: it cannot be bundled; the message says how to log one that can.
    """
    key = _content(model)
    out = to / f"{key}-{'trusted' if trust_code else 'plain'}.tar"
    if not out.exists():
        _in_a_process(source=str(model), out=out, name=_name(model), trust_code=trust_code, trusted=trusted)
    return out


def convert_logged(uri: str, server: str, out: Path, *, name: str, trust_code: bool, trusted: Sequence[str]) -> None:
    """Write the bundle of the model at `uri` ("runs:/ID/model", "models:/NAME/3") of a tracking server to `out`."""
    _in_a_process(source=uri, server=server, out=out, name=name, trust_code=trust_code, trusted=trusted)


# ----------------------------------------------------------------------------------------------------------------------


def _in_a_process(*, out: Path, **wanted: Any) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".converting-") as folder:
        fresh = Path(folder) / "bundle.tar"
        done = subprocess.run(
            [sys.executable, "-P", "-m", "trilho.serving.converting"],
            input=json.dumps({**wanted, "out": str(fresh)}),
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        try:
            answer = json.loads(done.stdout.splitlines()[-1])
        except (IndexError, ValueError):
            raise ServiceFailed(
                f"The model at {wanted['source']} could not be bundled.",
                why="\n".join(done.stderr.strip().splitlines()[-5:]) or f"The process ended with {done.returncode}.",
                remedy="Try to load it with MLflow alone: mlflow.sklearn.load_model(…)",
            ) from None
        if answer is not None:
            raise retold(answer)
        fresh.replace(out)


def _main() -> None:
    from trilho import bundle
    from trilho.tracking.download import download_model

    wanted = json.load(sys.stdin)
    error = None
    try:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(wanted["source"])
            if "server" in wanted:
                folder = download_model(connect(wanted["server"]), wanted["source"], Path(place)).folder
            bundle.from_mlflow(
                folder,
                out=Path(wanted["out"]),
                metadata={"name": wanted["name"]},
                trust_code=wanted["trust_code"],
                trusted=wanted["trusted"],
            )
    except TrilhoError as caught:
        error = told(caught)
    sys.stdout.write(json.dumps(error) + "\n")


def _content(folder: Path) -> str:
    """SHA-256 over the names and bytes of all files, in hexadecimal."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            total.update(json.dumps([path.relative_to(folder).as_posix(), path.stat().st_size]).encode())
            total.update(path.read_bytes())
    return total.hexdigest()[:32]


def _name(model: Path) -> str:
    places = (place.name for place in (model.resolve(), *model.resolve().parents))
    return next((name for name in places if name and name not in _NO_NAMES), "model")


if __name__ == "__main__":
    _main()
