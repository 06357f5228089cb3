"""Reads figures, days and counts out of Japanese text. Pure: the day of asking is an argument."""

import calendar
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

from knowledge.types import Bound

_RADICALS = str.maketrans("⺠⻑⻄⻘⻲⻩⻭⺟⻝⻫⻆⻤⻨⻯⻁", "民長西青亀黄歯母食斉角鬼麦竜虎")
_KANJI_DIGITS = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "壱": 1, "弐": 2, "参": 3}
_KANJI_UNITS = {"十": 10, "拾": 10, "百": 100, "千": 1000}
_LARGE_UNITS = {"万": 10**4, "億": 10**8, "兆": 10**12}


@dataclass(frozen=True)
class Mention:
    """Where something stands in a normalised text."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class AmountMention(Mention):
    """An amount of money in whole yen, with the word that qualifies it (程度, 以上, 超 …) or ""."""

    value: Decimal
    modifier: str = ""


@dataclass(frozen=True)
class RatioMention(Mention):
    """A financial strength index (財政力指数); `bound` where the words say 以上, 未満, 以下 or 超."""

    value: Decimal
    bound: Bound | None = None


@dataclass(frozen=True)
class CountMention(Mention):
    """A number of days, hours, municipalities, times and so on."""

    value: Decimal
    unit: Literal["day", "hour", "municipality", "time", "month", "week", "person", "case", "percent"]


@dataclass(frozen=True)
class DateMention(Mention):
    """The first and last day of what is written; `precision` tells what kind of period that is."""

    start_on: date
    end_on: date
    precision: Literal["day", "week", "month", "season", "fiscal_year", "year"]
    relative: bool = False


def normalize(text: str) -> str:
    """NFKC, small Latin letters, one kind of wave and dash, single spaces, no control characters. Idempotent."""
    text = unicodedata.normalize("NFKC", text.translate(_RADICALS)).lower()
    text = re.sub(r"[〜～∼]", "~", text)
    text = re.sub(r"[‐‑‒–—―−]", "-", text)
    text = "".join(c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    return unicodedata.normalize("NFKC", re.sub(r"\s+", " ", text).strip())


def read_number(text: str) -> Decimal | None:
    """The value of digits, kanji numerals or a mix (八千五百, 1億2千万, 二〇二五, 5,000); None when it is none."""
    total, section, current = Decimal(0), Decimal(0), ""
    try:
        for char in text.replace(",", ""):
            if char.isdecimal() or char == ".":
                current += char
            elif char in _KANJI_DIGITS:
                current += str(_KANJI_DIGITS[char])
            elif char in _KANJI_UNITS:
                section += (Decimal(current) if current else Decimal(1)) * _KANJI_UNITS[char]
                current = ""
            elif char in _LARGE_UNITS:
                section += Decimal(current or 0)
                total += (section or Decimal(1)) * _LARGE_UNITS[char]
                section, current = Decimal(0), ""
            else:
                return None
        return total + section + Decimal(current or 0)
    except ArithmeticError:  # two points, or a point alone
        return None


# Possessive, so that a long run of numerals is read once and not in every way it could be cut.
_DIGITS = r"\d[\d,]*+(?:\.\d++)?+"
_NUMERALS = "〇零一二三四五六七八九壱弐参十拾百千"
_KANJI = rf"[{_NUMERALS}]"
_NUMBER = rf"(?:{_DIGITS}|(?<!{_KANJI}){_KANJI}++)"
_MIXED = rf"(?:{_DIGITS}|{_KANJI})++"

_AMOUNT = re.compile(
    rf"(?<![\d.,第{_NUMERALS}])(?:¥\s?(?P<sign>{_DIGITS})"
    rf"|(?P<english>{_DIGITS})\s?(?P<scale>million|billion|thousand)\s?yen"
    rf"|(?P<large>(?:{_MIXED}\s?(?:億|万)\s?)+(?:{_MIXED})?)(?P<yen>円)?"
    rf"|(?P<plain>{_MIXED})円)"
)
_NOT_MONEY = re.compile(r"^\s?(?:人|名|件|世帯|戸|km|キロ|平米|字|文字|回|台|冊|部|票|筆)")
_MODIFIER_AFTER = re.compile(r"^\s?(?:程度|以上|以下|未満|超|弱|強|ちょうど|ぐらい|くらい|前後)")
_MODIFIER_BEFORE = re.compile(r"(?:約|およそ|だいたい|大体)\s?$")
_SAME_MODIFIER = {"ぐらい": "程度", "くらい": "程度", "前後": "程度", "およそ": "約", "だいたい": "約", "大体": "約"}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}


def find_amounts(text: str) -> tuple[AmountMention, ...]:
    """Amounts of money in yen: 8,000万円, 八千万, 1億2千万円, 0.5億, ¥5,000,000. Vague ones (数千万) are left out."""
    found = []
    for match in _AMOUNT.finditer(text):
        before, after = text[: match.start()], text[match.end() :]
        if before[-1:] in ("数", "何", "幾") or _NOT_MONEY.search(after):
            continue
        if match["english"]:
            value: Decimal | None = Decimal(match["english"].replace(",", "")) * _SCALES[match["scale"]]
        else:
            value = read_number((match["sign"] or match["large"] or match["plain"]).replace(" ", ""))
        if value is None:
            continue
        modifier = _MODIFIER_AFTER.search(after) or _MODIFIER_BEFORE.search(before)
        words = modifier[0].strip() if modifier else ""
        found.append(
            AmountMention(match.start(), match.end(), match[0], Decimal(int(value)), _SAME_MODIFIER.get(words, words))
        )
    return tuple(found)


_KANA_DIGITS = {
    "れい": "0",
    "ぜろ": "0",
    "ゼロ": "0",
    "いち": "1",
    "に": "2",
    "さん": "3",
    "よん": "4",
    "ご": "5",
    "ろく": "6",
    "なな": "7",
    "はち": "8",
    "きゅう": "9",
}
_KANA = "|".join(_KANA_DIGITS)
_BOUND_WORDS: tuple[tuple[Bound, str], ...] = (
    ("at_least", r"以上"),
    ("below", r"未満|を?下回|を?切|より(?:下|低|小)|に満たな|弱"),
    ("at_most", r"以下"),
    ("above", r"を?超|より(?:上|高|大)|を?上回|オーバー"),
)
_RATIO = re.compile(
    rf"(?<![\d.,/・])(?:(?P<decimal>\d?\.\d{{1,3}}|\d[,・]\d{{1,2}}(?!\d))"
    rf"|(?P<kanji>[〇零一][点・.][〇零一二三四五六七八九]{{1,3}})"
    rf"|(?P<kana>(?:れい|ぜろ|ゼロ|いち)(?:てん|点)(?:{_KANA}|[〇零一二三四五六七八九]){{1,3}})"
    rf"|(?P<whole>[0-3一二三]))(?![\d./])"
)
_A_QUANTITY = re.compile(
    r"^\s?(?:%|パーセント|億|万|千|円|時間|日|回|か[月年]|[ヶケヵカ]年|[ヶカ]月|月|年|倍|km|g(?:b|hz)|[a-z])"
)
_COUNTED = re.compile(r"^\s?(?:覧|般|部|定|体|様|律|番|人|件|割|つ|市|町|村|団体|次|期|泊|分|名|県|本|以内|週)")
_INDEX_WORDS = re.compile(r"(?:財政力?(?:指数)?|指数|力)[^。\n0-9]{0,10}$")


def find_ratios(text: str) -> tuple[RatioMention, ...]:
    """Values of a financial strength index: 0.98, .87, 零点七, 0・7, 1ちょうど; a whole number only beside 指数."""
    found = []
    for match in _RATIO.finditer(text):
        before, after = text[: match.start()], text[match.end() :]
        if _A_QUANTITY.search(after) or (match["whole"] and _COUNTED.search(after)):
            continue
        if match["whole"] and not (_INDEX_WORDS.search(before) or re.match(r"\s?(?:ちょうど|丁度)?の?財政力", after)):
            continue
        if match["decimal"]:
            digits = match["decimal"].replace(",", ".").replace("・", ".")
        elif match["kanji"]:
            digits = "".join(str(_KANJI_DIGITS.get(c, ".")) for c in match["kanji"])
        elif match["kana"]:
            digits = re.sub(_KANA, lambda kana: _KANA_DIGITS[kana[0]], re.sub("てん|点", ".", match["kana"]))
            digits = "".join(str(_KANJI_DIGITS.get(c, c)) for c in digits)
        else:
            digits = str(read_number(match["whole"]))
        value = Decimal(digits if digits[0] != "." else "0" + digits)
        if value > 5:
            continue
        bound = next((bound for bound, words in _BOUND_WORDS if re.match(rf"\s?(?:{words})", after)), None)
        found.append(RatioMention(match.start(), match.end(), match[0], value, bound))
    return tuple(found)


_GOVERNMENTS = r"(?:市区?町村|市町|町村|自治体|団体|市|町|村|県(?!庁))"
_COUNTS: tuple[
    tuple[
        Literal["day", "hour", "municipality", "time", "month", "week", "person", "case", "percent"], re.Pattern[str]
    ],
    ...,
] = (
    (
        "day",
        re.compile(
            rf"\d泊(?P<n>{_NUMBER})日|(?<![月\d.,/第年]){_NUMBER}泊(?!\d)|(?<![月\d.,/第年])(?P<m>{_NUMBER})日(?!後|前|付|から|より|目)(?:間)?|(?P<half>半日)|丸?(?P<one>一日)(?!も)"
        ),
    ),
    (
        "hour",
        re.compile(
            rf"(?<![\d.,])(?P<n>{_NUMBER})時間(?P<half>半)?|(?<![\d.,])(?P<minutes>{_NUMBER})分(?!の|野|か|以|に|程|科)"
        ),
    ),
    (
        "municipality",
        re.compile(
            rf"(?<![\d.,第年])(?P<n>{_NUMBER})(?:つ)?の?(?:{_GOVERNMENTS})(?:(?P<n2>{_NUMBER})(?:町|村))?(?:(?P<n3>{_NUMBER})村)?"
        ),
    ),
    ("month", re.compile(rf"(?<![\d.,])(?P<n>{_NUMBER})(?:か|ヶ|カ|ケ|ヵ|箇|個)月(?!後|前)")),
    ("time", re.compile(rf"(?<![\d.,第])(?P<n>{_NUMBER})(?:回|度)(?!目|線)")),
    ("week", re.compile(rf"(?<![\d.,])(?P<n>{_NUMBER})週間?(?!後|前)")),
    ("person", re.compile(rf"(?<![\d.,])(?P<n>{_NUMBER})(?:人|名)(?!目)")),
    ("case", re.compile(rf"(?<![\d.,])(?P<n>{_NUMBER})件(?!目)")),
    ("percent", re.compile(rf"(?<![\d.,])(?P<n>{_NUMBER})(?:%|パーセント)")),
)


def find_counts(text: str) -> tuple[CountMention, ...]:
    """Counts with their unit: 3日間, 2泊3日, 10時間, 90分 (1.5 hours), 8市3町 (11 municipalities), 年3回, 3か月."""
    found = []
    for unit, pattern in _COUNTS:
        for match in pattern.finditer(text):
            groups = match.groupdict()
            if groups.get("minutes"):
                value = (read_number(groups["minutes"]) or Decimal(0)) / 60
            elif unit == "day" and groups["half"]:
                value = Decimal("0.5")
            elif unit == "day" and groups["one"]:
                value = Decimal(1)
            else:
                parts = [groups.get(name) for name in ("n", "m", "n2", "n3")]
                numbers = [read_number(part) for part in parts if part]
                if not numbers:
                    continue
                value = sum((number for number in numbers if number is not None), Decimal(0))
                if unit == "hour" and groups.get("half"):
                    value += Decimal("0.5")
            found.append(CountMention(match.start(), match.end(), match[0], value, unit))
    return tuple(sorted(found, key=lambda mention: mention.start))


_ERAS = {
    "明治": 1867,
    "大正": 1911,
    "昭和": 1925,
    "平成": 1988,
    "令和": 2018,
    "m": 1867,
    "t": 1911,
    "s": 1925,
    "h": 1988,
    "r": 2018,
}
_N2 = r"(?:\d{1,2}|[一二三四五六七八九十]{1,3})"


def _year(number: str = "") -> str:
    """The pattern of a year (令和7, r7, 2025, 二〇二五), with the groups era, era_year and year of this number."""
    return (
        rf"(?:(?P<era{number}>令和|平成|昭和|(?<![a-z])[rhs])\s?(?P<era{number}_year>元|{_N2})"
        rf"|(?P<year{number}>(?:19|20)\d{{2}}|二〇[〇一二三四五六七八九]{{2}}))"
    )


_RELATIVE_DAYS = {
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
    "明後日": 2,
    "あさって": 2,
    "昨日": -1,
    "きのう": -1,
    "一昨日": -2,
    "おととい": -2,
}
_RELATIVE_MONTHS = {"再来月": 2, "来月": 1, "らいげつ": 1, "今月": 0, "こんげつ": 0, "先月": -1, "先々月": -2}
_RELATIVE_YEARS = {
    "再来年": 2,
    "来年": 1,
    "らいねん": 1,
    "今年": 0,
    "ことし": 0,
    "本年": 0,
    "去年": -1,
    "昨年": -1,
    "一昨年": -2,
    "おととし": -2,
}
_RELATIVE_FISCAL = {
    "再来年度": 2,
    "来年度": 1,
    "次年度": 1,
    "今年度": 0,
    "本年度": 0,
    "昨年度": -1,
    "去年度": -1,
    "前年度": -1,
    "一昨年度": -2,
    "おととし度": -2,
}
_SEASONS = {"春": 3, "夏": 6, "秋": 9, "冬": 12}
_NAMED_DAYS = {
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
_NAMED_MONTHS = {"ゴールデンウィーク": 5, "gw": 5, "お盆": 8, "夏休み": 8, "師走": 12, "年度はじめ": 4}
_MONTH_PARTS = {
    "上旬": (1, 10),
    "初旬": (1, 10),
    "初め": (1, 10),
    "頭": (1, 10),
    "中旬": (11, 20),
    "半ば": (11, 20),
    "下旬": (21, 31),
    "末": (31, 31),
    "終わり": (21, 31),
}


def _words(table: dict[str, Any]) -> str:
    return "|".join(sorted(table, key=len, reverse=True))


_DATE = re.compile(
    "|".join(
        (
            rf"(?P<full>{_year()}\s?(?:年|[./-])\s?(?P<fm>{_N2})\s?(?:月|[./-])\s?(?P<fd>{_N2})(?!\d)日?)",
            rf"(?P<ym>{_year('2')}\s?年の?\s?(?P<ymm>{_N2})月(?P<ympart>上旬|初旬|中旬|下旬|末)?)",
            rf"(?P<fy>{_year('3')}\s?年?度(?P<fy_end>末)?|fy\s?(?P<year4>20\d{{2}}))",
            rf"(?P<rel_fy>(?<!一)(?:{_words(_RELATIVE_FISCAL)})の?(?:(?P<rfm>{_N2})月(?:(?P<rfd>{_N2})日)?|(?P<rf_end>末|終わり)|(?P<rf_start>初め|当初|頭))?)",
            r"(?P<fy_point>年度末|年度(?:明け|初め|当初|始め|頭|頭初))",
            rf"(?P<rel_y>(?:{_words(_RELATIVE_YEARS)})(?!度)の?(?:(?P<rym>{_N2})月(?:(?P<ryd>{_N2})日)?|(?P<rys>[春夏秋冬])(?!日)|(?P<ry_end>末|の暮れ))?)",
            rf"(?P<y>{_year('5')}年(?!度|\d|間|以上))",
            rf"(?P<md>(?<![\d.])(?P<mdm>{_N2})月の?(?P<mdd>{_N2})日(?!間))",
            r"(?P<slash>(?<![\d/.])(?P<sm>1[0-2]|0?[1-9])/(?P<sd>[0-3]?\d)(?![\d/]))",
            rf"(?P<m>(?<![\d.か])(?P<mm>{_N2})月(?!間)(?P<mpart>上旬|初旬|中旬|半ば|下旬|末|頭|初め)?)",
            rf"(?P<rel_m>(?:{_words(_RELATIVE_MONTHS)})の?(?:(?P<rmd>{_N2})日|(?P<rmpart>上旬|初旬|中旬|半ば|下旬|末|頭|終わり))?)",
            r"(?P<month_end>(?<!年度)(?<!年)月末)",
            r"(?P<week>(?P<weekword>再来週|来週|今週|先週)の?(?P<weekday>[月火水木金土日])?(?:曜日?)?)",
            rf"(?P<after>(?<![\d.,])(?P<an>{_NUMBER})(?P<aunit>日|週間|か月|ヶ月|カ月|ケ月|ヵ月|年)(?P<adir>後|前))",
            rf"(?P<named_day>{_words(_NAMED_DAYS)})",
            rf"(?P<named_month>{_words(_NAMED_MONTHS)})",
            r"(?P<new_year>年明け|年始|新年|お正月|正月)",
            r"(?P<year_end>年末|年内|年の瀬)",
            rf"(?P<rel_d>{_words(_RELATIVE_DAYS)}|(?<![昨当只])今(?!年|月|週|後|回|度|ま|期|日|更|時|般|次|夏|春|秋|冬)|(?<![てでにくなしかま])いま(?!す|せ|し|だ))",
            r"(?P<season>(?<![一-龠])今?(?P<seasonname>[春夏秋冬])(?:頃|ごろ|口|先|休み|以降|まで|から|に|は|の|って|も|で|$))",
        )
    )
)


def fiscal_year_of(day: date) -> int:
    """The Japanese fiscal year of a day: April to March."""
    return day.year if day.month >= 4 else day.year - 1


def find_dates(text: str, today: date, *, past: bool = False) -> tuple[DateMention, ...]:
    """Days, months, seasons and years that a text mentions, in order, not overlapping.

    A month or day without its year is the nearest one that is not over, or the latest one with `past`. Days that do
    not exist are no mentions.
    """
    found = []
    for match in _DATE.finditer(text):
        try:
            read = _read_date(match, today, past)
        except (ValueError, OverflowError):
            read = None
        if read:
            start_on, end_on, precision, relative = read
            found.append(DateMention(match.start(), match.end(), match[0], start_on, end_on, precision, relative))
    return tuple(found)


_Read = tuple[date, date, Literal["day", "week", "month", "season", "fiscal_year", "year"], bool]


def _read_date(match: re.Match[str], today: date, past: bool) -> _Read | None:
    g = match.groupdict()
    kind = match.lastgroup and next(name for name in _READERS if g[name] is not None)
    return _READERS[kind](g, today, past) if kind else None


def _number(text: str) -> int:
    value = read_number(text)
    if value is None:
        raise ValueError(text)
    return int(value)


def _year_in(g: dict[str, str | None], era: str, era_year: str, year: str) -> int:
    if written := g.get(year):
        return _number(written) if written.isdecimal() else int("".join(str(_KANJI_DIGITS[c]) for c in written))
    name, number = g[era] or "", g[era_year] or ""
    return _ERAS[name] + (1 if number == "元" else _number(number))


def _month(year: int, month: int, part: str | None = None) -> tuple[date, date]:
    last = calendar.monthrange(year, month)[1]
    first_day, last_day = _MONTH_PARTS[part] if part else (1, 31)
    return date(year, month, min(first_day, last)), date(year, month, min(last_day, last))


def _plus_months(day: date, months: int) -> tuple[int, int]:
    index = day.year * 12 + day.month - 1 + months
    return index // 12, index % 12 + 1


def _near_year(month: int, today: date, past: bool) -> int:
    if past:
        return today.year if month <= today.month else today.year - 1
    return today.year if month >= today.month else today.year + 1


def _day_near(month: int, day: int, today: date, past: bool) -> _Read:
    days = []
    for year in range(today.year - 4, today.year + 5):
        try:
            days.append(date(year, month, day))
        except ValueError:  # 29 February in most years
            continue
    fitting = [found for found in days if (found <= today if past else found >= today)]
    if not fitting:
        raise ValueError(f"{month}月{day}日")
    chosen = fitting[-1] if past else fitting[0]
    return chosen, chosen, "day", False


def _full(g: dict[str, str | None], today: date, past: bool) -> _Read:
    day = date(_year_in(g, "era", "era_year", "year"), _number(g["fm"] or ""), _number(g["fd"] or ""))
    return day, day, "day", False


def _year_month(g: dict[str, str | None], today: date, past: bool) -> _Read:
    return *_month(_year_in(g, "era2", "era2_year", "year2"), _number(g["ymm"] or ""), g["ympart"]), "month", False


def _fiscal(year: int) -> tuple[date, date]:
    return date(year, 4, 1), date(year + 1, 3, 31)


def _fiscal_year(g: dict[str, str | None], today: date, past: bool) -> _Read:
    year = _number(g["year4"]) if g["year4"] else _year_in(g, "era3", "era3_year", "year3")
    if g["fy_end"]:
        return *_month(year + 1, 3), "month", False
    return *_fiscal(year), "fiscal_year", False


def _relative_fiscal(g: dict[str, str | None], today: date, past: bool) -> _Read:
    word = next(
        word for word in sorted(_RELATIVE_FISCAL, key=len, reverse=True) if (g["rel_fy"] or "").startswith(word)
    )
    year = fiscal_year_of(today) + _RELATIVE_FISCAL[word]
    if g["rfm"]:
        month = _number(g["rfm"])
        year += month < 4
        if g["rfd"]:
            day = date(year, month, _number(g["rfd"]))
            return day, day, "day", True
        return *_month(year, month), "month", True
    if g["rf_end"]:
        return *_month(year + 1, 3), "month", True
    if g["rf_start"]:
        return *_month(year, 4), "month", True
    return *_fiscal(year), "fiscal_year", True


def _fiscal_point(g: dict[str, str | None], today: date, past: bool) -> _Read:
    if g["fy_point"] == "年度末":
        return *_month(fiscal_year_of(today) + 1, 3), "month", True
    return *_month(fiscal_year_of(today) + (today.month != 4), 4), "month", True


def _relative_year(g: dict[str, str | None], today: date, past: bool) -> _Read:
    word = next(word for word in sorted(_RELATIVE_YEARS, key=len, reverse=True) if (g["rel_y"] or "").startswith(word))
    year = today.year + _RELATIVE_YEARS[word]
    if g["rym"]:
        if g["ryd"]:
            day = date(year, _number(g["rym"]), _number(g["ryd"]))
            return day, day, "day", True
        return *_month(year, _number(g["rym"])), "month", True
    if g["rys"]:
        return *_season(year, g["rys"]), "season", True
    if g["ry_end"]:
        return *_month(year, 12), "month", True
    return date(year, 1, 1), date(year, 12, 31), "year", True


def _season(year: int, name: str) -> tuple[date, date]:
    first = _SEASONS[name]
    return date(year, first, 1), _month(*_plus_months(date(year, first, 1), 2))[1]


def _written_year(g: dict[str, str | None], today: date, past: bool) -> _Read:
    year = _year_in(g, "era5", "era5_year", "year5")
    return date(year, 1, 1), date(year, 12, 31), "year", False


def _month_day(g: dict[str, str | None], today: date, past: bool) -> _Read:
    return _day_near(_number(g["mdm"] or ""), _number(g["mdd"] or ""), today, past)


def _slashed(g: dict[str, str | None], today: date, past: bool) -> _Read:
    return _day_near(_number(g["sm"] or ""), _number(g["sd"] or ""), today, past)


def _month_alone(g: dict[str, str | None], today: date, past: bool) -> _Read:
    month = _number(g["mm"] or "")
    return *_month(_near_year(month, today, past), month, g["mpart"]), "month", False


def _relative_month(g: dict[str, str | None], today: date, past: bool) -> _Read:
    word = next(word for word in sorted(_RELATIVE_MONTHS, key=len, reverse=True) if (g["rel_m"] or "").startswith(word))
    year, month = _plus_months(today, _RELATIVE_MONTHS[word])
    if g["rmd"]:
        day = date(year, month, _number(g["rmd"]))
        return day, day, "day", True
    return *_month(year, month, g["rmpart"]), "month", True


def _month_end(g: dict[str, str | None], today: date, past: bool) -> _Read:
    return *_month(today.year, today.month, "末"), "day", True


def _week(g: dict[str, str | None], today: date, past: bool) -> _Read:
    weeks = {"先週": -1, "今週": 0, "来週": 1, "再来週": 2}[g["weekword"] or ""]
    monday = today - timedelta(days=today.weekday()) + timedelta(weeks=weeks)
    if g["weekday"]:
        day = monday + timedelta(days="月火水木金土日".index(g["weekday"]))
        return day, day, "day", True
    return monday, monday + timedelta(days=6), "week", True


def _after(g: dict[str, str | None], today: date, past: bool) -> _Read:
    number = _number(g["an"] or "") * (1 if g["adir"] == "後" else -1)
    unit = g["aunit"] or ""
    if unit == "日":
        day = today + timedelta(days=number)
        return day, day, "day", True
    if unit == "週間":
        day = today + timedelta(weeks=number)
        return day, day, "day", True
    if unit == "年":
        return date(today.year + number, 1, 1), date(today.year + number, 12, 31), "year", True
    return *_month(*_plus_months(today, number)), "month", True


def _named_day(g: dict[str, str | None], today: date, past: bool) -> _Read:
    return _day_near(*_NAMED_DAYS[g["named_day"] or ""], today, past)


def _named_month(g: dict[str, str | None], today: date, past: bool) -> _Read:
    month = _NAMED_MONTHS[g["named_month"] or ""]
    return *_month(_near_year(month, today, past), month), "month", False


def _new_year(g: dict[str, str | None], today: date, past: bool) -> _Read:
    return *_month(today.year + (today.month > 1), 1), "month", True


def _year_end(g: dict[str, str | None], today: date, past: bool) -> _Read:
    return *_month(today.year, 12), "month", True


def _relative_day(g: dict[str, str | None], today: date, past: bool) -> _Read:
    day = today + timedelta(days=_RELATIVE_DAYS.get(g["rel_d"] or "", 0))
    return day, day, "day", True


def _season_alone(g: dict[str, str | None], today: date, past: bool) -> _Read:
    name = g["seasonname"] or ""
    first, last = _season(today.year, name)
    if past and first > today:
        first, last = _season(today.year - 1, name)
    elif not past and last < today:
        first, last = _season(today.year + 1, name)
    return first, last, "season", True


_READERS: dict[str, Callable[[dict[str, str | None], date, bool], _Read]] = {
    "full": _full,
    "ym": _year_month,
    "fy": _fiscal_year,
    "rel_fy": _relative_fiscal,
    "fy_point": _fiscal_point,
    "rel_y": _relative_year,
    "y": _written_year,
    "md": _month_day,
    "slash": _slashed,
    "m": _month_alone,
    "rel_m": _relative_month,
    "month_end": _month_end,
    "week": _week,
    "after": _after,
    "named_day": _named_day,
    "named_month": _named_month,
    "new_year": _new_year,
    "year_end": _year_end,
    "rel_d": _relative_day,
    "season": _season_alone,
}


def format_date(day: date) -> str:
    """2025年7月11日(金)."""
    return f"{day.year}年{day.month}月{day.day}日({'月火水木金土日'[day.weekday()]})"


def format_fiscal_year(year: int) -> str:
    """2025年度(令和7年度)."""
    return f"{year}年度(令和{year - 2018}年度)" if year > 2018 else f"{year}年度"


def format_yen(value: Decimal | int) -> str:
    """1億円, 5,000万円, 1億2,000万円, 500円: whole yen, grouped as people read them."""
    rest = int(value)
    parts = ""
    for name, size in (("億", 10**8), ("万", 10**4)):
        count, rest = divmod(rest, size)
        parts += f"{count:,}{name}" if count else ""
    return f"{parts}{rest:,}円" if rest or not parts else f"{parts}円"


def format_number(value: Decimal) -> str:
    """A number without trailing zeros: 3, 1.5."""
    return f"{value.normalize():f}"
