"""The shipped settings of Prometheus and Alertmanager by their own tools, as they are and with their comments taken."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from prometheus_parts import checked, deployed, rules_of, taken


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return deployed(tmp_path_factory.mktemp("monitoring"))


def test_settings_are_valid_as_they_are_written(folder: Path) -> None:
    assert "SUCCESS" in checked("promtool", "check", "config", "prometheus.yml", folder=folder)
    assert "SUCCESS" in checked("amtool", "check-config", "alertmanager.yml", folder=folder)


def test_every_job_that_is_commented_out_is_valid(folder: Path) -> None:
    text = (folder / "prometheus.yml").read_text(encoding="utf-8")
    jobs = yaml.safe_load(taken(text))["scrape_configs"]
    named = [job["job_name"] for job in jobs]
    assert named == ["prometheus", "mlflow-server", "model-server", "node", "kube-state-metrics", "cadvisor"]
    # Debian's Prometheus is built without Kubernetes; its files of secrets are only inside a pod.
    cadvisor = jobs[-1]
    assert cadvisor.pop("kubernetes_sd_configs") == [{"role": "node"}]
    del cadvisor["authorization"], cadvisor["tls_config"]
    whole = {**yaml.safe_load(text), "scrape_configs": jobs}
    (folder / "all.yml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    assert "SUCCESS" in checked("promtool", "check", "config", "all.yml", folder=folder)


@pytest.mark.parametrize(
    "channels", [("E-mail",), ("Slack",), ("Any webhook",), ()], ids=["e-mail", "slack", "webhook", "all"]
)
def test_every_channel_is_valid_once_its_comment_is_removed(channels: tuple[str, ...], folder: Path) -> None:
    text = taken((folder / "alertmanager.yml").read_text(encoding="utf-8"), *channels)
    [people] = yaml.safe_load(text)["receivers"]
    assert len([key for key in people if key.endswith("_configs")]) == (len(channels) or 3)
    (folder / "chosen.yml").write_text(text, encoding="utf-8")
    checked("amtool", "check-config", "chosen.yml", folder=folder)


def test_everybody_is_told_of_every_alert(folder: Path) -> None:
    for rule in rules_of(folder):
        words = ["config", "routes", "test", "--config.file=alertmanager.yml", f"alertname={rule['alert']}"]
        assert checked("amtool", *words, folder=folder).split()[0] == "people"
