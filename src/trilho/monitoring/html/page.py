"""A Report, and what labels say, as one HTML file."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from trilho.monitoring.figures import cut, duration, moment, share
from trilho.monitoring.html.answers import answers
from trilho.monitoring.html.columns import shown
from trilho.monitoring.html.drawing import HEIGHT
from trilho.monitoring.html.verdict import advice, meaning, verdict
from trilho.monitoring.measured import Performance
from trilho.monitoring.report import Report
from trilho.monitoring.wording import named, sentence, shadow_words, whole_rows_words

_FILTERED = 16  # columns from which on a filter helps
_CARDS = 40  # moved columns that are shown with all that was measured; further ones are in the list


def render(report: Report, performance: Performance | None = None) -> str:
    """The page: UTF-8, complete in itself, below 1 MB for 200 columns.

    Args:
        performance: From `measure`; None where nobody asked for it.
    """
    environment = _environment()
    moved = report.moved[:_CARDS]
    rest = [column for column in report.columns if column not in moved]
    about = answers(performance, report)
    script = environment.loader.get_source(environment, "filter.js")[0] if environment.loader else ""
    style = environment.loader.get_source(environment, "report.css")[0] if environment.loader else ""
    return environment.get_template("report.html").render(
        report=report,
        name=cut(report.model),
        verdict=verdict(report, performance),
        meaning=meaning(report, performance),
        advice=advice(report, performance),
        window=duration(report.until - report.since),
        begin=moment(report.since),
        end=moment(report.until),
        others=sum(other.rows for other in report.others),
        moved=[shown(column, report) for column in moved],
        rest=[shown(column, report, listed=True) for column in rest],
        predicted=[shown(named(column, report.label_names), report) for column in report.predicted],
        whole_rows=sentence(whole_rows_words(report.whole_rows)) if report.whole_rows else "",
        shadow=sentence(shadow_words(report.shadow, report.label_names)) if report.shadow else "",
        answers=about,
        filtered=len(report.columns) >= _FILTERED,
        height=HEIGHT,
        share=share,
        style=Markup(style),  # both are files of this package
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


# ----------------------------------------------------------------------------------------------------------------------


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("trilho.monitoring.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
