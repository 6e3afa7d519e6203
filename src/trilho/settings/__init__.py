"""Every setting once: its name, kind, default, unit, limits, help, and the environment names it is read from.

Flags, environment names, validation, the JSON Schema, `trilho config` and the reference page are derived from
`SETTINGS`. What settings mean together is in `trilho.project`.
"""

from __future__ import annotations

from trilho.settings.duration import DURATION, format_duration, parse_duration
from trilho.settings.production import PRODUCTION
from trilho.settings.setting import MAPPINGS, SCALARS, Kind, Origin, Setting
from trilho.settings.training import TRAINING

SETTINGS: tuple[Setting, ...] = (*TRAINING, *PRODUCTION)
BY_NAME = {setting.name: setting for setting in SETTINGS}

__all__ = [
    "BY_NAME",
    "DURATION",
    "MAPPINGS",
    "SCALARS",
    "SETTINGS",
    "Kind",
    "Origin",
    "Setting",
    "format_duration",
    "parse_duration",
]
