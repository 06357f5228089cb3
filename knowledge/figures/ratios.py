"""Numbers without a counter, among them values of the financial strength index: 0.98, .87, 零点七, 0,45, 一を超える."""

import re

from knowledge.figures.numbers import KANJI, Number
from knowledge.figures.qualifying import BOUND_AFTER
from knowledge.figures.rules import rule
from knowledge.figures.types import Dimension

_TOO_LARGE = 10**9  # a telephone or a personal number
_INDEX_BEFORE = re.compile(r"(?:指数|財政力|力)[^。0-9]{0,6}$")
_CERTAIN_AFTER = re.compile(rf"\s?(?:ちょうど|丁度|ぴったり|ジャスト|{BOUND_AFTER})")
_IN_A_CHAIN = re.compile(r"[0-9][/.]$")
_CHAIN_AFTER = re.compile(r"[/.][0-9]")
_HYPHENS = re.compile(r"[0-9]-$"), re.compile(r"-[0-9]")
_KANJI_OR_KANA = re.compile(r"[一-龠々ァ-ヶー]")


def _stands_alone(text: str, number: Number) -> bool:
    """Whether the number is one by itself, and not a part of a word, a code or another number."""
    before, after = text[max(0, number.start - 12) : number.start], text[number.end : number.end + 12]
    if number.in_kanji:
        if any(scale in number.written for scale in "万億兆半") or re.search(KANJI, before[-1:] + after[:1]):
            return False
        if _INDEX_BEFORE.search(before) or _CERTAIN_AFTER.match(after):
            return not _KANJI_OR_KANA.match(after) or bool(_CERTAIN_AFTER.match(after))
        return len(number.written) > 1 and not _KANJI_OR_KANA.search(before[-1:] + after[:1])
    if number.value >= _TOO_LARGE or re.match(r"0[0-9]", number.written):
        return False
    if "." not in number.written and (_HYPHENS[0].search(before) or _HYPHENS[1].match(after)):
        return False  # 2-1 is an address, 0.5-0.6 a range
    return not (_IN_A_CHAIN.search(before) or _CHAIN_AFTER.match(after))


RULES = (rule(Dimension.NUMBER, "<>", admits=_stands_alone),)
