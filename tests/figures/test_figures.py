"""What is read from each writing, a test for each: money, durations, ratios, days and totals (yaml)."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from knowledge.catalog import read_yaml
from knowledge.figures import (
    Day,
    Dimension,
    Figure,
    fiscal_year_of,
    format_number,
    latest,
    normalize,
    read_days,
    read_figures,
    read_fiscal_years,
    read_number,
    total,
)

HERE = Path(__file__).parent
NOTHING = "なし"


def table(name: str) -> Any:
    return read_yaml(HERE / f"{name}.yaml")


def said(figure: Figure, *, with_dimension: bool = False) -> str:
    """A figure in the tables' form: 3 day, 1 below 約."""
    parts = (
        format_number(figure.value),
        figure.dimension.value if with_dimension else None,
        figure.bound,
        "約" if figure.approximate else None,
    )
    return " ".join(part for part in parts if part)


def figures() -> Iterator[ParameterSet]:
    for name in ("money", "durations", "ratios"):
        for key, content in table(name).items():
            if key == "none":
                rows = {text: [] for text in content}
            elif key == "several":
                rows = {text: values.split(" / ") for text, values in content.items()}
            else:
                rows = {text: [f"{value} {key}"] for value, texts in content.items() for text in texts}
            for text, values in rows.items():
                yield pytest.param(text, values, id=f"{text} → {' / '.join(values) or NOTHING}")


def in_order(value: str) -> str:
    """`3 below 約 day` as `3 day below 約`."""
    number, *rest = value.split()
    names = {dimension.value for dimension in Dimension}
    return " ".join([number, *sorted(rest, key=lambda word: word not in names)])


@pytest.mark.parametrize(("text", "values"), figures())
def test_figures(text: str, values: list[str]) -> None:
    found = read_figures(normalize(text))
    assert [said(figure, with_dimension=True) for figure in found] == [in_order(value) for value in values]


def spans(day: Day) -> str:
    first, last = day.first_on.isoformat(), day.last_on.isoformat()
    return f"{first} {day.precision}" if day.precision == "day" else f"{first} {last} {day.precision}"


def days() -> Iterator[ParameterSet]:
    for group in table("days"):
        as_of, past = date.fromisoformat(group["as_of"]), "past" in group
        rows = {text: [value] for value, texts in group["read"].items() for text in texts}
        rows |= {text: values.split(" / ") for text, values in group.get("several", {}).items()}
        rows |= {text: [] for text in group.get("none", [])}
        for text, values in rows.items():
            yield pytest.param(text, values, as_of, past, id=f"{as_of}{'(過去)' * past} {text}")


@pytest.mark.parametrize(("text", "values", "as_of", "past"), days())
def test_days(text: str, values: list[str], as_of: date, past: bool) -> None:
    found = read_days(normalize(text), as_of)
    assert [spans(latest(day, as_of) if past else day) for day in found] == values


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        pytest.param(text, Dimension(dimension), value, id=f"{text} → {value} {dimension}")
        for dimension, values in table("totals").items()
        for value, texts in values.items()
        for text in texts
    ],
)
def test_totals(text: str, dimension: Dimension, value: str) -> None:
    written = normalize(text)
    assert total(read_figures(written), written, dimension) == (None if value == NOTHING else Decimal(value))


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("2025年度から令和8年度", {2025, 2026}),
        ("令和7(2025)年度", {2025}),
        ("令和元年度", {2019}),
        ("R7年度とFY2026", {2025, 2026}),
        ("前年度は", set()),
        ("2025年4月", set()),
    ],
)
def test_written_fiscal_years(text: str, years: set[int]) -> None:
    assert read_fiscal_years(normalize(text)) == years


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1億2千万", 120000000),
        ("八千五百", 8500),
        ("二〇二五", 2025),
        ("五円", None),
        ("5と6", None),
        ("たくさん", None),
        ("", None),
    ],
)
def test_a_text_that_is_one_number(text: str, number: int | None) -> None:
    assert read_number(text) == number


def test_the_fiscal_year_turns_on_the_first_of_april() -> None:
    assert fiscal_year_of(date(2026, 3, 31)) == 2025
    assert fiscal_year_of(date(2026, 4, 1)) == 2026
