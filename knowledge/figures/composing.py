"""What several figures are together: 五千万と1円, 2時間×5, 4回(各2時間), 1回2時間を5回, 計3日."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from knowledge.figures.types import Dimension, Figure

_TOTAL_BEFORE = re.compile(
    r"(?:合計|総計|累計|小計|計|総額|全部で|全体で|併せて|合わせて|あわせて|足して|足すと|トータル|通算|延べ|のべ|締めて|しめて|=)"
    r"(?:で|は|が|して|すると|:|\s|約|にして){0,3}$"
)
_RANGE = re.compile(r"\s?(?:から|~|-|ないし|か|または|又は)、?\s?")
_ONE_OF_THEM = re.compile(r"どちら|どっち|いずれ(?!も)|の差|違い|比べ|引い|引く|マイナス|ではなく|じゃなく|でなく")
_THING = r"[一-龠々ァ-ヶーa-z0-9()]"
_PLUS = re.compile(
    rf"(?:円|分)?\)?(?:\s?(?:\+|プラス|足す|たす)\s?{_THING}{{0,8}}(?:[がでにはを]|費用)?"
    rf"|(?:と|や|及び|および|並びに)、?(?!(?:今|前|昨|去|来|隣|他|上限|予算))(?:それに|あと|さらに)?{_THING}{{0,8}}[がでにはをも]?"
    rf"|(?:に|の(?:ほか|他)に?|に加え(?:て)?|にプラス(?:して)?|のうえ)、?(?!(?:今|前|昨|去|来|隣|上限))(?:さらに|あと)?{_THING}{{0,8}}[がでを]?"
    rf"|[、。,]?\s?(?:で、?)?(?:(?:それ|これ)(?:に|と)|あと(?:は|で)?|さらに|ほかに|他に|加えて|プラス|プラスで|残り(?:は|が)?|続けて)、?{_THING}{{0,8}}[がではにをも]?"
    rf"|[、,\s](?:初回|次回?|[0-9][年回]目|オンライン|リモート|現地|対面|訪問|web|zoom|後半|前半|事前|事後){_THING}{{0,6}}[がではにを]?"
    rf"|[、,]{_THING}{{0,8}}(?:費|料|代|金|委託)[がではに]?)"
)
_ADDED_AFTER = re.compile(r"(?:円)?を?(?:足|加え|追加|上乗せ|プラス|たし)")
_NEEDS_ADDED = re.compile(rf"(?:円)?に(?!加え)、?(?:さらに|あと)?{_THING}{{0,8}}[がでを]?")
_TIMES = re.compile(
    rf"\s?(?:間|分)?\s?\)?(?:の{_THING}{{1,8}})?(?:を|ずつを?|[×x*]|かける|掛ける|の|が|も|、?これを)?\s?(?:計|全|年)?"
)
_BY_SIGN = re.compile(r"\s?\)?(?:を|の)?(?:[×x*]|かける|掛ける)\s?")
_EACH_BEFORE = re.compile(r"(?:各回?|それぞれ|毎回|1回(?:あたり|当たり)?|ずつ)(?:に|は|が|\s)?$")
_EACH_BETWEEN = re.compile(
    r"(?:で|を|、|,|\(|:|\s|とも|に|は|して|訪問|派遣|支援){0,3}(?:各回?|それぞれ|毎回)(?:に|は|が|\s)?"
)
_SPREAD = re.compile(r"(?:に|で|へ|それぞれ|、){0,3}")
_PER_UNIT = re.compile(r"(?:あたり|当たり|当り|につき|に付き|ごとに|の(?:支援|派遣|面談|会議)|に|は|が|で|、|\s)*")
_MONTHLY = re.compile(
    r"(?:毎月|各月|月々|月額|(?<![0-9今来先々翌毎各かヶカヵケ箇個一二三四五六七八九十])月)(?:に|で|は|あたり|\s)?$"
)
_WEEKLY = re.compile(r"(?:毎週|各週|毎日|(?<![0-9今来先々翌毎各隔数一二三四五六七八九十])週)(?:に|で|は|あたり|\s)?$")
_YEARLY = re.compile(r"(?:毎年|年額|(?<![0-9今来去昨前半々一二三四五六七八九十])年)(?:に|で|は|\s)?$")
_PART_OF_IT = re.compile(rf"(?:[(のそ]うち|[(、]内)、?{_THING}{{0,8}}[がはに]?$")
_PLACES = re.compile(r"(?:[かヶケカヵ箇個]所|地域|地区|拠点|事業|施設|校|社|者|台|個|つ|倍|組)$")
_PLACES_KEPT = 6  # 100分を6回 is 10 hours, and not a trifle more
_LISTS = frozenset({"、", "と", " ", ",", "、と"})
_NEAR = 3  # figures around so much each, among which its number of times is looked for

_COUNTS_OFF = {
    Dimension.TIME: frozenset[Dimension](),
    Dimension.DAY: {Dimension.TIME},
    Dimension.HOUR: {Dimension.TIME, Dimension.DAY},
    Dimension.YEN: {Dimension.TIME, Dimension.OTHER, Dimension.CASE, Dimension.PEOPLE, Dimension.MUNICIPALITY},
}
"""What may be counted off: an hour is not multiplied by people, an amount is."""
_ADDED_UP = frozenset(_COUNTS_OFF) | {Dimension.MONTH, Dimension.MUNICIPALITY, Dimension.PEOPLE, Dimension.CASE}
"""What can be added: not values of an index, shares, or things with different counters."""


@dataclass(frozen=True)
class _Item:
    """A figure times how often it is meant, and the part of the text that says both. `value` None: it is not known.

    `multiplied` tells that the text says how often.
    """

    start: int
    end: int
    value: Decimal | None
    multiplied: bool = False


def total(figures: Sequence[Figure], text: str, dimension: Dimension) -> Decimal | None:
    """The one value that the figures of a dimension come to: their sum, product, or the total that is written.

    One figure alone is its own total. None where there is none, or where it cannot be known: alternatives
    (5か6時間), so much each without the number of times (1回4時間), figures that nothing adds up.
    """
    own = [(place, figure) for place, figure in enumerate(figures) if figure.dimension is dimension]
    if any(_RANGE.fullmatch(text, first.end, second.start) for (_, first), (_, second) in itertools.pairwise(own)):
        return None
    for _, figure in reversed(own):
        if _TOTAL_BEFORE.search(text, max(0, figure.start - 12), figure.start):
            return figure.value
    items = [
        _item(place, figures, text)
        for place, figure in own
        if not _PART_OF_IT.search(text, max(0, figure.start - 12), figure.start)
    ]
    values = [item.value for item in items if item.value is not None]
    if not values or len(values) < len(items):
        return None
    if len(values) == 1:
        return values[0]
    return _sum(items, values, text) if dimension in _ADDED_UP else None


def _sum(items: Sequence[_Item], values: Sequence[Decimal], text: str) -> Decimal | None:
    before_last = sum(values[:-1], Decimal(0))
    if values[-1] == before_last and re.search(r"[で=]|^の$", text[items[-2].end : items[-1].start]):
        return before_last  # 2時間を5回で10時間, 2市1町の3団体
    if _ONE_OF_THEM.search(text, items[0].start, _end_of_sentence(text, items[-1].end)):
        return None
    joined = all(_adds(text, first, second) for first, second in itertools.pairwise(items))
    return round(before_last + values[-1], _PLACES_KEPT) if joined else None


def _end_of_sentence(text: str, at: int) -> int:
    end = text.find("。", at)
    return end if end >= 0 else len(text)


def _adds(text: str, first: _Item, second: _Item) -> bool:
    between = text[first.end : second.start]
    if first.multiplied and second.multiplied and between in _LISTS:
        return True  # 150分が2回、60分が3回
    if _NEEDS_ADDED.fullmatch(between):
        return bool(_ADDED_AFTER.match(text, second.end))
    return bool(_PLUS.fullmatch(between)) or "合計" in text[second.end : second.end + 4]


def _item(place: int, figures: Sequence[Figure], text: str) -> _Item:
    """A figure with the number of times beside it."""
    figure = figures[place]
    before = figures[place - 1] if place else None
    following = figures[place + 1] if place + 1 < len(figures) else None
    if before and _is_per_unit(before, figure, text):
        near = (*figures[place + 1 : place + 1 + _NEAR], *figures[max(0, place - 1 - _NEAR) : place - 1][::-1])
        count = next((other for other in near if other.dimension is before.dimension), None)
        return _times(figure, count, before) if count and not _period(count, text) else _unknown(before, figure)
    if period := _period(figure, text):
        is_repeated = following and following.dimension is period and _repeats(text, figure, following)
        return _times(figure, following) if following and is_repeated else _unknown(figure, figure)
    if following and _counts_off(following, figure, text) and _period(following, text):
        return _unknown(figure, following)  # 2時間を週1回
    is_each = _EACH_BEFORE.search(text, max(0, figure.start - 8), figure.start) or text.startswith("ずつ", figure.end)
    if following and _multiplies(text, figure, following, is_each=bool(is_each)):
        return _times(figure, following)
    if before and _spreads(text, before, figure):
        return _times(figure, before)
    return _unknown(figure, figure) if is_each else _Item(figure.start, figure.end, figure.value)


def _unknown(first: Figure, last: Figure) -> _Item:
    return _Item(first.start, last.end, None)


def _times(figure: Figure, count: Figure, unit: Figure | None = None) -> _Item:
    spans = [figure, count, *([unit] if unit else [])]
    return _Item(
        min(f.start for f in spans), max(f.end for f in spans), round(figure.value * count.value, _PLACES_KEPT), True
    )


def _period(figure: Figure, text: str) -> Dimension | None:
    """What a figure is meant for each of: 月400万 for a month. 年 only with money: 年3回 is a count of its own."""
    if figure.dimension not in _COUNTS_OFF:
        return None
    place = max(0, figure.start - 5), figure.start
    if _MONTHLY.search(text, *place):
        return Dimension.MONTH
    if _WEEKLY.search(text, *place):
        return Dimension.NUMBER
    return Dimension.OTHER if figure.dimension is Dimension.YEN and _YEARLY.search(text, *place) else None


def _counts_off(count: Figure, figure: Figure, text: str) -> bool:
    """Whether so many times a figure may be meant: times, places, bodies."""
    if count.dimension is Dimension.OTHER and not _PLACES.search(text, count.start, count.end):
        return False
    return count.dimension in _COUNTS_OFF.get(figure.dimension, ())


def _is_per_unit(unit: Figure, figure: Figure, text: str) -> bool:
    """Whether it says how much each is: 1回2時間, 1か所につき2000万."""
    is_beside = _PER_UNIT.fullmatch(text, unit.end, figure.start)
    return unit.value == 1 and bool(is_beside) and _counts_off(unit, figure, text)


def _repeats(text: str, figure: Figure, count: Figure) -> bool:
    is_beside = figure.end < count.start or count.dimension is Dimension.TIME  # 24時間365日 is no product
    return is_beside and bool(_TIMES.fullmatch(text, figure.end, count.start))


def _multiplies(text: str, figure: Figure, count: Figure, *, is_each: bool) -> bool:
    between = text[figure.end : count.start]
    if text.startswith(("に分", "にわけ"), count.end):
        return False  # 2日と1日の2回に分けて
    if _BY_SIGN.fullmatch(between) and count.dimension in (Dimension.NUMBER, Dimension.MONTH):
        return True
    if text.startswith("倍", count.end - 1) and between == "の":
        return True
    if not _counts_off(count, figure, text):
        return False
    if not between and figure.value == 1 and figure.dimension is Dimension.DAY:
        return False  # 1日2回: how often on a day
    is_stay = "泊" in text[figure.start : figure.end]
    return _repeats(text, figure, count) or (between in ("で", "、") and is_each) or (between == "で" and is_stay)


def _spreads(text: str, count: Figure, figure: Figure) -> bool:
    """Whether a count stands before what it multiplies: 4回(各2時間), 5×2時間, 3か所に2000万ずつ."""
    between = text[count.end : figure.start]
    if count.dimension is Dimension.NUMBER:
        return bool(_BY_SIGN.fullmatch(between))
    if not _counts_off(count, figure, text):
        return False
    is_each = text.startswith("ずつ", figure.end) and _SPREAD.fullmatch(between)
    return bool(is_each or _EACH_BETWEEN.fullmatch(between) or _BY_SIGN.fullmatch(between))
