"""Every piece of trilho.yaml that the docs show is one that trilho takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from documented import PAGES, ROOT, blocks
from trilho.project import load

REQUIRED = {
    "name": "shop",
    "task": "classification",
    "target": "bought",
    "data": {"source": "orders.csv"},
    "train": {"estimator": "sklearn.linear_model.LogisticRegression"},
}
SHOWN = [
    pytest.param(block, id=f"{page.relative_to(ROOT).as_posix()}-{number}")
    for page in PAGES
    for number, block in enumerate(blocks(page.read_text(encoding="utf-8"), "yaml"), 1)
]


@pytest.mark.parametrize("block", SHOWN)
def test_yaml_in_the_docs_is_valid(block: str, tmp_path: Path) -> None:
    shown = _as_trilho_reads(yaml.safe_load(block))
    whole = {**REQUIRED, **shown}
    for section in ("data", "train"):
        whole[section] = {**REQUIRED[section], **shown.get(section, {})}  # type: ignore[dict-item]
    (tmp_path / "trilho.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    load(tmp_path, environment={})


def _as_trilho_reads(shown: Any) -> Any:
    """PyYAML takes the key `on` for true."""
    if not isinstance(shown, dict):
        return shown
    return {"on" if key is True else key: _as_trilho_reads(value) for key, value in shown.items()}
