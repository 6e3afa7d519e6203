"""What monitoring keeps is what /metrics says: the real report of real rows, through the real files."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from shipped import KINDS, Shipped
from trilho.monitoring import Measured, Measurement, Performance, Report, Shadow, keep, keep_for_people
from trilho.serving.counting import Counts
from trilho.serving.exposition import exposed
from trilho.serving.reported import Found, Reported
from trilho.serving.state import State
from unit.monitoring.windows import journaled, report, trained, without_features

Labels = tuple[tuple[str, str], ...]


@pytest.fixture(scope="module", params=["all numbers", "categories and missing", "200 columns"])
def shipped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    return KINDS[request.param](tmp_path_factory.mktemp("bundle"))


def reported(shipped: Shipped, rows: int | None = None) -> Report:
    return report(shipped, journaled(shipped, trained(shipped)[:rows]))


def samples(found: Found, state: State) -> dict[tuple[str, Labels], float]:
    families = text_string_to_metric_families(exposed(Counts(), state, found).decode())
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples}


def in_charge(of: Report) -> State:
    return State(name=of.model, version=of.version)


def measurement(of: Report, *measured: Measured, labelled: int = 80) -> Measurement:
    return Measurement(model=of.model, version=of.version, since=0.0, until=1.0, labelled=labelled, min_labels=50,
                       measured=measured)  # fmt: skip


def test_every_judged_feature_of_the_newest_report_has_a_gauge(shipped: Shipped, tmp_path: Path) -> None:
    one = reported(shipped)
    keep(tmp_path, [one])
    found = samples(Reported(tmp_path)(), in_charge(one))
    key = (("model", one.model), ("version", one.version))
    assert found["trilho_report_rows", key] == one.rows
    assert found["trilho_drift_detected", key] == one.drift
    assert found["trilho_prediction_drift", key] == one.prediction_drift
    effects = {
        dict(labels)["column"]: value for (name, labels), value in found.items() if name == "trilho_drift_effect"
    }
    assert effects == {column.name: pytest.approx(column.effect) for column in one.judged}
    assert len(effects) == len(one.judged) > 0


@pytest.mark.parametrize("agreement", [0.97, None])
def test_the_challengers_agreement_has_a_gauge_where_it_is_known(
    shipped: Shipped, tmp_path: Path, agreement: float | None
) -> None:
    one = replace(reported(shipped), shadow=Shadow(version="4", rows=300, agreement=agreement))
    keep(tmp_path, [one])
    found = samples(Reported(tmp_path)(), in_charge(one))
    key = (("challenger", "4"), ("model", one.model), ("version", one.version))
    assert found.get(("trilho_shadow_agreement", key)) == agreement
    gone = samples(Reported(tmp_path)(), State(name=one.model, version="another"))
    assert not [name for name, _ in gone if name == "trilho_shadow_agreement"]


def test_too_few_rows_say_nothing_about_drift(shipped: Shipped, tmp_path: Path) -> None:
    few = reported(shipped, rows=5)
    keep(tmp_path, [few])
    names = {name for name, _ in samples(Reported(tmp_path)(), in_charge(few))}
    assert "trilho_report_rows" in names
    assert "trilho_report_age_seconds" in names
    assert not names & {"trilho_drift_detected", "trilho_prediction_drift", "trilho_drift_effect"}


def test_answers_have_a_gauge_where_no_feature_is_in_the_journal(shipped: Shipped, tmp_path: Path) -> None:
    only = report(shipped, without_features(journaled(shipped, trained(shipped))))
    keep(tmp_path, [only])
    found = samples(Reported(tmp_path)(), in_charge(only))
    key = (("model", only.model), ("version", only.version))
    assert found["trilho_prediction_drift", key] == only.prediction_drift
    assert ("trilho_drift_detected", key) not in found


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return reported(KINDS["all numbers"](tmp_path_factory.mktemp("bundle")))


def test_report_on_another_version_is_no_alarm_about_this_one(one: Report, tmp_path: Path) -> None:
    keep(tmp_path, [one])
    names = {name for name, _ in samples(Reported(tmp_path)(), State(name=one.model, version="99"))}
    assert "trilho_report_age_seconds" in names
    assert not {name for name in names if name.startswith(("trilho_drift", "trilho_prediction_drift"))}


def test_without_reports_nothing_is_said(tmp_path: Path) -> None:
    assert Reported(tmp_path)() == Found()
    names = {name for name, _ in samples(Found(), State(name="churn", version="1"))}
    assert not {name for name in names if name.startswith(("trilho_report", "trilho_drift", "trilho_performance"))}


def test_a_newer_report_is_read_and_a_damaged_one_says_nothing(one: Report, tmp_path: Path) -> None:
    read = Reported(tmp_path)
    keep(tmp_path, [one])
    assert read().report == read().report is not None
    keep(tmp_path, [replace(one, rows=one.rows + 1, until=one.until + 60)])
    newer = read().report
    assert newer is not None
    assert newer.rows == one.rows + 1
    (tmp_path / "reports" / "latest.json").write_text('{"format": 1, "model"', encoding="utf-8")
    assert read() == Found()


@pytest.mark.parametrize(
    ("metric", "value", "interval", "floor", "below"),
    [
        ("f1", 0.80, (0.75, 0.85), 0.90, 1.0),
        ("f1", 0.88, (0.83, 0.92), 0.90, 0.0),
        ("f1", 0.95, (0.93, 0.97), 0.90, 0.0),
        ("f1", 0.80, None, 0.90, 1.0),
        ("rmse", 5.0, (4.0, 6.0), 3.0, 1.0),
        ("rmse", 2.0, (1.0, 2.5), 3.0, 0.0),
    ],
)
def test_floor_is_judged_as_monitoring_judges_it(
    metric: str,
    value: float,
    interval: tuple[float, float] | None,
    floor: float,
    below: float,
    one: Report,
    tmp_path: Path,
) -> None:
    measured = Measured(metric=metric, value=value, interval=interval, floor=floor)
    assert measured.below == bool(below)
    windows = (measurement(one, labelled=3), measurement(one, measured))
    keep_for_people(tmp_path, [one], Performance(since=0.0, until=1.0, windows=windows))
    found = samples(Reported(tmp_path)(), in_charge(one))
    labels = (("metric", metric), ("model", one.model), ("version", one.version))
    assert found["trilho_performance", labels] == value
    assert found["trilho_performance_floor", labels] == floor
    assert found["trilho_performance_below_floor", labels] == below
    assert found["trilho_performance_labels", labels[1:]] == 80, "of the newest window with labels enough"
