from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from trilho.serving.counting import SECONDS, Counts, Folder, Histogram, Tally, fold
from trilho.serving.exposition import exposed
from trilho.serving.state import State


def counted(*, requests: int, seconds: float = 0.001, workers: float = 1, lag: float = 0.0) -> Counts:
    counts = Counts()
    counts.requests["POST\n/invocations\n200"] = requests
    histogram = counts.durations["POST\n/invocations"] = Histogram()
    for _ in range(requests):
        histogram.observe(seconds)
    counts.gauges["workers"] = workers
    counts.worst["journal_lag"] = lag
    return counts


def samples(body: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(body.decode())
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples}


@given(st.lists(st.floats(0, 20), max_size=50))
def test_every_observation_is_below_its_edge_and_in_the_sum(seconds: list[float]) -> None:
    histogram = Histogram()
    for one in seconds:
        histogram.observe(one)
    for place, edge in enumerate(SECONDS):
        assert sum(histogram.counts[: place + 1]) == sum(one <= edge for one in seconds)
    assert sum(histogram.counts) == len(seconds)
    assert abs(histogram.total - sum(seconds)) < 1e-9


def test_workers_add_up_and_each_is_counted_once(tmp_path: Path) -> None:
    mine, other = counted(requests=3, lag=0.5), counted(requests=4, seconds=9.0, lag=2.0)
    folder = Folder(tmp_path)
    folder.write(counted(requests=1))  # what this worker wrote a second ago is not added to what it knows now
    Folder.write(_of(tmp_path, 111), other)
    found = samples(exposed(folder.together(mine), State()))
    asked = (("method", "POST"), ("path", "/invocations"))
    assert found["http_requests_total", (*asked, ("status", "200"))] == 7
    assert found["http_request_duration_seconds_count", asked] == 7
    assert found["http_request_duration_seconds_bucket", (("le", "0.001"), *asked)] == 3
    assert found["http_request_duration_seconds_bucket", (("le", "10"), *asked)] == 7
    assert found["trilho_workers", ()] == 2
    assert found["trilho_journal_lag_seconds", ()] == 2.0, "the worst of all, not their sum"


def test_what_models_failed_at_adds_up_over_workers_by_version(tmp_path: Path) -> None:
    mine, other = Counts(), Counts()
    for counts, failed in ((mine, 2), (other, 3)):
        tally = Tally(counts, "churn\n3", {})
        for _ in range(failed):
            tally.fail()
    Tally(mine, "churn\n4", {})
    Folder.write(_of(tmp_path, 111), other)
    found = samples(exposed(Folder(tmp_path).together(mine), State()))
    assert found["trilho_model_failures_total", (("model", "churn"), ("version", "3"))] == 5
    assert found["trilho_model_failures_total", (("model", "churn"), ("version", "4"))] == 0, (
        "it is there from the start"
    )


def test_what_a_dead_worker_counted_stays_and_what_it_was_does_not(tmp_path: Path) -> None:
    Folder.write(_of(tmp_path, 111), counted(requests=4, lag=60.0))
    Folder.write(_of(tmp_path, 222), counted(requests=5))
    fold(tmp_path, 111)
    fold(tmp_path, 222)
    fold(tmp_path, 333)  # it never counted anything
    found = Folder(tmp_path).together(counted(requests=1))
    assert found.requests == {"POST\n/invocations\n200": 10}
    assert found.gauges == {"workers": 1}
    assert found.worst == {"journal_lag": 0.0}
    assert [path.name for path in tmp_path.iterdir()] == ["past.json"]


def test_file_that_is_no_count_is_not_counted(tmp_path: Path) -> None:
    (tmp_path / "worker-9.json").write_text('{"requests": {"x"')
    assert Folder(tmp_path).together(counted(requests=2)).requests == {"POST\n/invocations\n200": 2}


def test_rows_are_counted_by_the_names_of_their_labels() -> None:
    counts = Counts()
    Tally(counts, "churn\n3", {0: "no", 1: "yes"}).add([1, 1, 0])
    Tally(counts, "price\n1", {}).add([4.5, 3.0])
    found = samples(exposed(counts, State()))
    labels = {dict(key[1])["label"]: value for key, value in found.items() if key[0] == "mlflow_predictions_total"}
    assert labels == {"no": 1, "yes": 2, "": 2}


def test_names_may_hold_anything() -> None:
    counts = Counts()
    Tally(counts, 'quote " back \\ slash\n3', {"a": 'é"\\'}).add(["a"])
    [labels] = [dict(key[1]) for key in samples(exposed(counts, State())) if key[0] == "mlflow_predictions_total"]
    assert labels == {"model": 'quote " back \\ slash', "version": "3", "label": 'é"\\'}


def test_state_of_the_server_is_exposed() -> None:
    state = State(name="churn", version="7", reloads=3, failures=1, swap_seconds=0.25, registry_reachable=False,
                  journal_bytes=5000, journal_deleted=2, journal_problem="No space left on device")  # fmt: skip
    found = samples(exposed(Counts(), state))
    assert found["trilho_journal_bytes", ()] == 5000
    assert found["trilho_journal_deleted_files_total", ()] == 2
    assert found["trilho_journal_keeping_failing", ()] == 1
    assert found["trilho_version_in_charge", (("model", "churn"), ("version", "7"))] == 1
    assert found["trilho_reloads_total", ()] == 3
    assert found["trilho_reload_failures_total", ()] == 1
    assert found["trilho_swap_seconds", ()] == 0.25
    assert found["trilho_registry_reachable", ()] == 0


def _of(path: Path, pid: int) -> Folder:
    folder = Folder(path)
    assert folder.mine.name == f"worker-{os.getpid()}.json"
    folder.mine = path / f"worker-{pid}.json"
    return folder
