"""Reading figures and days: nothing raises, nothing outside the text is found, and what is written is read back."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from knowledge.japanese import (
    Mention,
    find_amounts,
    find_counts,
    find_dates,
    find_ratios,
    format_date,
    format_number,
    format_yen,
    normalize,
    read_number,
)

FIGURES = "0123456789０１５９〇零一二三四五六七八九十百千万億兆壱,.・点/-¥円%"
WORDS = "年月日度回件人時間分週泊市町村県令和平成昭元今来再先々末上中下旬明春夏秋冬財政力指数以上未満超えfyrh第約程"
TEXTS = st.text() | st.text(FIGURES + WORDS, max_size=40) | st.text(FIGURES, max_size=12)
DAYS = st.dates(date(1990, 1, 1), date(2099, 12, 31))
KANJI = "〇一二三四五六七八九"


def mentions(text: str, today: date, past: bool) -> Iterator[Mention]:
    yield from find_amounts(text)
    yield from find_ratios(text)
    yield from find_counts(text)
    yield from find_dates(text, today, past=past)


@settings(max_examples=500)
@given(TEXTS, DAYS, st.booleans())
@example("2月30日", date(2025, 6, 10), False)
@example("2月29日", date(2025, 6, 10), True)
@example("9999年12月31日の翌日、99999999999年後、令和九十九年度", date(2025, 6, 10), False)
@example("²³①⑳㊿", date(2025, 6, 10), False)
@example("1" * 20_000, date(2025, 6, 10), False)
@example("1億" * 5_000, date(2025, 6, 10), False)
def test_any_text_is_read_and_what_is_found_stands_in_it(text: str, today: date, past: bool) -> None:
    for written in (text, normalize(text)):
        for mention in mentions(written, today, past):
            assert written[mention.start : mention.end] == mention.text != ""


@given(TEXTS)
def test_any_text_is_a_number_or_none(text: str) -> None:
    assert read_number(text) is None or isinstance(read_number(text), Decimal)


@settings(max_examples=500)
@given(TEXTS)
def test_normalizing_twice_is_normalizing_once(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


@given(st.integers(min_value=0, max_value=10**13))
def test_yen_are_read_as_they_are_written(yen: int) -> None:
    assert [mention.value for mention in find_amounts(normalize(format_yen(yen)))] == [yen]


@given(st.decimals(min_value=0, max_value=10**6, places=3))
def test_numbers_are_read_as_they_are_written(number: Decimal) -> None:
    assert read_number(format_number(number)) == number


def in_kanji(number: int) -> str:
    """A number below 10**16 in kanji numerals, as it is spoken: 一億二千万."""

    def below_ten_thousand(part: int) -> str:
        words = ""
        for size, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
            digit, part = divmod(part, size)
            words += (KANJI[digit] if digit > 1 or not unit else "") + unit if digit else ""
        return words

    words = ""
    for size, unit in ((10**12, "兆"), (10**8, "億"), (10**4, "万"), (1, "")):
        part, number = divmod(number, size)
        words += below_ten_thousand(part) + unit if part else ""
    return words or "零"


@given(st.integers(min_value=0, max_value=10**16 - 1))
def test_kanji_numerals_are_read_as_the_number(number: int) -> None:
    assert read_number(in_kanji(number)) == number


@given(st.integers(min_value=1, max_value=10**12 - 1))
def test_yen_in_kanji_numerals_are_read_as_the_amount(yen: int) -> None:
    assert [mention.value for mention in find_amounts(f"{in_kanji(yen)}円")] == [yen]


@given(st.decimals(min_value=0, max_value=2, places=2))
def test_an_index_is_read_in_each_form(index: Decimal) -> None:
    whole, fraction = f"{index:.2f}".split(".")
    in_digits = "".join(KANJI[int(digit)] for digit in fraction)
    for written in (
        f"{index:.2f}",
        f"{whole}.{fraction}です",
        f"財政力指数{whole}・{fraction}",
        f"指数は{index:.2f}以上",
    ):
        assert [ratio.value for ratio in find_ratios(written)] == [index], written
    if index < 2:
        assert [ratio.value for ratio in find_ratios(f"{KANJI[int(whole)]}点{in_digits}")] == [index]


WRITTEN: dict[str, Callable[[date], str]] = {
    "2025年4月1日": lambda day: f"{day.year}年{day.month}月{day.day}日",
    "2025年04月01日": lambda day: f"{day:%Y年%m月%d日}",
    "2025/4/1": lambda day: f"{day.year}/{day.month}/{day.day}",
    "2025-04-01": lambda day: day.isoformat(),
    "2025.4.1": lambda day: f"{day.year}.{day.month}.{day.day}",
    "令和7年4月1日": lambda day: f"令和{day.year - 2018}年{day.month}月{day.day}日",
    "令和七年四月一日": lambda day: f"令和{in_kanji(day.year - 2018)}年{in_kanji(day.month)}月{in_kanji(day.day)}日",
    "R7.4.1": lambda day: f"R{day.year - 2018}.{day.month}.{day.day}",
    "R7/4/1": lambda day: f"R{day.year - 2018}/{day.month}/{day.day}",
    "r7年4月1日": lambda day: f"r{day.year - 2018}年{day.month}月{day.day}日",
    "二〇二五年四月一日": lambda day: (
        f"{''.join(KANJI[int(digit)] for digit in str(day.year))}年{in_kanji(day.month)}月{in_kanji(day.day)}日"
    ),
    "2025年4月1日(火)": format_date,
    "全角": lambda day: day.isoformat().translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"}),
}
EVERY_DAY = [date(2023, 1, 1) + timedelta(days=number) for number in range(4 * 365 + 1 + 366)]


@pytest.mark.parametrize("form", WRITTEN)
def test_each_day_is_read_back(form: str) -> None:
    today = date(2025, 6, 10)
    for day in EVERY_DAY:
        written = normalize(f"支援は{WRITTEN[form](day)}に終わりました")
        read = [(mention.start_on, mention.end_on, mention.precision) for mention in find_dates(written, today)]
        assert read == [(day, day, "day")], written


@pytest.mark.parametrize("form", ["12月3日", "12/3", "十二月三日"])
@pytest.mark.parametrize("today", [date(2025, 4, 1), date(2025, 12, 31), date(2026, 1, 1), date(2027, 12, 1)])
def test_a_day_without_its_year_is_the_nearest_one_that_is_not_over(form: str, today: date) -> None:
    write: dict[str, Callable[[date], str]] = {
        "12月3日": lambda day: f"{day.month}月{day.day}日",
        "12/3": lambda day: f"{day.month}/{day.day}",
        "十二月三日": lambda day: f"{in_kanji(day.month)}月{in_kanji(day.day)}日",
    }
    for ahead in range(365):
        day = today + timedelta(days=ahead)
        assert [mention.start_on for mention in find_dates(write[form](day), today)] == [day], (day, today)
        before = today - timedelta(days=ahead)
        assert [mention.end_on for mention in find_dates(write[form](before), today, past=True)] == [before]


@given(st.integers(min_value=2007, max_value=2060), DAYS)
def test_a_fiscal_year_runs_from_april_to_march(year: int, today: date) -> None:
    for written in (
        f"{year}年度",
        f"fy{year}",
        *((f"令和{year - 2018}年度", f"r{year - 2018}年度") if year > 2018 else ()),
    ):
        [mention] = find_dates(written, today)
        assert (mention.start_on, mention.end_on) == (date(year, 4, 1), date(year + 1, 3, 31)), written
        assert mention.precision == "fiscal_year"
