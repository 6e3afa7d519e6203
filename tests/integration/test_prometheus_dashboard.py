"""The dashboard by Grafana's own types, `@grafana/schema`: unknown words and missing ones are errors there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from prometheus_parts import deployed

pytestmark = pytest.mark.xdist_group("grafana")  # its packages are fetched once
PACKAGES = ("@grafana/schema@13", "typescript@5.9")
TSC = ("--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--moduleResolution", "nodenext")
TYPES = Path(__file__).parent / "grafana" / "dashboard.ts"
DASHBOARD = "grafana/dashboards/mlflow-monitoring-dashboard.json"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Grafana's types and a compiler in it."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("needs npm: apt-get install nodejs npm")
    folder = tmp_path_factory.mktemp("grafana")
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), *PACKAGES]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    except subprocess.TimeoutExpired:
        pytest.skip("npm does not reach its packages")
    if done.returncode != 0:
        pytest.skip(f"npm does not get {' '.join(PACKAGES)}: {done.stderr[-300:]}")
    return folder


def compiled(board: str, packages: Path) -> str:
    """What the compiler has against a dashboard."""
    file = packages / "dashboard.ts"
    file.write_text(TYPES.read_text(encoding="utf-8").replace("= DASHBOARD;", f"= {board};"), encoding="utf-8")
    command = ["node", str(packages / "node_modules" / "typescript" / "bin" / "tsc"), *TSC, file.name]
    return subprocess.run(command, cwd=packages, capture_output=True, text=True, check=False, timeout=300).stdout


def test_the_dashboard_is_one_by_grafanas_own_types(packages: Path, tmp_path: Path) -> None:
    board = (deployed(tmp_path) / DASHBOARD).read_text(encoding="utf-8").rstrip()
    assert compiled(board, packages) == ""


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ('"unit": "reqps"', '"unitt": "reqps"', "'\"unitt\"' does not exist"),
        ('"type": "timeseries"', '"type": "time series"', "not assignable"),
        ('"mode": "absolute"', '"mode": "absolutely"', "not assignable"),
        ('"calcs": [\n', '"calc": [\n', "'\"calc\"' does not exist"),
        ('"schemaVersion": 41', '"schemaVersion": "41"', "not assignable"),
    ],
)
def test_the_types_notice_a_slip(was: str, becomes: str, said: str, packages: Path, tmp_path: Path) -> None:
    board = (deployed(tmp_path) / DASHBOARD).read_text(encoding="utf-8").rstrip()
    assert was in board
    assert re.search(re.escape(said), compiled(board.replace(was, becomes, 1), packages))


def test_it_can_be_imported_by_hand(tmp_path: Path) -> None:
    board = json.loads((deployed(tmp_path) / DASHBOARD).read_text(encoding="utf-8"))
    assert "id" not in board, "a number of somebody else's Grafana"
    [chosen] = board["templating"]["list"]
    sources = {json.dumps(panel["datasource"]) for panel in board["panels"] if panel["type"] != "row"}
    assert sources == {json.dumps({"type": "prometheus", "uid": f"${{{chosen['name']}}}"})}
