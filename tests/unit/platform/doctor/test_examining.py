"""How checks are run: all at once, bounded, whatever one of them does, and nothing secret in what they say."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from trilho.errors import MissingExtra, ServiceFailed
from trilho.platform.doctor import CHECKS, Check, Finding, Site, examine
from trilho.platform.doctor.finding import counted, ok, some, trouble

GUIDE = Path(__file__).parents[4] / "docs" / "guides" / "troubleshooting.md"


def site(**parts: object) -> Site:
    return Site(**{"root": Path(), "environment": {}, **parts})  # type: ignore[arg-type]


def names(found: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(finding.name, finding.state) for finding in found]


def test_findings_come_in_the_order_of_the_checks_and_those_that_do_not_apply_are_left_out() -> None:
    first_may_go = threading.Event()

    def slow(_: Site) -> Finding:
        assert first_may_go.wait(60)  # only if both run at the same time
        return ok("slow")

    def quick(_: Site) -> Finding:
        first_may_go.set()
        return trouble("quick", expected="x", remedy="y")

    checks = [Check(name="slow", look=slow), Check(name="none", look=lambda _: None), Check(name="quick", look=quick)]
    assert names(examine(site(), checks)) == [("slow", "ok"), ("quick", "trouble")]


_ALREADY_THERE = """
import sys
from pathlib import Path
from trilho.platform.doctor import Check, Site, examine
from trilho.platform.doctor.finding import ok
site = Site(root=Path("."), environment={}, database="sqlite:///mlflow.db", artifacts="s3://bucket/")
wanted = ("sqlalchemy.engine", "sqlalchemy.dialects.sqlite", "botocore.client")
(found,) = examine(site, [Check(name="x", look=lambda _: ok(" ".join(n for n in wanted if n not in sys.modules)))])
print(f"missing: [{found.measured}]")
"""


def test_packages_that_import_themselves_in_circles_are_there_before_checks_run_side_by_side() -> None:
    pytest.importorskip("sqlalchemy", reason="pip install sqlalchemy")
    pytest.importorskip("boto3", reason='pip install "trilho[s3]"')
    done = subprocess.run([sys.executable, "-c", _ALREADY_THERE], capture_output=True, text=True, check=True)
    assert done.stdout == "missing: []\n"


def test_check_that_hangs_is_unknown_after_its_deadline() -> None:
    end = threading.Event()

    def hangs(_: Site) -> None:
        end.wait()

    found = examine(site(), [Check(name="hangs", look=hangs), Check(name="fine", look=lambda _: ok("x"))], seconds=0.2)
    end.set()
    assert names(found) == [("hangs", "unknown"), ("fine", "ok")]
    assert "No answer within" in found[0].measured


def test_check_that_fails_hides_none_of_the_others() -> None:
    def bug(_: Site) -> None:
        raise ZeroDivisionError("a bug")

    def refused(_: Site) -> None:
        raise ServiceFailed("It is away.", remedy="Start it.")

    def missing(_: Site) -> None:
        raise MissingExtra("boto3 is not installed.", remedy="pip install boto3")

    checks = [Check(name=look.__name__, look=look) for look in (bug, refused, missing)]
    found = examine(site(), [*checks, Check(name="fine", look=lambda _: ok("x"))])
    assert [finding.state for finding in found] == ["unknown", "unknown", "unknown", "ok"]
    assert "ZeroDivisionError: a bug" in found[0].measured
    assert (found[1].measured, found[1].remedy) == ("It is away.", "Start it.")
    assert found[2].remedy == "pip install boto3"


@pytest.mark.parametrize(
    ("secret", "parts"),
    [
        ("hunter22", {"environment": {"AWS_SECRET_ACCESS_KEY": "hunter22"}}),
        ("hunter22", {"environment": {"MLFLOW_TRACKING_PASSWORD": "hunter22"}}),
        ("second-key", {"environment": {"TRILHO_API_KEYS": "first-key,second-key"}}),
        ("hunter22", {"tracking_uri": "http://ana:hunter22@127.0.0.1:1"}),
        ("p@ss/word", {"database": "mysql://team:p%40ss%2Fword@db/mlflow"}),
        ("p%40ss%2Fword", {"database": "mysql://team:p%40ss%2Fword@db/mlflow"}),
        ("hunter22", {"environment": {"ANY_NAME": "postgresql://team:hunter22@db/mlflow"}}),
        ("ge/heim123", {"tracking_uri": "http://ana:ge/heim123@host"}),
        ("ge?h@im#123", {"database": "mysql://team:ge?h@im#123@db/mlflow"}),
        ("ge[heim123", {"environment": {"ANY_NAME": "http://ana:ge[heim123@host:abc"}}),
        ("hunter22", {"prometheus": "http://ana:hunter22@127.0.0.1:9090"}),
    ],
)
def test_no_secret_is_in_what_a_check_says(secret: str, parts: dict[str, object]) -> None:
    def talks(_: Site) -> Finding:
        return trouble(f"it is {secret}!", expected=f"not {secret}", remedy=f"change {secret}")

    (found,) = examine(site(**parts), [Check(name="talks", look=talks)])
    assert secret not in str(found)
    assert found.measured == "it is ***!"


@pytest.mark.parametrize(
    ("told", "environment"),
    [
        ("the admin of the store", {"AWS_ACCESS_KEY_ID": "admin"}),
        ("the account team-access-key", {"AWS_ACCESS_KEY_ID": "team-access-key"}),
        ("4096 MB are free", {"MAX_TOKENS": "4096"}),
        ("the path /home/ana/churn", {"PWD": "/home/ana/churn", "OLDPWD": "/home/ana/churn"}),
        ("/run/secrets/db", {"POSTGRES_PASSWORD_FILE": "/run/secrets/db"}),
        ("administrators", {"MLFLOW_TRACKING_PASSWORD": "admin"}),
        ("on or off", {"FEATURE_TOKEN": "on"}),
    ],
)
def test_what_is_no_secret_is_told(told: str, environment: dict[str, str]) -> None:
    (found,) = examine(site(environment=environment), [Check(name="talks", look=lambda _: ok(told))])
    assert found.measured == told


def test_a_short_password_is_blotted_out_where_it_is_a_word() -> None:
    check = Check(name="talks", look=lambda _: ok("mysql://team:team1@db refuses 'team1'; team12 is free"))
    (found,) = examine(site(environment={"PGPASSWORD": "team1"}), [check])
    assert found.measured == "mysql://team:***@db refuses '***'; team12 is free"


def test_every_check_has_a_name_and_a_section_in_the_guide() -> None:
    known = [check.name for check in CHECKS]
    assert len(set(known)) == len(known)
    sections = re.findall(r"^### `([\w-]+)`", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sections == known  # in the same order


def test_words_for_many() -> None:
    assert (counted(1, "run"), counted(1200, "run")) == ("1 run", "1 200 runs")
    assert some(["a", "b"]) == "a, b"
    assert some(str(number) for number in range(7)) == "0, 1, 2, 3, 4 and 2 more"
