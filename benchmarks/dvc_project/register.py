"""Model and metrics in one folder, as a package."""

import shutil
from pathlib import Path

import yaml

params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
package = Path("package")
package.mkdir(exist_ok=True)
shutil.copyfile("work/model.joblib", package / "model.joblib")
shutil.copyfile("work/metrics.json", package / "metrics.json")
(package / "name.txt").write_text(params["name"], encoding="utf-8")
