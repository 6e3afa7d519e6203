"""Prometheus, Alertmanager and Grafana: `files/` as it is, and who is asked for metrics."""
