"""Days and periods of the calendar: 6月10日, 5/20, R7年度, 来月末, 4月から12月, お盆, 来週の月曜, 3日後."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

from knowledge.figures.calendar import (
    PARTS,
    Span,
    fiscal_year,
    fiscal_year_of,
    month,
    month_after,
    months,
    nearest,
    season,
)
from knowledge.figures.numbers import DIGITS, KANJI, read_number
from knowledge.figures.types import Day, Precision

_Match = re.Match[str]
_Read = tuple[Span, Precision] | tuple[Span, Precision, Literal["year", "week"]]


@dataclass(frozen=True)
class _Rule:
    pattern: re.Pattern[str]
    read: Callable[[_Match, date], _Read]


_RULES: list[_Rule] = []


def _rule(pattern: str) -> Callable[[Callable[[_Match, date], _Read]], Callable[[_Match, date], _Read]]:
    """Adds the way to read what a pattern finds; ValueError there says that no such day exists."""

    def add(read: Callable[[_Match, date], _Read]) -> Callable[[_Match, date], _Read]:
        _RULES.append(_Rule(re.compile(pattern), read))
        return read

    return add


def read_days(text: str, as_of: date) -> tuple[Day, ...]:
    """The days and periods that a normalised text names, in order; days that do not exist are left out.

    What is said without its year is the nearest one that is not over on `as_of`, and without its month the one nearest
    to the day before it.
    """
    days: list[Day] = []
    for found, rule in find_days(text):
        beside = days[-1] if days and rule.read is _day_near_another and days[-1].precision == "day" else None
        try:
            (first, last), *rest = rule.read(found, beside.first_on if beside else as_of)
        except (ValueError, OverflowError):
            continue
        day = Day(found.start(), found.end(), first, last, *rest)  # type: ignore[arg-type]
        days.append(replace(day, every=beside.every) if beside else day)
    return tuple(days)


def find_days(text: str) -> Iterator[tuple[_Match, _Rule]]:
    """Where a text names days, whether or not they exist: the first, of several there the longest."""
    found = [(match, rule) for rule in _RULES for match in rule.pattern.finditer(text)]
    end = 0
    for match, rule in sorted(found, key=lambda entry: (entry[0].start(), -entry[0].end())):
        if match.start() >= end:
            end = match.end()
            yield match, rule


def read_fiscal_years(text: str) -> frozenset[int]:
    """The fiscal years that a normalised text names by number (2025年度, 令和7年度)."""
    years = set()
    for found, rule in find_days(text):
        if rule.read is _written_fiscal_year:
            (first, _), *_ = rule.read(found, date.min)
            years.add(fiscal_year_of(first))
    return frozenset(years)


_ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "r": 2018, "h": 1988, "s": 1925}
_N2 = r"(?:[0-9]{1,2}|[一二三四五六七八九十]{1,3})"
_ERA = rf"(?P<era>令和|平成|昭和|(?<![a-z])[rhs])\s?(?P<era_year>元|{_N2})"
_IN_BRACKETS = r"(?:\((?:20[0-9]{2}|令和[0-9元]{1,2})\))?"  # 令和7(2025)年度
_IN_BRACKETS = r"(?:\((?:20[0-9]{2}|令和[0-9元]{1,2})\))?"  # 令和7(2025)年度
_YEAR = rf"(?:{_ERA}|(?P<year>(?<![0-9])(?:19|20)[0-9]{{2}}|二〇[〇一二三四五六七八九]{{2}})){_IN_BRACKETS}"
_BARE = rf"(?<![0-9.,a-z{KANJI[1:-1]}])"
_MD = rf"{_BARE}(?P<month>{_N2})月の?(?P<day>{_N2})日(?!間)"


def _words(table: dict[str, Any]) -> str:
    return "|".join(sorted(table, key=len, reverse=True))


def _number(text: str) -> int:
    value = read_number(text)
    if value is None:
        raise ValueError(text)
    return int(value)


def _year(found: _Match) -> int:
    if written := found["year"]:
        return _number(written)
    return _ERAS[found["era"]] + (1 if found["era_year"] == "元" else _number(found["era_year"]))


def _day(year: int, month_number: int, day: int) -> Span:
    return (date(year, month_number, day),) * 2


# --- by number


@_rule(rf"{_YEAR}\s?(?:年\s?の?|[./-])\s?(?P<month>{_N2})\s?(?:月|[./-])\s?の?(?P<day>{_N2})(?![0-9])日?(?!間)")
def _full(found: _Match, _as_of: date) -> _Read:
    return _day(_year(found), _number(found["month"]), _number(found["day"])), "day"


@_rule(rf"{_YEAR}\s?年の?\s?(?P<month>{_N2})月(?:の?(?P<part>{PARTS}))?")
def _year_month(found: _Match, _as_of: date) -> _Read:
    return month(_year(found), _number(found["month"]), found["part"]), "month"


@_rule(rf"{_YEAR}[./](?P<month>1[0-2]|0?[1-9])(?![0-9./])")
def _slashed_month(found: _Match, _as_of: date) -> _Read:
    return month(_year(found), _number(found["month"])), "month"


@_rule(
    rf"(?:{_YEAR}\s?年?度|fy\s?(?P<fy>20[0-9]{{2}})|(?<![0-9第同単一二三四五六七八九十])(?P<short>元|[0-9]{{1,2}}|[二三四五六七八九十]{{1,2}})年度(?!目))(?P<end>末)?"
)
def _written_fiscal_year(found: _Match, _as_of: date) -> _Read:
    if found["short"]:
        year = 1 if found["short"] == "元" else _number(found["short"])
        year += 2000 if year >= 20 else 2018
    else:
        year = int(found["fy"]) if found["fy"] else _year(found)
    return (month(year + 1, 3), "month") if found["end"] else (fiscal_year(year), "fiscal_year")


@_rule(r"(?<![a-z0-9])(?P<era>[rh])(?P<era_year>[0-9]{1,2})(?![0-9a-z./-]|年)(?P<year>)")
def _era_alone(found: _Match, _as_of: date) -> _Read:
    return fiscal_year(_year(found)), "fiscal_year"


@_rule(rf"{_YEAR}年(?!度|[0-9]|間|以上|目)(?P<end>末)?")
def _written_year(found: _Match, _as_of: date) -> _Read:
    year = _year(found)
    return (month(year, 12), "month") if found["end"] else ((date(year, 1, 1), date(year, 12, 31)), "year")


@_rule(
    r"(?<![0-9.,/-])(?P<year>20[12][0-9])(?=[にのはでもと]|から|以降|以前|まで|って|ごろ|頃|[、。?!\s]|$)(?!\s?(?:円|人|件))"
)
def _year_alone(found: _Match, _as_of: date) -> _Read:
    year = int(found["year"])
    return (date(year, 1, 1), date(year, 12, 31)), "year"


_WEEKDAYS = "月火水木金土日"
_ON_WEEKDAY = (
    rf"(?:\s?(?:\((?=[{_WEEKDAYS}](?:曜日?)?\))|[の、](?=[{_WEEKDAYS}]曜))(?P<weekday>[{_WEEKDAYS}])(?:曜日?)?\)?)?"
)


@_rule(_MD + _ON_WEEKDAY)
def _month_day(found: _Match, as_of: date) -> _Read:
    return _of_some_year(found, as_of)


def _of_some_year(found: _Match, as_of: date) -> _Read:
    """The nearest day that is on its weekday, where one is written; else the next."""
    month_number, number = _number(found["month"]), _number(found["day"])
    if weekday := found["weekday"]:
        years = range(as_of.year - 2, as_of.year + 3)
        days = [date(year, month_number, number) for year in years if (month_number, number) != (2, 29)]
        fitting = [day for day in days if day.weekday() == _WEEKDAYS.index(weekday)]
        if fitting:
            return (min(fitting, key=lambda day: abs(day - as_of)),) * 2, "day"
    return nearest(lambda year: _day(year, month_number, number), as_of), "day", "year"


# 1/2 and 2/3 are fractions, unless what follows makes a day of them.
@_rule(
    r"(?<![0-9/.])(?!(?:1/[2-5]|1/10|2/3|3/4)(?![0-9])(?!に|から|まで|付|締|終|開|~|\(|の?[月火水木金土日]曜))"
    rf"(?P<month>1[0-2]|0?[1-9])/(?P<day>[0-3]?[0-9])(?![0-9/]){_ON_WEEKDAY}"
)
def _slashed(found: _Match, as_of: date) -> _Read:
    return _of_some_year(found, as_of)


_BESIDE = r"(?:先々?週|[今来]週|再来週|今日|本日|きょう|明日|あした|あす|明後日|昨日|きのう|年明け)の?、?\s?"
_HAPPENS = r"(?:に(?:は)?)?(?:提出|報告|実施報告|出[しすせそ]|送[りるっ]|届[けい]|終[わえ了]|完了)|が最[後終]|付け|必着"


# 20日 alone is a day of the month where something happens on it; 3日 alone are three days.
@_rule(rf"{_BESIDE}(?P<day>{_N2})日(?!間|後|前|目)")
def _day_near_today(found: _Match, as_of: date) -> _Read:
    return _nearest_of_months(found, as_of), "day"


@_rule(rf"(?:(?<=月[0-9]日と)|(?<=月[0-9]{{2}}日と))(?P<day>{_N2})日(?!間|後|前|目)")
@_rule(rf"{_BARE}(?P<day>{_N2})日(?={_HAPPENS})")
@_rule(rf"{_BARE}(?P<day>1[1-9]|2[0-9]|3[01])日(?=でした|だった|じゃな|ではな|までに)")
def _day_near_another(found: _Match, beside: date) -> _Read:
    return _nearest_of_months(found, beside), "day"


def _nearest_of_months(found: _Match, beside: date) -> Span:
    number = _number(found["day"])
    months = [month_after(beside, distance) for distance in (0, 1, -1)]
    days = [first.replace(day=number) for first, last in months if number <= last.day]
    return (min(days, key=lambda day: abs(day - beside)),) * 2


@_rule(rf"{_BARE}(?<![かヶカケヵ箇個])(?P<month>{_N2})月(?!間)(?!額|例|謝)(?:の?(?P<part>{PARTS}))?")
def _month(found: _Match, as_of: date) -> _Read:
    number = _number(found["month"])
    first, _ = nearest(lambda year: month(year, number), as_of)
    return month(first.year, number, found["part"]), "month", "year"


@_rule(rf"{_BARE}(?P<first>{_N2})月?(?:から|~|-|より|→)(?:翌年?の?)?(?P<last>{_N2})月(?![0-9一二三四五六七八九十]+日)")
def _months(found: _Match, as_of: date) -> _Read:
    first, last = _number(found["first"]), _number(found["last"])
    return nearest(lambda year: months(year, first, last), as_of), "months", "year"


@_rule(
    r"(?<![0-9/.])(?P<month>1[0-2]|0?[1-9])/(?P<day>[0-3]?[0-9])\s?(?:から|~|-)\s?(?P<last_month>[01]?[0-9])/(?P<last_day>[0-3]?[0-9])(?![0-9/])"
)
@_rule(rf"{_MD}(?:から|~|-|より)(?P<last_month>{_N2})月(?P<last_day>{_N2})日")
def _days(found: _Match, as_of: date) -> _Read:
    def in_year(year: int) -> Span:
        first = date(year, _number(found["month"]), _number(found["day"]))
        last = date(year, _number(found["last_month"]), _number(found["last_day"]))
        return first, last if last >= first else last.replace(year=year + 1)

    return nearest(in_year, as_of), "months", "year"


@_rule(
    rf"(?<![0-9.,])(?P<number>{DIGITS}|(?<!{KANJI}){KANJI}++)(?P<unit>日|週間|[かヶカケヵ]月|年)(?:間)?(?P<way>後(?!半)|前(?!後|半|年))"
)
def _from_today(found: _Match, as_of: date) -> _Read:
    number = _number(found["number"]) * (1 if found["way"] == "後" else -1)
    if found["unit"] in ("日", "週間"):
        day = as_of + timedelta(days=number * (7 if found["unit"] == "週間" else 1))
        return (day, day), "day"
    if found["unit"] == "年":
        return (date(as_of.year + number, 1, 1), date(as_of.year + number, 12, 31)), "year"
    return month_after(as_of, number), "month"


@_rule(r"半年(?P<way>後(?!半)|前(?!後|半))")
def _half_a_year(found: _Match, as_of: date) -> _Read:
    return month_after(as_of, 6 if found["way"] == "後" else -6), "month"


# --- by its distance from today

_DAYS = {
    "本日": 0,
    "今日": 0,
    "きょう": 0,
    "ただいま": 0,
    "現在": 0,
    "今から": 0,
    "いまから": 0,
    "これから": 0,
    "明日": 1,
    "あした": 1,
    "あす": 1,
    "翌日": 1,
    "明後日": 2,
    "あさって": 2,
    "昨日": -1,
    "きのう": -1,
    "一昨日": -2,
    "おととい": -2,
}
_WEEKS = {
    "再来週": 2,
    "来週": 1,
    "らいしゅう": 1,
    "今週": 0,
    "こんしゅう": 0,
    "先週": -1,
    "せんしゅう": -1,
    "先々週": -2,
}
_MONTHS = {
    "再来月": 2,
    "来月": 1,
    "らいげつ": 1,
    "翌月": 1,
    "今月": 0,
    "当月": 0,
    "こんげつ": 0,
    "先月": -1,
    "せんげつ": -1,
    "先々月": -2,
}
_YEARS = {
    "再来年": 2,
    "来年": 1,
    "らいねん": 1,
    "翌年": 1,
    "今年": 0,
    "ことし": 0,
    "本年": 0,
    "去年": -1,
    "きょねん": -1,
    "昨年": -1,
    "一昨年": -2,
    "おととし": -2,
}
_FISCAL_YEARS = {
    "再来年度": 2,
    "来年度": 1,
    "次年度": 1,
    "翌年度": 1,
    "翌々年度": 2,
    "今年度": 0,
    "本年度": 0,
    "当年度": 0,
    "昨年度": -1,
    "去年度": -1,
    "前年度": -1,
    "一昨年度": -2,
    "おととし度": -2,
    "前々年度": -2,
}


@_rule(
    rf"(?<!一)(?<!々)(?P<word>{_words(_FISCAL_YEARS)})"
    rf"(?:の?(?P<month>{_N2})月(?:(?P<day>{_N2})日)?|の?(?P<end>末|終わり)|の?(?P<start>初め|当初|頭))?"
)
def _relative_fiscal_year(found: _Match, as_of: date) -> _Read:
    year = fiscal_year_of(as_of) + _FISCAL_YEARS[found["word"]]
    if found["month"]:
        number = _number(found["month"])
        year += number < 4
        return (_day(year, number, _number(found["day"])), "day") if found["day"] else (month(year, number), "month")
    if found["end"] or found["start"]:
        return month(*((year + 1, 3) if found["end"] else (year, 4))), "month"
    return fiscal_year(year), "fiscal_year"


@_rule(r"新年度")
def _new_fiscal_year(_found: _Match, as_of: date) -> _Read:
    has_begun = as_of.month in (4, 5, 6)
    return fiscal_year(fiscal_year_of(as_of) + (0 if has_begun else 1)), "fiscal_year"


@_rule(r"年度(?:(?P<end>末)|明け|初め|当初|始め|はじめ|頭)")
def _fiscal_point(found: _Match, as_of: date) -> _Read:
    number = 3 if found["end"] else 4
    return nearest(lambda year: month(year, number), as_of), "month", "year"


@_rule(
    rf"(?P<word>{_words(_YEARS)})(?!度)"
    rf"(?:の?(?P<month>{_N2})月(?:(?P<day>{_N2})日)?|の?(?P<season>[春夏秋冬])(?!日)|の?(?P<end>末|暮れ))?"
)
def _relative_year(found: _Match, as_of: date) -> _Read:
    year = as_of.year + _YEARS[found["word"]]
    if found["month"]:
        number = _number(found["month"])
        return (_day(year, number, _number(found["day"])), "day") if found["day"] else (month(year, number), "month")
    if found["season"]:
        return season(year, found["season"]), "season"
    return (month(year, 12), "month") if found["end"] else ((date(year, 1, 1), date(year, 12, 31)), "year")


@_rule(rf"(?P<word>{_words(_MONTHS)})(?:の?(?P<day>{_N2})日(?!間)|の?(?P<part>{PARTS}))?")
def _relative_month(found: _Match, as_of: date) -> _Read:
    first, last = month_after(as_of, _MONTHS[found["word"]], found["part"])
    return (_day(first.year, first.month, _number(found["day"])), "day") if found["day"] else ((first, last), "month")


@_rule(r"(?<!年度)(?<!年)(?<![0-9一二三四五六七八九十来先今々翌])月末")
def _month_end(_found: _Match, as_of: date) -> _Read:
    return month_after(as_of, 0, "末"), "day"


@_rule(
    rf"(?P<word>{_words(_WEEKS)})(?:の?(?P<weekday>[月火水木金土日])(?:曜日?|(?![初末一-龠])))?|(?P<alone>[月火水木金土日])曜日?"
)
def _week(found: _Match, as_of: date) -> _Read:
    if weekday := found["alone"]:
        day = as_of + timedelta(days=("月火水木金土日".index(weekday) - as_of.weekday()) % 7)
        return (day, day), "day", "week"
    monday = as_of - timedelta(days=as_of.weekday()) + timedelta(weeks=_WEEKS[found["word"]])
    if weekday := found["weekday"]:
        day = monday + timedelta(days="月火水木金土日".index(weekday))
        return (day, day), "day"
    return (monday, monday + timedelta(days=6)), "week"


@_rule(
    rf"(?:{_words(_DAYS)})(?!香)|(?<![昨当只])今(?![年月週後回度ま期日更時般次夏春秋冬金別治帰市])|(?<![てでにくなしかま])いま(?!す|せ|し|だ)"
)
def _relative_day(found: _Match, as_of: date) -> _Read:
    day = as_of + timedelta(days=_DAYS.get(found[0], 0))
    return (day, day), "day"


# --- by name

_NAMED = {
    "元日": (1, 1),
    "元旦": (1, 1),
    "仕事始め": (1, 4),
    "バレンタイン": (2, 14),
    "エイプリルフール": (4, 1),
    "七夕": (7, 7),
    "クリスマスイブ": (12, 24),
    "クリスマス": (12, 25),
    "仕事納め": (12, 28),
    "御用納め": (12, 28),
    "大晦日": (12, 31),
    "大みそか": (12, 31),
    "おおみそか": (12, 31),
}
_NAMED_WEEKS = {
    "ゴールデンウィーク": (4, 29, 5, 5),
    "gw": (4, 29, 5, 5),
    "お盆": (8, 13, 8, 16),
    "年末年始": (12, 28, 1, 3),
}
_NAMED_MONTHS = {
    "夏休み": 8,
    "師走": 12,
    "年明け": 1,
    "年始": 1,
    "新年": 1,
    "お正月": 1,
    "正月": 1,
    "年末": 12,
    "年内": 12,
    "年の瀬": 12,
}


@_rule(_words(_NAMED))
def _named_day(found: _Match, as_of: date) -> _Read:
    return nearest(lambda year: _day(year, *_NAMED[found[0]]), as_of), "day", "year"


@_rule(rf"(?<![a-z])(?:{_words(_NAMED_WEEKS)})(?![a-z])")
def _named_week(found: _Match, as_of: date) -> _Read:
    first_month, first_day, last_month, last_day = _NAMED_WEEKS[found[0]]

    def in_year(year: int) -> Span:
        return date(year, first_month, first_day), date(year + (last_month < first_month), last_month, last_day)

    return nearest(in_year, as_of), "week", "year"


@_rule(rf"(?:(?<!度)(?:{_words(_NAMED_MONTHS)}))")
def _named_month(found: _Match, as_of: date) -> _Read:
    return nearest(lambda year: month(year, _NAMED_MONTHS[found[0]]), as_of), "month", "year"


@_rule(r"(?<![一-龠])今?(?P<season>[春夏秋冬])(?=頃|ごろ|口|先|休み|以降|まで|から|に|は|の|って|も|で|$)")
def _season(found: _Match, as_of: date) -> _Read:
    return nearest(lambda year: season(year, found["season"]), as_of), "season", "year"
