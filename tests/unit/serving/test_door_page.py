from __future__ import annotations

import html.parser
import json
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages import MODELS, PROMOTION
from trilho.bundle import Field, Predictor
from trilho.serving.door import application
from trilho.serving.door.fields import described, example
from trilho.serving.door.groups import grouped
from trilho.serving.door.page import precise
from trilho.serving.door.words import ENGLISH, PORTUGUESE, words_for
from unit.serving.knocking import door_of, knock

ModelOf = Callable[[str], Predictor]


class Seen(html.parser.HTMLParser):
    """What a browser would make of a page: its tags, its attributes, and the texts between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())

    def values(self, attribute: str) -> list[str]:
        return [attributes[attribute] or "" for _, attributes in self.tags if attribute in attributes]


def page_of(predictor: Predictor, language: str = "en") -> Seen:
    answer = knock(door_of(predictor), "GET", "/", headers={"accept-language": language})
    assert answer.status == 200
    return Seen(answer.body.decode())


@pytest.mark.parametrize("name", list(MODELS))
def test_page_has_an_input_for_every_column(name: str, model_of: ModelOf) -> None:
    predictor = model_of(name)
    seen = page_of(predictor)
    places = [int(value) for value in seen.values("data-place")]
    assert sorted(places) == list(range(len(predictor.schema.fields)))
    assert set(predictor.schema.names) <= set(seen.texts)


def test_an_input_shows_range_and_typical_value(model_of: ModelOf) -> None:
    seen = page_of(model_of("breast-cancer"))
    [radius] = [attributes for _, attributes in seen.tags if attributes.get("id") == "c0"]
    assert radius["value"] == "13.505"
    assert "6.981 – 28.11 · typical 13.505" in seen.texts


def test_kinds_have_controls_of_their_own(model_of: ModelOf) -> None:
    types = set(page_of(model_of("customers")).values("type"))
    assert {"radio", "date", "range", "text"} <= types
    assert "file" in page_of(model_of("scans")).values("type")


def test_page_asks_for_nothing_of_another_host_and_runs_only_its_own_files(model_of: ModelOf) -> None:
    answer = knock(door_of(model_of("customers")), "GET", "/")
    seen = Seen(answer.body.decode())
    for link in [*seen.values("src"), *seen.values("href")]:
        assert "//" not in link
        assert not link.startswith("/")  # below any prefix that a proxy puts before it
    inline = [attributes for tag, attributes in seen.tags if tag == "script" and "src" not in attributes]
    assert [attributes["type"] for attributes in inline] == ["application/json"]
    assert not [name for _, attributes in seen.tags for name in attributes if name.startswith("on") or name == "style"]
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_hostile_names_are_text_and_nothing_else(model_of: ModelOf) -> None:
    predictor = model_of("hostile")
    seen = page_of(predictor)
    tags = {tag for tag, _ in seen.tags}
    assert not tags & {"b", "i"}
    assert [attributes["src"] for tag, attributes in seen.tags if tag == "img" and "src" in attributes] == [
        "static/icon.svg"
    ]
    assert set(predictor.schema.names) <= set(seen.texts)
    assert predictor.schema.target in seen.texts
    [data] = [text for text in seen.texts if text.startswith('{"')]
    assert [column["name"] for column in json.loads(data)["facts"]["columns"]] == list(predictor.schema.names)


def test_page_speaks_the_browsers_language(model_of: ModelOf) -> None:
    assert PORTUGUESE["random"] in page_of(model_of("customers"), "pt-BR,pt;q=0.9,en;q=0.8").texts
    assert ENGLISH["random"] in page_of(model_of("customers"), "de-DE,de;q=0.9").texts


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("pt", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("en;q=0.5, pt;q=0.7", "pt-BR"),
        ("fr, en;q=0.2, pt;q=0.1", "en"),
        ("pt;q=0", "en"),
        ("pt;q=much, ;;;,,", "en"),
        ("*", "en"),
    ],
)
def test_language_is_the_liked_one_of_those_there_are(header: str, language: str) -> None:
    assert words_for(header)["language"] == language


@given(st.text(max_size=60))
@settings(deadline=None)
def test_no_header_breaks_the_choice_of_language(header: str) -> None:
    assert words_for(header) in (ENGLISH, PORTUGUESE)


def test_both_languages_say_everything() -> None:
    assert ENGLISH.keys() == PORTUGUESE.keys()
    for name, text in ENGLISH.items():
        assert sorted(part.split("}")[0] for part in text.split("{")[1:]) == sorted(
            part.split("}")[0] for part in PORTUGUESE[name].split("{")[1:]
        ), name


def test_model_says_version_promotion_metrics_and_ranges(model_of: ModelOf) -> None:
    answer = knock(door_of(model_of("breast-cancer"), promotion=lambda: PROMOTION), "GET", "/model").json
    assert (answer["model"], answer["version"], answer["promoted_by"]) == ("tried", "12", "ana")
    assert answer["metrics"]["f1"] == 0.9647
    assert answer["rows"] == {"train": 398, "test": 171}
    assert answer["columns"][0]["maximum"] == 28.11
    assert knock(door_of(model_of("breast-cancer")), "GET", "/model").json["promoted_at"] is None


def test_static_files_and_icon_are_there_and_nothing_beside_them(model_of: ModelOf) -> None:
    door = door_of(model_of("progression"))
    assert knock(door, "GET", "/favicon.ico").body.startswith(b"\x00\x00\x01\x00")
    assert knock(door, "HEAD", "/").status == knock(door, "HEAD", "/favicon.ico").status == 200
    script = knock(door, "GET", "/static/page.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["cache-control"] == "no-cache"
    for path in ("/static/../routes.py", "/static/%2e%2e/routes.py", "/static/", "/static/nothing.js"):
        assert knock(door, "GET", path).status == 404


def test_fastapi_is_not_loaded_before_somebody_knocks() -> None:
    code = "import trilho.serving.assembly, trilho.serving.door, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"fastapi", "starlette", "pydantic", "jinja2"} & set(done.stdout.split())


def test_without_a_model_the_page_waits_for_one() -> None:
    door = application(None, None)  # type: ignore[arg-type]  # nobody is asked anything
    answer = knock(door, "GET", "/", headers={"accept-language": "pt"})
    assert PORTUGUESE["waiting"] in Seen(answer.body.decode()).texts
    assert knock(door, "GET", "/favicon.ico").status == 200
    assert knock(door, "GET", "/openapi.json").status == 503


def test_columns_that_share_a_first_or_last_word_are_a_group() -> None:
    names = ["mean a", "mean b", "mean c", "x error", "y error", "z error", "age", "sex", *(f"w_{i}" for i in range(5))]
    found = {group.title: [names[place] for place in group.places] for group in grouped(names)}
    assert found["mean"] == ["mean a", "mean b", "mean c"]
    assert found["error"] == ["x error", "y error", "z error"]
    assert found["w"] == ["w_0", "w_1", "w_2", "w_3", "w_4"]
    assert found[""] == ["age", "sex"]


def test_two_hundred_columns_that_share_nothing_are_cut_by_number() -> None:
    titles = [group.title for group in grouped([f"column {place}" for place in range(200)])]
    assert titles[:2] == ["1 – 25", "26 – 50"]
    assert len(titles) == 8


@given(st.lists(st.text(max_size=12), max_size=120))
@settings(deadline=None)
def test_every_column_is_in_exactly_one_group(names: list[str]) -> None:
    places = [place for group in grouped(names) for place in group.places]
    assert sorted(places) == list(range(len(names)))


@pytest.mark.parametrize(
    ("low", "high", "value", "text"),
    [
        (0, 1, 0.123456, "0.1235"),
        (100, 3000, 561.7, "561.7"),
        (0, 5e9, 1234567.89, "1234568"),
        (0, 1e-6, 2.5e-7, "0.00000025"),
    ],
)
def test_numbers_have_the_digits_that_their_range_deserves(low: float, high: float, value: float, text: str) -> None:
    assert precise(Field(name="x", kind="number", nullable=False, minimum=low, maximum=high), value) == text


def test_a_description_says_what_the_training_rows_had() -> None:
    number = Field(name="x", kind="number", nullable=True, minimum=1, maximum=9, typical=4, integer=True)
    assert described(number) == "1 to 9 in training; typical 4; whole numbers; null where it is unknown."
    assert example(number) == 4
    word = Field(name="x", kind="category", nullable=False, closed=True, values=("a", "b"), typical="a")
    assert described(word) == "One of: 'a', 'b'."
