"""Money in whole yen: 8,000万円, 八千万, 48,000千円, ¥5,000,000. A number with 万 or 億 and no counter is money."""

import re
from decimal import Decimal

from knowledge.figures.numbers import Number
from knowledge.figures.rules import rule
from knowledge.figures.types import Dimension


def _whole(value: Decimal) -> Decimal:
    return value.to_integral_value()


def _is_large(_text: str, number: Number) -> bool:
    return any(scale in number.written for scale in "万億兆")


def _without_man(_text: str, number: Number) -> bool:
    return bool(re.search(r"億[0-9]{4}$", number.written))


RULES = (
    rule(Dimension.YEN, r"<>\s?円", _whole),
    rule(Dimension.YEN, r"<>", lambda value: value // 10**8 * 10**8 + value % 10**8 * 10**4, _without_man),  # 1億5000
    rule(Dimension.YEN, r"¥\s?<>(?:\s?円)?", _whole),
    rule(Dimension.YEN, r"<>\s?thousand\s?yen", lambda value: _whole(value * 10**3)),
    rule(Dimension.YEN, r"<>\s?million\s?yen", lambda value: _whole(value * 10**6)),
    rule(Dimension.YEN, r"<>\s?billion\s?yen", lambda value: _whole(value * 10**9)),
    rule(Dimension.YEN, r"(?<!人口)(?<!人口約)(?<!人口[がは])<>", _whole, _is_large),
)
