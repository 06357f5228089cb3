"""Figures, days and counts as people write them: japanese.yaml, one test for each row."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from knowledge.catalog import read_yaml
from knowledge.japanese import (
    find_amounts,
    find_counts,
    find_dates,
    find_ratios,
    fiscal_year_of,
    format_date,
    format_fiscal_year,
    format_number,
    format_yen,
    normalize,
    read_number,
)

TABLE = read_yaml(Path(__file__).with_name("japanese.yaml"))
NOTHING = "なし"


def rows(table: Mapping[str, str]) -> list[ParameterSet]:
    return [pytest.param(text, value or "", id=f"{text} → {value}") for text, value in table.items()]


def values(found: Iterable[str]) -> str:
    """What was found, in the table's form."""
    return " / ".join(found) or NOTHING


@pytest.mark.parametrize(("text", "normalized"), rows(TABLE["normalized"]))
def test_normalize(text: str, normalized: str) -> None:
    assert normalize(text) == normalized


@pytest.mark.parametrize(("text", "number"), rows(TABLE["numbers"]))
def test_number(text: str, number: str) -> None:
    assert read_number(text) == (None if number == NOTHING else Decimal(number))


@pytest.mark.parametrize(("text", "yen"), rows(TABLE["amounts"]))
def test_amount(text: str, yen: str) -> None:
    assert values(format_number(mention.value) for mention in find_amounts(normalize(text))) == yen


@pytest.mark.parametrize(("text", "modifier"), rows(TABLE["amount_modifiers"]))
def test_amount_modifier(text: str, modifier: str) -> None:
    assert [mention.modifier for mention in find_amounts(normalize(text))] == [modifier]


@pytest.mark.parametrize(("text", "ratios"), rows(TABLE["ratios"]))
def test_ratio(text: str, ratios: str) -> None:
    found = find_ratios(normalize(text))
    assert values(f"{ratio.value} {ratio.bound or ''}".strip() for ratio in found) == ratios


@pytest.mark.parametrize(("text", "counts"), rows(TABLE["counts"]))
def test_count(text: str, counts: str) -> None:
    assert values(f"{format_number(count.value)} {count.unit}" for count in find_counts(normalize(text))) == counts


@pytest.mark.parametrize(
    ("text", "days", "today", "past"),
    [
        pytest.param(
            text,
            days,
            date.fromisoformat(group["today"]),
            group.get("past") == "true",
            id=f"{group['today']}{'(過去)' if 'past' in group else ''} {text} → {days}",
        )
        for group in TABLE["dates"]
        for text, days in group["read"].items()
    ],
)
def test_date(text: str, days: str, today: date, past: bool) -> None:
    found = find_dates(normalize(text), today, past=past)
    spans = (dict.fromkeys((mention.start_on.isoformat(), mention.end_on.isoformat())) for mention in found)
    assert values(" ".join(span) for span in spans) == days


@pytest.mark.parametrize(("value", "words"), rows(TABLE["said"]["yen"]))
def test_format_yen(value: str, words: str) -> None:
    assert format_yen(Decimal(value)) == words


@pytest.mark.parametrize(("value", "words"), rows(TABLE["said"]["date"]))
def test_format_date(value: str, words: str) -> None:
    assert format_date(date.fromisoformat(value)) == words


@pytest.mark.parametrize(("value", "words"), rows(TABLE["said"]["fiscal_year"]))
def test_format_fiscal_year(value: str, words: str) -> None:
    assert format_fiscal_year(int(value)) == words


@pytest.mark.parametrize(("value", "words"), rows(TABLE["said"]["number"]))
def test_format_number(value: str, words: str) -> None:
    assert format_number(Decimal(value)) == words


def test_the_fiscal_year_turns_on_the_first_of_april() -> None:
    assert fiscal_year_of(date(2026, 3, 31)) == 2025
    assert fiscal_year_of(date(2026, 4, 1)) == 2026
