from __future__ import annotations

from trilho.platform.allowed_hosts import LOCAL_HOSTS, host_patterns, origin_patterns


def test_a_name_is_answered_at_any_port_and_this_machine_always() -> None:
    assert host_patterns("mlflow, ml.example.org:443") == f"mlflow,ml.example.org:443,mlflow:*,{LOCAL_HOSTS}"


def test_nothing_given_is_this_machine_only() -> None:
    assert host_patterns("") == LOCAL_HOSTS
    assert host_patterns(LOCAL_HOSTS) == LOCAL_HOSTS


def test_the_page_opened_by_any_of_the_names_may_ask_its_server() -> None:
    origins = origin_patterns(host_patterns("mlflow")).split(",")
    assert {"http://mlflow", "http://mlflow:*", "https://mlflow", "http://localhost:*"} <= set(origins)


def test_any_host_does_not_mean_any_website() -> None:
    assert "*" not in origin_patterns(host_patterns("*")).split(",")
    assert "http://*" not in origin_patterns(host_patterns("*")).split(",")
