"""The results as Markdown tables, between the marks of a page."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
from environments import NotInstalled, version_in
from measuring import LATE
from models import ABOUT
from servers import SERVERS

BEGIN, END = "<!-- results: written by benchmarks/serving/run.py --markdown -->", "<!-- end of results -->"
BUSY = 20.0  # percent; beyond it the results say so
VERSIONS = (
    ("mlflow", "mlflow"),
    ("http", "fastapi"),
    ("http", "uvicorn"),
    ("http", "uvloop"),
    ("http", "onnxruntime"),
    ("http", "scikit-learn"),
    ("bentoml", "bentoml"),
    ("litserve", "litserve"),
    ("mlserver", "mlserver"),
)

Cells = Sequence[Mapping[str, Any]]


def write(page: Path, results: Mapping[str, Any]) -> None:
    """Put the tables where the page has its marks."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        raise SystemExit(f"{page} holds no place for results, between these lines:\n{BEGIN}\n{END}")
    middle = "\n".join(["", "", *_lines(results), "", ""])
    page.write_text(before + BEGIN + middle + END + after, encoding="utf-8")


# ----------------------------------------------------------------------------------------------------------------------


def _lines(results: Mapping[str, Any]) -> Iterable[str]:
    measured = results.get("servers", {})
    cells: Cells = measured.get("cells", ())
    yield _conditions()
    if cells:
        windows = (
            f"Windows of {measured['seconds']} s, {measured['rounds']} round{'' if measured['rounds'] == 1 else 's'}."
        )
        yield from ("", "### Goals", "", f"{_marks(measured)} {windows}", "", *_goals(measured["goals"]))
        for model in dict.fromkeys(cell["model"] for cell in cells):
            mine = [cell for cell in cells if cell["model"] == model]
            yield from (
                "",
                f"### {ABOUT[model][0].upper()}{ABOUT[model][1:]}",
                "",
                "Closed loop, requests/s (p50 / p99 ms):",
            )
            yield from ("", *_grid(mine, "closed", "{load} conn., {rows} row{s}", _closed))
            if any(cell["way"] == "open" for cell in mine):
                yield from ("", "Open loop, p50 / p99 ms from the moment a request was due:")
                yield from ("", *_grid(mine, "open", "{load}/s of {rows} row{s}", _open))
        yield from ("", "### Memory and start", "", *_started(measured["started"]))
        for name, why in measured["failed"].items():
            yield from ("", f"**{name}** was not measured: {' '.join(why.split())[:400]}")
    for part, title, write_part in (
        ("costs", "What trilho's features cost", _costs),
        ("soak", "A million requests", _soak),
        ("swaps", "Promotions and rollbacks under load", _swaps),
    ):
        if part in results:
            yield from ("", f"### {title}", "", _marks(results[part]), "", *write_part(results[part]["lines"]))


def _conditions() -> str:
    memory = psutil.virtual_memory().total / 2**30
    where = f"{psutil.cpu_count()} cores, {memory:.0f} GB, {platform.system()} {platform.machine()}"
    versions = [f"Python {platform.python_version()}"]
    for environment, package in VERSIONS:
        try:
            versions.append(f"{package} {version_in(environment, package)}")
        except NotInstalled:
            continue
    return f"{where}; {', '.join(versions)}."


def _marks(measured: Mapping[str, Any]) -> str:
    """When, and what makes the figures less than they seem."""
    said = [f"{measured['at'][:10]}."]
    if measured["busy"] > BUSY:
        said.append(f"**The machine was {measured['busy']:.0f} % busy with other work.**")
    if measured["quick"]:
        said.append("**A quick run: to see that all works, not for its figures.**")
    return " ".join(said)


def _goals(found: Cells) -> Iterable[str]:
    yield "| model | rows | connections | beside | trilho | peer | ratio | goal | |"
    yield "| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | --- |"
    for goal in found:
        _, model, rows, connections, _ = goal["name"].split(".")
        figures = f"{goal['ours']:,.0f}/s | {goal['theirs']:,.0f}/s | **{goal['ratio']:.2f}** | ≥ {goal['goal']:g}"
        reached = "reached" if goal["reached"] else "missed"
        yield f"| {model} | {rows} | {connections} | {goal['peer']} | {figures} | {reached} |"


