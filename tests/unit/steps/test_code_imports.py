"""Code that a function takes from elsewhere counts, however it is imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from trilho.steps import code
from trilho.steps.code import code_fingerprint


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def counts(root: Path, files: dict[str, str], edited: str, path: str = "features:build") -> bool:
    """Does it change the fingerprint when ONE becomes 2 in the file `edited`?"""
    assert "ONE" in files[edited]
    write(root, {name: text.replace("ONE", "1") for name, text in files.items()})
    before = code_fingerprint(path, root)
    write(root, {edited: files[edited].replace("ONE", "2")})
    return code_fingerprint(path, root) != before


HELPERS = "LIMIT = 7\n\ndef scale(x):\n    return inner(x)\n\ndef inner(x):\n    return x * ONE\n"


@pytest.mark.parametrize(
    "features",
    [
        "from helpers import scale\n\ndef build(x):\n    return scale(x)\n",
        "from helpers import scale as s\n\ndef build(x):\n    return s(x)\n",
        "import helpers\n\ndef build(x):\n    return helpers.scale(x)\n",
        "import helpers as h\n\ndef build(x):\n    return h.scale(x)\n",
        "from helpers import *\n\ndef build(x):\n    return scale(x)\n",
        "def build(x):\n    from helpers import scale\n    return scale(x)\n",
        "def build(x):\n    return mine(x)\n\ndef mine(x):\n    import helpers\n    return helpers.scale(x)\n",
        "try:\n    from helpers import scale\nexcept OSError:\n    scale = 0\n\ndef build(x):\n    return scale(x)\n",
        "import helpers\n\nclass build:\n    def fit(self, x):\n        return helpers.scale(x)\n",
        "from helpers import scale\n\nSTEPS = [scale]\n\ndef build(x):\n    return [step(x) for step in STEPS]\n",
        "from helpers import scale\n\n@scale\ndef build(x):\n    return x\n",
        "from helpers import scale\n\ndef build(x, by=scale(1)):\n    return x * by\n",
        "from helpers import scale as build\n",
        "from helpers import LIMIT\n\ndef build(x):\n    return x * LIMIT\n",
    ],
)
@pytest.mark.parametrize("place", ["", "src/"])
def test_a_helper_in_another_module_counts(tmp_path: Path, features: str, place: str) -> None:
    assert counts(tmp_path, {f"{place}features.py": features, f"{place}helpers.py": HELPERS}, f"{place}helpers.py")


def test_an_unrelated_function_of_the_other_module_does_not_count(tmp_path: Path) -> None:
    features = "from helpers import scale\n\ndef build(x):\n    return scale(x)\n"
    helpers = "def scale(x):\n    return x\n\ndef unrelated(x):\n    return ONE\n"
    assert not counts(tmp_path, {"features.py": features, "helpers.py": helpers}, "helpers.py")


def test_an_import_that_is_not_used_does_not_count(tmp_path: Path) -> None:
    features = "from helpers import scale\n\ndef build(x):\n    return x\n\ndef other(x):\n    return scale(x)\n"
    assert not counts(tmp_path, {"features.py": features, "helpers.py": HELPERS}, "helpers.py")


@pytest.mark.parametrize("change", ["LIMIT = ONE", "def scale(x):\n    return ONE"])
def test_a_helper_of_a_helpers_module_counts(tmp_path: Path, change: str) -> None:
    files = {
        "features.py": "from middle import scaled\n\ndef build(x):\n    return scaled(x)\n",
        "middle.py": "import helpers\n\ndef scaled(x):\n    return helpers.scale(x) + helpers.LIMIT\n",
        "helpers.py": f"LIMIT = 0\n\ndef scale(x):\n    return x\n\n{change}\n",
    }
    assert counts(tmp_path, files, "helpers.py")


def test_modules_that_import_each_other_have_a_fingerprint(tmp_path: Path) -> None:
    files = {
        "features.py": "import helpers\n\ndef build(x):\n    return helpers.scale(x)\n\ndef back(x):\n    return ONE\n",
        "helpers.py": "import features\n\ndef scale(x):\n    return features.back(x)\n",
    }
    assert counts(tmp_path, files, "features.py")


PACKAGE = {
    "shop/__init__.py": "RATE = 1\n",
    "shop/deep/__init__.py": "",
    "shop/helpers.py": HELPERS,
    "shop/other.py": "def other(x):\n    return x\n",
}


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("shop/features.py", "from .helpers import scale\n\ndef build(x):\n    return scale(x)\n"),
        ("shop/features.py", "from . import helpers\n\ndef build(x):\n    return helpers.scale(x)\n"),
        ("shop/features.py", "from . import helpers as h\n\ndef build(x):\n    return h.scale(x)\n"),
        ("shop/features.py", "from shop import helpers\n\ndef build(x):\n    return helpers.scale(x)\n"),
        ("shop/features.py", "import shop.helpers\n\ndef build(x):\n    return shop.helpers.scale(x)\n"),
        ("shop/features.py", "import shop.helpers as h\n\ndef build(x):\n    return h.scale(x)\n"),
        ("shop/deep/features.py", "from ..helpers import scale\n\ndef build(x):\n    return scale(x)\n"),
        ("shop/deep/features.py", "from .. import helpers\n\ndef build(x):\n    return helpers.scale(x)\n"),
        ("shop/deep/__init__.py", "from ..helpers import scale\n\ndef build(x):\n    return scale(x)\n"),
        ("shop/deep/__init__.py", "from ..helpers import scale as build\n"),
    ],
)
def test_a_helper_in_the_same_package_counts(tmp_path: Path, module: str, text: str) -> None:
    path = module.removesuffix(".py").removesuffix("/__init__").replace("/", ".") + ":build"
    assert counts(tmp_path, {**PACKAGE, module: text}, "shop/helpers.py", path)


def test_a_name_that_a_package_passes_on_is_followed_to_where_it_is_made(tmp_path: Path) -> None:
    files = {**PACKAGE, "shop/__init__.py": "from .helpers import scale\nfrom .other import other\n"}
    features = "from shop import scale\n\ndef build(x):\n    return scale(x)\n"
    assert counts(tmp_path, {**files, "features.py": features}, "shop/helpers.py")
    assert counts(tmp_path, files, "shop/helpers.py", "shop:scale")
    assert not counts(tmp_path, files, "shop/helpers.py", "shop:other")


def test_a_module_taken_whole_counts_with_what_it_takes_from_others(tmp_path: Path) -> None:
    files = {**PACKAGE, "shop/__init__.py": "from .helpers import scale\n"}
    features = "import shop\n\ndef build(x):\n    return shop.scale(x)\n"
    assert counts(tmp_path, {**files, "features.py": features}, "shop/helpers.py")


@pytest.mark.parametrize("line", ["import shop", "import shop.other", "from shop import RATE", "import shop as s"])
def test_a_constant_in_the_packages_init_counts(tmp_path: Path, line: str) -> None:
    name = {"from shop import RATE": "RATE", "import shop as s": "s.RATE"}.get(line, "shop.RATE")
    features = f"{line}\n\ndef build(x):\n    return x * {name}\n"
    files = {**PACKAGE, "shop/__init__.py": "RATE = ONE\n", "features.py": features}
    assert counts(tmp_path, {**files, "shop/helpers.py": ""}, "shop/__init__.py")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from math import floor as r", "from math import ceil as r"),
        ("from one import r", "from two import r"),
        ("import one as r", "import two as r"),
        ("from sklearn.cluster import KMeans as r", "from sklearn.cluster import Birch as r"),
    ],
)
def test_the_same_name_for_something_else_counts(tmp_path: Path, before: str, after: str) -> None:
    write(tmp_path, {"one.py": "def r(x):\n    return x\n", "two.py": "def r(x):\n    return x\n"})
    found = set()
    for line in (before, after):
        write(tmp_path, {"features.py": f"{line}\n\ndef build(x):\n    return r(x)\n"})
        found.add(code_fingerprint("features:build", tmp_path))
    assert len(found) == 2


def test_the_version_of_a_package_that_the_code_uses_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"uses.py": "import numpy as np\nimport math\n\ndef build(x):\n    return np.log(math.pi)\n"})
    write(tmp_path, {"does_not.py": "import numpy as np\nimport math\n\ndef build(x):\n    return math.pi\n"})
    found: dict[str, set[str]] = {"uses": set(), "does_not": set()}
    for number in ("2.0", "3.0"):
        code._package.cache_clear()
        monkeypatch.setattr(code, "version", lambda _, number=number: number)
        for module, seen in found.items():
            seen.add(code_fingerprint(f"{module}:build", tmp_path))
    code._package.cache_clear()
    assert (len(found["uses"]), len(found["does_not"])) == (2, 1)


def test_reading_the_code_runs_none_of_it(tmp_path: Path) -> None:
    files = {"features.py": "from helpers import scale\n\ndef build(x):\n    return scale(x)\n"}
    write(tmp_path, {**files, "helpers.py": "raise RuntimeError\n"})
    assert code_fingerprint("features:build", tmp_path)
