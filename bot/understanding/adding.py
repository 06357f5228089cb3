"""An amount that a message puts on top of the one before, or takes off it: あとオンラインで2日足したい."""

from decimal import Decimal

from bot.types import Conversation
from bot.understanding.message import Message, read_message
from knowledge.figures import Dimension, Figure

_OF_UNIT = {"yen": Dimension.YEN, "day": Dimension.DAY, "hour": Dimension.HOUR}
_BESIDE = ("それと", "それに", "あと", "ほかに", "他に", "別に", "加えて", "プラス")
"""Words with which a sentence begins whose figure comes on top of what was said before it."""
_ON_TOP = ("あと", "もう", "さらに", "プラス", "追加で", "加えて", "別に", "余分に")
_TO = ("に", "へ", "まで")
_NEAR = 12
"""Characters before or after a figure in which it is said that it comes on top."""


def amount_with_what_is_added(message: Message, before: Conversation) -> Decimal | None:
    """What the amount of the question before comes to; None where nothing is put on top of it or taken off."""
    if before.amount is None or before.amount_unit not in _OF_UNIT:
        return None
    dimension = _OF_UNIT[before.amount_unit]
    if figure := _only(message, dimension):
        change = _sign(message, figure) * figure.value
    elif times := _only(message, Dimension.TIME):
        change = _sign(message, times) * times.value * _length_of_each(message, before, dimension)
    else:
        return None
    return before.amount + change if change else None


def adds_the_other_way_to_meet(message: Message, before: Conversation) -> bool:
    """Whether hours come on top of days (T13), or days on top of hours."""
    other = {"day": Dimension.HOUR, "hour": Dimension.DAY}.get(before.amount_unit or "")
    figure = _only(message, other) if other and before.amount is not None else None
    return figure is not None and _sign(message, figure) > 0


def _only(message: Message, dimension: Dimension) -> Figure | None:
    figures = [figure for figure in message.figures if figure.dimension is dimension]
    return figures[0] if len(figures) == 1 else None


def _sign(message: Message, figure: Figure) -> int:
    """1 where a figure comes on top, -1 where it is taken off, 0 where it is the whole (3日に増やす)."""
    if message.text.startswith(_TO, figure.end):
        return 0
    end = min(figure.end + _NEAR, message.clause_at(figure.start).end)
    if message.says("fewer_than", start=figure.end, end=end):
        return -1
    on_top = message.text[max(0, figure.start - _NEAR) : figure.start].rstrip()
    added = message.says("more_than", start=figure.end, end=end)
    beside = message.text.startswith(_BESIDE, message.clause_at(figure.start).start)
    return 1 if added or beside or any(word in on_top for word in _ON_TOP) else 0


def _length_of_each(message: Message, before: Conversation, dimension: Dimension) -> Decimal:
    """How long each of several meetings is that made up the amount before (2時間を4回); 0 where it was not put so."""
    asked = read_message(before.question, message.as_of)
    length, times = _only(asked, dimension), _only(asked, Dimension.TIME)
    return length.value if length and times and length.value * times.value == before.amount else Decimal(0)
