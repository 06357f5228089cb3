"""Figures and days as people write them."""

from datetime import date
from decimal import Decimal


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
