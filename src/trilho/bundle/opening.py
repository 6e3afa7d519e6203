"""From a bundle on disk to a Predictor, and the single things that lie in one.

A compiled bundle is opened with numpy and onnxruntime alone. A native one needs scikit-learn, and holds only types that
`trusted` vouches for, or that the opener does.
"""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trilho.bundle import self_test
from trilho.bundle.archive import Contents, damaged
from trilho.bundle.code_modules import FOLDER, module_names, modules_of, unpack
from trilho.bundle.compiled import Compiled
from trilho.bundle.predictor import Predictor
from trilho.bundle.schema import Schema
from trilho.errors import UntrustedModel

if TYPE_CHECKING:
    from trilho.bundle.drift_profile import DriftProfile
    from trilho.bundle.native import Native
    from trilho.bundle.parity import ParityReport

ONNX, NATIVE = "onnx", "native"
METADATA, SCHEMA, PROFILE, PARITY, ROWS = "metadata.json", "schema.json", "profile.json", "parity.json", "rows.bin"
SELF_TEST, ONNX_MODEL, WORDS, NATIVE_MODEL = "self_test.json", "model.onnx", "words.json", "model.skops"


def open_bundle(path: Path, *, trust_code: bool = False, trusted: Collection[str] = ()) -> Predictor:
    """Open an archive, or the folder it was extracted to. Everything read is compared with its checksum, and a few
    answers with those of the machine that made it.

    Args:
        trust_code: May code that travels with the bundle run, and types be made that nobody vouched for?
        trusted: Types to make besides the vetted ones ("package.module.Type").

    Raises:
        BundleDamaged: altered, cut, of a newer format, not a bundle, or it answers otherwise here.
        UntrustedModel: it holds code or types that the opener does not trust.
    """
    contents = Contents(path)
    schema = Schema.from_json(_text(contents, SCHEMA))
    metadata = json.loads(_text(contents, METADATA))
    facts = contents.manifest
    engine: Compiled | Native
    try:
        if facts["runtime"] == ONNX:
            words = json.loads(_text(contents, WORDS))
            engine = Compiled(contents.read(ONNX_MODEL), schema=schema, words=words, width=facts["width"])
        elif facts["runtime"] == NATIVE:
            engine = _native(contents, schema, trust_code=trust_code, trusted=trusted)
        else:
            raise damaged(path, f"It holds a model of an unknown kind: {facts['runtime']!r}.")
        largest = facts["largest"]
        self_test.check(contents.read(SELF_TEST), schema, engine.answer, path)
    except KeyError as error:
        raise damaged(path, f"Its manifest lacks {error}.") from error
    return Predictor(schema=schema, engine=engine, runtime=facts["runtime"], metadata=metadata, largest=largest)


def read_schema(path: Path) -> Schema:
    """A bundle's schema alone. Raises BundleDamaged."""
    return Schema.from_json(_text(Contents(path), SCHEMA))


def read_metadata(path: Path) -> dict[str, Any]:
    """A bundle's metadata.json: name, metrics, feature and label names, versions of packages. Raises BundleDamaged."""
    found: dict[str, Any] = json.loads(_text(Contents(path), METADATA))
    return found


def read_profile(path: Path) -> DriftProfile:
    """A bundle's drift profile. Raises BundleDamaged."""
    from trilho.bundle.drift_profile import DriftProfile

    return DriftProfile.from_json(_text(Contents(path), PROFILE))


def read_parity(path: Path) -> ParityReport:
    """How a bundle's model compared with the one that was trained. Raises BundleDamaged."""
    from trilho.bundle.parity import ParityReport

    return ParityReport.from_json(_text(Contents(path), PARITY))


def training_rows(path: Path) -> np.ndarray:
    """Hashes of the rows the model was trained on, ascending. Shape (n,), uint64. Raises BundleDamaged."""
    return np.frombuffer(Contents(path).read(ROWS), dtype="<u8").astype(np.uint64)


# ----------------------------------------------------------------------------------------------------------------------


def _text(contents: Contents, name: str) -> str:
    try:
        return contents.read(name).decode()
    except UnicodeDecodeError as error:
        raise damaged(contents.path, f"'{name}' is not text.") from error


def _native(contents: Contents, schema: Schema, *, trust_code: bool, trusted: Collection[str]) -> Native:
    from trilho.bundle.native import Native, load

    names = module_names(contents.members)
    allowed = {*trusted, *(contents.manifest.get("trusted", ()) if trust_code else ())}
    data, likeliest = contents.read(NATIVE_MODEL), bool(contents.manifest.get("likeliest"))
    if not names:
        return Native(load(data, allowed=allowed, modules=(), path=contents.path), schema=schema, likeliest=likeliest)
    if not trust_code:
        raise UntrustedModel(
            f"The bundle {contents.path.name} holds code of its own ({', '.join(names)}), which would run here.",
            state="It was not opened.",
            remedy="If you trust whoever trained it: serve: {trust_code: true} in trilho.yaml, "
            "or trust_code=True where you open it.",
        )
    with modules_of(_code_folder(contents), names):
        return Native(
            load(data, allowed=allowed, modules=names, path=contents.path), schema=schema, likeliest=likeliest
        )


def _code_folder(contents: Contents) -> Path:
    """Where the bundle's code lies as files: beside an extracted bundle, else in a folder of this process."""
    if contents.path.is_dir():
        for name in contents.members:
            contents.read(name)  # what is imported must be what was checked
        return contents.path / FOLDER
    folder = Path(tempfile.mkdtemp(prefix="trilho-code-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return unpack({name: contents.read(name) for name in contents.members if name.startswith(FOLDER)}, folder)
