"""settings.md: every setting, the environment names, the metrics."""

from __future__ import annotations

import math
from collections.abc import Iterator

from generating.markdown import table
from trilho.metrics.catalogue import METRICS
from trilho.settings import SETTINGS, Setting

_HEAD = """# Settings

Everything that `trilho.yaml` may say. A dot is one level: `split.test_size` is `split: {test_size: …}`. The first of
these decides: `--set`, environment, `.env`, profile, file, default. `trilho config` shows which one did for each, and
`trilho config --schema` prints this page as a JSON Schema for editors."""

_WHO_WE_ARE = """User, password, token and certificate for the tracking server are read where MLflow's own client reads
them: `MLFLOW_TRACKING_USERNAME`, `MLFLOW_TRACKING_PASSWORD`, `MLFLOW_TRACKING_TOKEN`, `MLFLOW_TRACKING_INSECURE_TLS`,
`MLFLOW_TRACKING_SERVER_CERT_PATH`."""


def settings_page() -> str:
    sections: dict[str, list[Setting]] = {}
    for setting in SETTINGS:
        top, dot, _ = setting.name.partition(".")
        sections.setdefault(top if dot else "The project", []).append(setting)
    blocks = [_HEAD]
    for section, members in sections.items():
        blocks += [f"## {section}", table(("setting", "takes", "default", "what it is"), map(_row, members))]
    blocks += ["## From the environment", _environment(), _WHO_WE_ARE, "## Metrics"]
    blocks.append("For `primary_metric`, `evaluate.metrics`, `evaluate.thresholds` and `evaluate.champion.metric`.")
    blocks.append(table(("metric", "task", "range", "what it is"), _metrics()))
    return "\n\n".join(blocks)


def _row(setting: Setting) -> tuple[str, str, str, str]:
    unit = f" In units {setting.unit}." if setting.unit.startswith("of ") else ""
    return f"`{setting.name}`", _takes(setting), _default(setting), setting.help + unit


def _takes(setting: Setting) -> str:
    """The kind in words, with choices and limits."""
    choices = " ".join(f"`{choice}`" for choice in setting.choices)
    words = {
        "choice": choices,
        "import": f"{choices} `module:name`".strip(),
        "list": f"list of {choices or 'text'}",
        "mapping": "mapping",
        "numbers": "mapping to numbers",
        "texts": f"mapping to {choices}",
        "imports": f"mapping from {choices} to `module:name`",
        "value": "text, number or boolean",
        "path": "folder",
    }.get(setting.kind, setting.kind)
    unit = " s" if setting.kind == "duration" else ""
    limits = {"≥": setting.at_least, ">": setting.above, "≤": setting.at_most, "<": setting.below}
    return ", ".join([words, *(f"{sign} {limit:.15g}{unit}" for sign, limit in limits.items() if limit is not None)])


def _default(setting: Setting) -> str:
    if setting.required:
        return "**required**"
    if setting.derived:
        return f"from `{setting.derived}`"
    if setting.default is None:
        return "empty" if setting.kind in ("list", "mapping", "numbers", "texts", "imports") else "none"
    return f"`{str(setting.default).lower() if isinstance(setting.default, bool) else setting.default}`"


def _environment() -> str:
    foreign = [
        f"`{name}` for `{item.name}`" for item in SETTINGS for name in item.env if not name.startswith("TRILHO_")
    ]
    return (
        "Every setting of a single value is read from `TRILHO_` and its name, too, with underscores for dots:"
        " `split.test_size` from `TRILHO_SPLIT_TEST_SIZE`. `TRILHO_PROFILE` chooses the profile."
        f" MLflow's own names count as well: {', '.join(foreign)}."
    )


def _metrics() -> Iterator[tuple[str, ...]]:
    for metric in METRICS.values():
        low, high = ({-math.inf: "−∞", math.inf: "∞"}.get(limit, f"{limit:g}") for limit in metric.range)
        better = "higher" if metric.greater_is_better else "lower"
        task = "regression" if "regression" in metric.tasks else "classification"
        yield (
            f"`{metric.name}`",
            task,
            f"{low} to {high}, {better} is better",
            metric.help.replace("; lower is better", ""),
        )
