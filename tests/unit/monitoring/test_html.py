from __future__ import annotations

import doctest
import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipped import Shipped
from trilho.monitoring import ColumnReport, Histogram, Measured, Measurement, Performance, Report, WholeRows, figures
from trilho.monitoring.figures import moment, number, share
from trilho.monitoring.html import render
from trilho.monitoring.html.drawing import CELLS, HEIGHT, bars, medians, picture
from unit.monitoring.windows import SINCE, UNTIL, journaled, report, trained, without_features

MEGABYTE = 1_000_000
HOSTILE = '</title><script>alert(1)</script><img src=x onerror="alert(2)">{{ 7 * 7 }}\u202e'


class Read(HTMLParser):
    """Tags with their attributes, and the text that a reader sees."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._hidden = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._hidden = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.text += " " + data
            self.text = " ".join(self.text.split())


def performance(*values: float | None, floor: float | None = None, labelled: int = 400) -> Performance:
    """One window for each value of f1, the newest first."""
    windows = tuple(
        Measurement(
            model="tried",
            version="3",
            since=UNTIL - (place + 1) * 86_400,
            until=UNTIL - place * 86_400,
            labelled=labelled if value is not None else 3,
            min_labels=50,
            late=2,
            delay=7200.0,
            measured=(Measured(metric="f1", value=value, interval=(value - 0.02, value + 0.02), floor=floor),)
            if value is not None
            else (),
        )
        for place, value in enumerate(values)
    )
    return Performance(
        since=UNTIL - 7 * 86_400,
        until=UNTIL,
        windows=windows,
        whole=tuple(msgspec.structs.replace(window, since=SINCE - 6 * 86_400) for window in windows[:1]),
        labels=500,
        repeated=7,
        unmatched=5,
    )


def test_first_sentence_says_what_moved_since_when_and_the_worst(numbers: Shipped) -> None:
    frame = trained(numbers)
    half = len(frame) // 2
    frame.loc[half:, "mean area"] *= 3
    frame.loc[half:, "worst texture"] *= 2
    read = Read(render(report(numbers, journaled(numbers, frame))))
    worst = report(numbers, journaled(numbers, frame)).moved[0].name
    assert f"2 of 30 columns moved since 12:00; worst: {worst}." in read.text
    assert "Not called drift: less than 30% of the columns" in read.text
    assert "Half of the rows are below" in read.text
    assert "trilho feedback labels.csv" in read.text


def test_each_kind_of_table_makes_a_page(shipped: Shipped) -> None:
    quiet = render(report(shipped, journaled(shipped, trained(shipped))))
    text = Read(quiet).text
    assert f"None of {len(shipped.schema.fields)} columns moved" in text
    assert all(field.name in text for field in shipped.schema.fields)
    empty = Read(render(report(shipped)))
    assert "Too few predictions to tell: 0, and 100 are needed." in empty.text


def test_what_moved_is_said_in_the_words_of_its_question(words: Shipped) -> None:
    frame = trained(words)
    frame["plan"] = "never seen"
    frame["income"] = np.nan
    frame["age"] += 30
    read = Read(render(report(words, journaled(words, frame))))
    assert "This is drift: at least 30% of the columns" in read.text
    assert "100% of the rows are in categories that training never saw; 2% is allowed." in read.text
    assert "Missing in 100% of the rows, in training" in read.text
    assert "of the rows lie outside the range of training" in read.text
    assert "“all others” is 100% of the rows, was 0%" in read.text


@pytest.mark.parametrize("columns", [100, 200])
def test_page_of_many_moved_columns_is_below_a_megabyte(numbers: Shipped, columns: int) -> None:
    frame = trained(numbers)
    found = report(numbers, journaled(numbers, frame * 1.7 + 3))
    many = tuple(
        msgspec.structs.replace(found.columns[place % 30], name=f"a column with a long name, number {place}")
        for place in range(columns)
    )
    page = render(msgspec.structs.replace(found, columns=many), performance(0.9, 0.8, 0.7))
    assert len(page.encode()) < (MEGABYTE if columns == 200 else MEGABYTE / 2)
    assert all(column.name in page for column in many)


def test_page_loads_nothing_and_runs_only_its_own_script(numbers: Shipped) -> None:
    page = render(report(numbers, journaled(numbers, trained(numbers))), performance(0.9))
    read = Read(page)
    assert not [tag for tag, known in read.tags if {"src", "href", "onclick"} & set(known)]
    assert "url(" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert [tag for tag, _ in read.tags].count("script") == 1
    assert "default-src 'none'" in page


def test_hostile_names_are_text(words: Shipped) -> None:
    found = report(words, journaled(words, trained(words)))
    nasty = Histogram(labels=(HOSTILE, "b"), reference=(5, 5, 0), current=(1, 9, 0))
    columns = tuple(msgspec.structs.replace(one, name=HOSTILE, histogram=nasty) for one in found.columns)
    page = render(
        msgspec.structs.replace(found, model=HOSTILE, version=HOSTILE[:30], columns=columns, predicted=columns)
    )
    read = Read(page)
    assert not [tag for tag, known in read.tags if tag == "img" or "onerror" in known]
    assert [tag for tag, _ in read.tags].count("script") <= 1
    assert "{{ 7 * 7 }}" in read.text
    assert "49" not in re.sub(r"[\d.]+%", "", read.text)


def test_endless_names_are_cut(words: Shipped) -> None:
    found = report(words, journaled(words, trained(words)))
    columns = tuple(msgspec.structs.replace(one, name="x" * 100_000) for one in found.columns)
    assert len(render(msgspec.structs.replace(found, columns=columns, model="m" * 100_000))) < 60_000


def test_whole_rows_that_moved_are_not_called_calm(numbers: Shipped) -> None:
    calm = report(numbers, journaled(numbers, numbers.frame))
    moved = msgspec.structs.replace(calm, whole_rows=WholeRows(accuracy=0.7, p_value=1e-9, held_out=500))
    read = Read(render(moved)).text
    assert "None of 30 columns moved, but rows as a whole did." in read
    assert "they do not belong together as they did" in read
    assert "told rows of this window from the first rows of this version in 70.0% of 500 tries" in read
    assert "Nothing." not in read
    assert "Nothing." in Read(render(calm)).text


def test_metric_below_its_floor_is_the_first_thing_to_read(numbers: Shipped) -> None:
    found = report(numbers, journaled(numbers, trained(numbers)))
    page = render(found, performance(0.8, 0.95, None, floor=0.93))
    read = Read(page)
    assert "f1 is 0.8, below the 0.93 that is asked." in read.text
    assert 'class="card verdict bad"' in page
    assert "0.780 to 0.820" in read.text
    assert "trilho rollback" in read.text
    assert read.text.index("f1 is 0.8") < read.text.index("What it means")
    assert "7 came for an answer that had one already" in read.text
    assert "5 are of no answer of the last 7 days" in read.text
    assert "6 came after their window had ended" in read.text
    assert page.count('class="dot"') == 2, "the third window has too few labels"


def test_number_that_chance_may_have_put_below_is_no_alarm(numbers: Shipped) -> None:
    found = report(numbers, journaled(numbers, trained(numbers)))
    page = render(found, performance(0.92, floor=0.93))
    assert "perhaps below" in Read(page).text
    assert 'class="card verdict bad"' not in page
    assert "below the 0.93 that is asked" not in page


def test_metrics_without_a_floor_are_not_said_to_hold(words: Shipped) -> None:
    frame = trained(words)
    frame["plan"], frame["age"] = "never seen", frame["age"] + 30
    found = report(words, journaled(words, frame))
    without, asked = (Read(render(found, performance(0.9, floor=floor))).text for floor in (None, 0.8))
    assert "what they must reach is not set (evaluate.thresholds)" in without
    assert "hold so far" not in without
    assert "none of its metrics below its floor" in asked
    assert "hold so far" in asked


def test_too_few_labels_says_how_many_there_are(numbers: Shipped) -> None:
    found = report(numbers, journaled(numbers, trained(numbers)))
    assert "3 of the 50 labels that are needed" in Read(render(found, performance(None))).text
    assert "No true labels have come" in Read(render(found)).text
    assert (
        "No labels have come for this version"
        in Read(render(msgspec.structs.replace(found, version="9"), performance(0.9))).text
    )


def test_column_that_is_not_in_the_journal_is_said_to_be_unknown(numbers: Shipped) -> None:
    found = report(numbers, journaled(numbers, trained(numbers)))
    silent = ColumnReport(
        name="left out",
        kind="number",
        rows=0,
        reference_rows=400,
        missing=0.0,
        checks=(),
        histogram=Histogram(edges=(0.0, 1.0), reference=(1, 398, 1), current=(0, 0, 0)),
    )
    text = Read(render(msgspec.structs.replace(found, columns=(*found.columns[:5], silent)))).text
    assert "left out too few rows in the journal to judge" in text


def test_page_without_any_judged_column_calls_drift_unknown(numbers: Shipped) -> None:
    found = report(numbers, without_features(journaled(numbers, numbers.frame)))
    page = render(found)
    text = Read(page).text
    assert 'class="card verdict unknown"' in page
    assert "Nobody knows whether columns moved. No column is in enough of the journal's rows" in text
    assert "Columns that moved not known" in text
    assert "stayed as they were on the test data; whether the inputs moved is not known" in text
    assert "trilho feedback labels.csv" in text
    assert "Let the journal keep columns" in text
    assert "Nothing." not in text
    assert "Nothing." not in Read(render(found, performance(0.9))).text, "labels do not say that inputs are as before"


def test_page_of_a_model_of_images_says_that_none_are_looked_at(numbers: Shipped) -> None:
    found = msgspec.structs.replace(report(numbers, journaled(numbers, trained(numbers) * 5)), columns=())
    page = render(found)
    text = Read(page).text
    assert 'class="card verdict note"' in page
    assert (
        "Nobody knows whether columns moved, but the answers did. No column can be compared: times and images" in text
    )
    assert "Let the journal keep columns" not in text, "that would help nothing"
    assert "trilho feedback labels.csv" in text


COUNTS = st.integers(0, 10_000)


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=25, unique=True), st.data())
def test_any_counts_make_a_picture_within_its_frame(edges: list[float], data: st.DataObject) -> None:
    size = len(edges) + 1
    old, new = (tuple(data.draw(st.lists(COUNTS, min_size=size, max_size=size))) for _ in range(2))
    counted = Histogram(edges=tuple(sorted(edges)), reference=old, current=new)
    drawn = picture(counted)
    if not sum(old) or not sum(new):
        assert drawn is None
        return
    assert drawn is not None
    for path in (drawn.old, drawn.new):
        heights = [int(height) for height in re.findall(r"V(\d+)", path)]
        assert all(0 <= height <= HEIGHT for height in heights)
        assert re.fullmatch(r"([MVh]\d+( \d+)?)+", path)
    bars(counted)
    medians(counted)


def test_rows_keep_their_share_when_poured_into_cells() -> None:
    edges = tuple(float(edge) for edge in range(21))
    even = Histogram(edges=edges, reference=(0, *[5] * 20, 0), current=(0, *[5] * 19, 5, 100))
    drawn = picture(even)
    assert drawn is not None
    assert len(set(re.findall(r"V(\d+)h10", drawn.old))) == 1, "even rows stand level"
    assert drawn.old.count("h10") == CELLS
    assert drawn.end == "> 20"
    assert medians(even) == pytest.approx((10.0, 20.0))


def test_few_numbers_are_bars() -> None:
    found = bars(Histogram(edges=(0.0, 1.0), reference=(60, 40, 0), current=(30, 60, 10)))
    assert [(bar.label, bar.old, bar.new) for bar in found] == [
        ("≤ 0", 0.6, 0.3),
        ("0 – 1", 0.4, 0.6),
        ("> 1", 0.0, 0.1),
    ]


def test_figures_are_as_people_write_them() -> None:
    assert [number(value) for value in (0.0, -0.0, 1234567.0, 0.00001234, float("nan"))] == [
        "0",
        "0",
        "1,234,567",
        "1.234e-05",
        "nan",
    ]
    assert [share(value) for value in (0, 0.00001, 0.5, 1)] == ["0%", "<0.1%", "50%", "100%"]
    assert moment(SINCE, beside=UNTIL + 1) == "1 Jan 00:00"


def test_examples_of_figures_run() -> None:
    tried = doctest.testmod(figures)
    assert tried.failed == 0
    assert tried.attempted > 3


def test_report_read_back_makes_the_same_page(tmp_path: Path, words: Shipped) -> None:
    found = report(words, journaled(words, trained(words)))
    assert render(Report.from_json(found.to_json())) == render(found)