def _grid(cells: Cells, way: str, head: str, shown: Any) -> Iterable[str]:
    """Servers down, loads across."""
    chosen = [cell for cell in cells if cell["way"] == way]
    loads = list(dict.fromkeys((cell["rows"], cell["load"]) for cell in chosen))
    heads = [head.format(rows=rows, load=load, s="" if rows == 1 else "s") for rows, load in loads]
    yield f"| | {' | '.join(heads)} |"
    yield f"| --- |{' ---: |' * len(loads)}"
    found = {(cell["server"], cell["rows"], cell["load"]): cell for cell in chosen}
    for server in dict.fromkeys(cell["server"] for cell in chosen):
        values = [shown(found[server, *load]) if (server, *load) in found else "" for load in loads]
        yield f"| {server} | {' | '.join(values)} |"


def _closed(cell: Mapping[str, Any]) -> str:
    failed = f", {cell['failed']} failed" if cell["failed"] else ""
    return f"{cell['rate']:,.0f} ({_ms(cell['p50'])} / {_ms(cell['p99'])}){failed}"


def _open(cell: Mapping[str, Any]) -> str:
    if cell["note"]:
        return f"– {cell['note']}"
    failed = f", {cell['failed']} failed" if cell["failed"] else ""
    late = f", load late for {cell['late']:.0%}" if cell["late"] > LATE else ""
    return f"{_ms(cell['p50'])} / {_ms(cell['p99'])}{failed}{late}"


def _ms(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _started(started: Cells) -> Iterable[str]:
    models = list(dict.fromkeys(each["model"] for each in started))
    yield f"| | {' | '.join(f'{model}: s, MB, MB loaded' for model in models)} |"
    yield f"| --- |{' ---: |' * len(models)}"
    found = {(each["server"], each["model"]): each for each in started}
    for server in dict.fromkeys(each["server"] for each in started):
        values = []
        for model in models:
            each = found.get((server, model))
            values.append(f"{each['ready']:.1f}, {each['memory_idle']:.0f}, {each['memory']:.0f}" if each else "")
        yield f"| {server} | {' | '.join(values)} |"
    yield ""
    yield "Seconds from the start command to the first right answer; memory is resident, summed over all processes."
    yield ""
    yield from (f"- {name}: {server.about}" for name, server in SERVERS.items())


def _costs(found: Cells) -> Iterable[str]:
    cases = list(dict.fromkeys(each["case"] for each in found))
    yield f"| µs of CPU a request | {' | '.join(cases)} |"
    yield f"| --- |{' ---: |' * len(cases)}"
    values = {(each["feature"], each["case"]): each for each in found}
    for feature in dict.fromkeys(each["feature"] for each in found):
        yield f"| {feature} | {' | '.join(values[feature, case]['shown'] for case in cases)} |"


def _soak(found: Cells) -> Iterable[str]:
    yield "| requests | worker, MB | all processes, MB | journal on disk, MB | failed |"
    yield "| ---: | ---: | ---: | ---: | ---: |"
    for each in found:
        sizes = f"{each['worker']:.1f} | {each['all']:.1f} | {each['journal']:.0f}"
        yield f"| {each['requests']:,} | {sizes} | {each['failed']} |"


def _swaps(found: Cells) -> Iterable[str]:
    for each in found:
        yield (
            f"{each['swaps']} promotions and rollbacks while {each['rate']:,.0f} requests a second were answered "
            f"({each['connections']} connections): {each['answers']:,} answers, {each['failed']} failed, "
            f"{each['wrong']} labelled with another version than the one that made them. "
            f"In service after {each['median']:.2f} s (median), {each['longest']:.2f} s (longest); "
            f"allowed are {each['allowed']:.1f} s (serve.reload_every + 1 s)."
        )
