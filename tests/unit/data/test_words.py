"""What a person would take the text in a column for."""

from __future__ import annotations

import pytest

from trilho.data.words import reads_as


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        (["31/01/2026", "1/2/2026"], "dates"),
        (["31.01.2026", "01.02.2026"], "dates"),
        (["31-01-26"], "dates"),
        (["2026/01/31"], "dates"),
        (["01/31/2026 12:59", "02/01/2026 9:00:01 AM"], "dates"),
        (["31/01/2026", "unknown"], ""),
        (["31/01.2026"], ""),
        (["R$ 383.49", "R$ 1,200.00"], "numbers"),
        (["$5", "-$5", "US$ 7"], "numbers"),
        (["1.8%", "20 %"], "numbers"),
        (["9,90 €"], "numbers"),
        (["1.8%", "none"], ""),
        (["A12", "B7"], ""),
        (["+55 11 91234-5678"], ""),
        (["10.0.0.1"], ""),
        (["€"], ""),
        ([], ""),
    ],
)
def test_dates_and_amounts_are_seen_in_text(values: list[str], seen: str) -> None:
    assert reads_as(values) == seen
