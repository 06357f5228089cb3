"""Nothing raises, what is read lies in the text and apart, and a value reads the same however it is written."""

import unicodedata
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from knowledge.figures import (
    Dimension,
    format_date,
    format_number,
    format_yen,
    latest,
    normalize,
    normalize_with_offsets,
    read_days,
    read_figures,
    read_number,
    total,
)

AS_OF = date(2025, 6, 10)
NUMERALS = "0123456789０１５９〇零一二三四五六七八九十百千万億兆壱,.・点/-¥円%()①半数第"
WORDS = (
    "年月日度回件人時間分週泊市町村県令和平成昭元今来再先々末上中下旬明春夏秋冬財政力"
    "指数以上未満超えfyrh約程でとを各計ずつれいてん"
)
LONG = st.sampled_from(
    [
        "1",
        "一",
        "九",
        "千",
        "1億",
        "1,",
        "1.",
        "1-",
        "(1)",
        "a1",
        "数千",
        "1月",
        "れいてん",
        "1日2回",
        "3か4か",
        "令和",
        "か\u3099",
        " \n",
    ]
)
TEXTS = (
    st.text()
    | st.text(NUMERALS + WORDS, max_size=40)
    | st.text(NUMERALS, max_size=12)
    | st.builds(lambda part, times: part * times, LONG, st.sampled_from([3, 50, 2_000]))
)
DAYS = st.dates(date(1990, 1, 1), date(2099, 12, 31))
BEFORE = st.sampled_from(["", "うちは", "実は、", "(", "今回の申請は", "専門家に", "前より多く、"])
AFTER = st.sampled_from(["", "です", "、どうですか", "。", "?", "の予定", "でお願いしたい", ")"])
KANJI = "〇一二三四五六七八九"
readings = settings(max_examples=200)


@readings
@given(TEXTS, DAYS)
@example("2月30日", AS_OF)
@example("9999年12月31日の翌日、99999999999年後、令和九十九年度", AS_OF)
@example("²³①⑳㊿", AS_OF)
@example("第0第0", AS_OF)
@example("一H0", AS_OF)
def test_what_is_read_lies_in_the_text_in_order_and_apart(text: str, as_of: date) -> None:
    for written in (text, normalize(text)):
        figures, days = read_figures(written), read_days(written, as_of)
        spans = sorted((read.start, read.end) for read in (*figures, *days))
        for first, second in zip([(0, 0), *spans], [*spans, (len(written),) * 2], strict=True):
            assert first[1] <= second[0] <= second[1]
        assert list(figures) == sorted(figures, key=lambda figure: figure.start)
        assert all(day.first_on <= day.last_on for day in days)
        for dimension in Dimension:
            total(figures, written, dimension)


@readings
@given(TEXTS)
@example("か\u3099")
@example("ｶﾞ①時間 ①対象")
@example("\u0007か\u0007\u3099")
@example("ΑΣ Ｓ")
def test_normalizing_is_idempotent_and_keeps_places(text: str) -> None:
    normal, offsets = normalize_with_offsets(text)
    assert normal == normalize(text)
    assert normalize(normal) == normal
    assert len(offsets) == len(normal) + 1
    assert list(offsets) == sorted(offsets)
    assert offsets[0] >= 0
    assert offsets[-1] <= len(text)


@given(st.text("財政力指数０．９８5,000万円ですか① \t"))
def test_a_place_in_the_normal_text_is_the_same_character_in_the_original(text: str) -> None:
    normal, offsets = normalize_with_offsets(text)
    for place, character in enumerate(normal):
        original = text[offsets[place]]
        assert character in unicodedata.normalize("NFKC", original) or original in "①\t"


@readings
@given(TEXTS)
def test_any_text_is_a_number_or_none(text: str) -> None:
    assert read_number(text) is None or isinstance(read_number(text), Decimal)


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


def full_width(text: str) -> str:
    return text.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)})


def read_as(written: str, dimension: Dimension) -> list[Decimal]:
    figures = read_figures(normalize(written))
    assert {figure.dimension for figure in figures} <= {dimension}, written
    return [figure.value for figure in figures]


@readings
@given(st.integers(1, 10**12 - 1), BEFORE, AFTER)
def test_yen_read_the_same_however_they_are_written(yen: int, before: str, after: str) -> None:
    for written in (
        format_yen(yen),
        f"{yen}円",
        f"{yen:,}円",
        f"¥{yen:,}",
        full_width(f"{yen:,}円"),
        f"{in_kanji(yen)}円",
    ):
        assert read_as(before + written + after, Dimension.YEN) == [yen], written
    if yen % 1000 == 0:
        assert read_as(f"{before}{yen // 1000:,}千円{after}", Dimension.YEN) == [yen]


