"""Watching: what the journal says, compared with what the bundle says."""

from __future__ import annotations

from trilho.monitoring.report import ColumnDrift, Report
from trilho.monitoring.watching import watch

__all__ = ["ColumnDrift", "Report", "watch"]
