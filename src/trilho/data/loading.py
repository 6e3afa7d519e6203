"""From a source string to a Dataset: fingerprint, read, give each column its kind, check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trilho.data.columns import prepared
from trilho.data.content import fingerprint, fingerprint_of_files
from trilho.data.dataset import Dataset
from trilho.data.files import files_of, require_unchanged
from trilho.data.frame_content import fingerprint_of_frame
from trilho.data.source import parse, require_known_options
from trilho.data.sources import read

_NONE: Mapping[str, Any] = {}


def load(
    source: str,
    *,
    target: str,
    root: Path,
    task: str = "classification",
    options: Mapping[str, Any] = _NONE,
    kinds: Mapping[str, str] = _NONE,
    drop: Sequence[str] = (),
    checks: Mapping[str, Any] = _NONE,
    memory: Path | None = None,
) -> Dataset:
    """The data set that `source` names, ready to learn from.

    Numbers keep their size, whole numbers with gaps become float64 with NaN; category and text hold text; boolean holds
    bool (objects with NaN where values are missing), also for the words yes/no and true/false; time holds datetime64 in
    UTC. The target keeps its own values, so its labels are the words or numbers of the source.

    Args:
        source: As in `data.source` of trilho.yaml: "sklearn:iris", "orders.csv", "parts/*.parquet",
            "sqlite:///shop.db#orders", "features:read".
        target: The column to predict.
        root: The project's folder: relative paths start there, functions are imported from it and its src/.
        task: classification, regression or image-classification.
        options: The reader's options: separator, encoding, columns, query; for a function its arguments.
        kinds: Column → kind, where the inferred one is wrong.
        drop: Columns that are neither feature nor target.
        checks: Column → rules: min, max, between, in, matches, unique, nullable.
        memory: A file that remembers file contents, as for `fingerprint`.

    Raises:
        UnknownName: no reader takes this source, or no such option or check.
        SourceUnreadable: missing file, wrong encoding, no connection, or a file that changed while it was read.
        BadData: nothing can be learned from it; lists all reasons with their lines.
        ChecksFailed: rows break the rules in `checks`; lists all of them.
        ImportFailed, MissingExtra: the user's function, a database driver or pandera is not there.
    """
    found = parse(source, root)
    files = files_of(found) if found.reader in ("csv", "parquet", "files") else None
    require_known_options(found, files.reader if files else found.reader, options)
    known = fingerprint_of_files(files, options, memory) if files else fingerprint(source, root=root, options=options)
    words = [name for name, kind in kinds.items() if kind in ("category", "text")]
    table = read(found, files, root=root, options=options, words=words)
    if files:
        require_unchanged(files, found)
    frame, columns = prepared(
        table,
        source=found.text,
        target=target,
        task=task,
        kinds=kinds,
        drop=drop,
        text=files is not None and files.reader == "csv",
    )
    if checks:
        from trilho.data.checks import require

        require(checks, frame, table, found.text)
    return Dataset(
        name=found.name,
        source=found.text,
        fingerprint=known or fingerprint_of_frame(table.frame),
        frame=frame,
        columns=columns,
        target=target,
        label_names=table.labels,
    )