@readings
@given(
    st.integers(2, 99),
    st.sampled_from(
        [
            (Dimension.DAY, ("日間", "日")),
            (Dimension.HOUR, ("時間",)),
            (Dimension.MONTH, ("か月", "ヶ月", "カ月", "箇月", "か月間")),
            (Dimension.TIME, ("回",)),
            (Dimension.MUNICIPALITY, ("市町村", "団体", "市町", "自治体")),
            (Dimension.PEOPLE, ("人", "名")),
            (Dimension.CASE, ("件",)),
            (Dimension.PERCENT, ("%", "パーセント")),
        ]
    ),
    BEFORE,
    AFTER,
)
def test_counts_read_the_same_however_they_are_written(
    number: int, counted: tuple[Dimension, tuple[str, ...]], before: str, after: str
) -> None:
    dimension, counters = counted
    for counter in counters:
        for written in (f"{number}", full_width(f"{number}"), in_kanji(number)):
            assert read_as(f"{before}{written}{counter}{after}", dimension) == [number], written


@readings
@given(st.decimals(0, 2, places=2), BEFORE, AFTER)
def test_an_index_reads_the_same_however_it_is_written(index: Decimal, before: str, after: str) -> None:
    whole, fraction = f"{index:.2f}".split(".")
    in_digits = "".join(KANJI[int(digit)] for digit in fraction)
    forms = [f"{index:.2f}", full_width(f"{index:.2f}")]
    if index < 2:
        forms += [
            f"{whole},{fraction}",
            f"{whole}・{fraction}",
            f"{whole}点{fraction}",
            f"{KANJI[int(whole)]}点{in_digits}",
        ]
    for written in forms:
        assert read_as(f"{before}指数{written}{after}", Dimension.NUMBER) == [index], written


@given(st.decimals(0, 10**6, places=3))
def test_numbers_are_read_as_they_are_written(number: Decimal) -> None:
    assert read_number(format_number(number)) in (number, None if number < 1 else number)


@given(st.integers(0, 10**16 - 1))
def test_kanji_numerals_are_read_as_the_number(number: int) -> None:
    assert read_number(in_kanji(number)) == number


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
    "二〇二五年四月一日": lambda day: (
        f"{''.join(KANJI[int(digit)] for digit in str(day.year))}年{in_kanji(day.month)}月{in_kanji(day.day)}日"
    ),
    "2025年4月1日(火)": format_date,
    "全角": lambda day: full_width(day.isoformat()),
}


@pytest.mark.parametrize("form", WRITTEN)
def test_each_day_is_read_back(form: str) -> None:
    for number in range(0, 4 * 366, 3):
        day = date(2023, 1, 1) + timedelta(days=number)
        written = normalize(f"支援は{WRITTEN[form](day)}に終わりました")
        read = [(found.first_on, found.last_on, found.precision) for found in read_days(written, AS_OF)]
        assert read == [(day, day, "day")], written
        assert read_figures(written) == (), written


@pytest.mark.parametrize("as_of", [date(2025, 4, 1), date(2025, 12, 31), date(2026, 1, 1), date(2027, 12, 1)])
def test_a_day_without_its_year_is_the_nearest_that_is_not_over_or_the_latest_that_was(as_of: date) -> None:
    for ahead in range(365):
        day, before = as_of + timedelta(days=ahead), as_of - timedelta(days=ahead)
        for write in (lambda d: f"{d.month}月{d.day}日に", lambda d: f"{d.month}/{d.day}に"):
            assert [found.first_on for found in read_days(write(day), as_of)] == [day]
            assert [latest(found, as_of).first_on for found in read_days(write(before), as_of)] == [before]


@given(st.integers(2007, 2060), DAYS)
def test_a_fiscal_year_runs_from_april_to_march(year: int, as_of: date) -> None:
    era = (f"令和{year - 2018}年度", f"r{year - 2018}年度") if year > 2018 else ()
    for written in (f"{year}年度", f"fy{year}", *era):
        [found] = read_days(written, as_of)
        assert (found.first_on, found.last_on) == (date(year, 4, 1), date(year + 1, 3, 31)), written
        assert found.precision == "fiscal_year"
        assert read_figures(written) == ()
