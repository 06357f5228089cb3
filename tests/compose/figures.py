"""Figures as people write them, and texts made alike before figures are looked for in them."""

import unicodedata
from datetime import date
from random import Random

_WIDE = str.maketrans("0123456789.", "０１２３４５６７８９．")


def made_alike(text: str) -> str:
    """The text in one width of letters, without the commas of thousands and without blanks."""
    return unicodedata.normalize("NFKC", text).replace(",", "").replace(" ", "")


def wide(text: str) -> str:
    """The text with full-width digits."""
    return text.translate(_WIDE)


def written_yen(yen: int, rng: Random) -> str:
    """An amount in one of the ways in which offices write it. `yen` is a multiple of a million."""
    units, rest = divmod(yen // 10_000, 10_000)
    split = (f"{units}億" if units else "") + (f"{rest:,}万" if rest else "") + "円"
    ways = [split, split, split.replace(",", ""), f"{yen:,}円", f"{yen // 1_000_000}百万円", f"{_in_kanji(yen)}円"]
    return rng.choice(ways)


def _in_kanji(number: int) -> str:
    """A whole number below 10^12 in kanji: 五千万, 一億二千万."""
    written = ""
    for unit, worth in (("億", 10**8), ("万", 10**4), ("", 1)):
        group = number // worth % 10**4
        for place, of in (("千", 1000), ("百", 100), ("十", 10), ("", 1)):
            digit = group // of % 10
            if digit:
                written += ("" if digit == 1 and place in ("百", "十") else "〇一二三四五六七八九"[digit]) + place
        written += unit if group else ""
    return written


def written_day(day: date, rng: Random) -> str:
    """A day without its year."""
    return rng.choice([f"{day.month}月{day.day}日", f"{day.month}月{day.day}日", f"{day.month}/{day.day}"])


def days_as_written(day: date) -> tuple[str, ...]:
    """Every writing of a day in which an answer may give it."""
    return f"{day.month}月{day.day}日", f"{day.month}/{day.day}", day.isoformat()
