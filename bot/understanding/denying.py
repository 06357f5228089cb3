"""Whether words of a message are denied, or taken back for others in the same breath."""

import re

from bot.understanding.message import Message
from knowledge.figures import Figure
from knowledge.lexicon import Mention

_COUNTERS = "円日回時間件市町村"
_SAID_BEFORE = (
    "と思って",
    "と言いま",
    "と言って",
    "と書い",
    "と書き",
    "と記載",
    "と申し",
    "と伝え",
    "と聞いていましたが",
)
_IN_DIALECT = ("やのうて", "じゃのうて", "やなしに")
_CALLED_WRONG = ("計算違い", "見間違い", "書き間違い", "思い違い", "誤記", "打ち間違い", "記憶違い")


def denials(message: Message, start: int, end: int) -> int:
    """How often what stands between two characters is denied; ではないか? and ではなく deny nothing."""
    return sum(
        "no_denial" not in mention.concepts and not _is_rhetorical(message, mention)
        for mention in message.saying("deny", "not_so", "set_apart", start=start, end=end)
        if "set_apart" not in mention.concepts or _is_copular(message, mention)
    )


def _is_copular(message: Message, mention: Mention) -> bool:
    """Whether it is said that something is not so (ではない, じゃありません), and not that another is (ではなく)."""
    said = message.text[mention.start : mention.end]
    return said.startswith(("では", "じゃ")) and said.endswith(("ない", "ん"))


def is_denied(message: Message, start: int, end: int) -> bool:
    """Whether what stands there is denied on the whole: a denial of a denial affirms."""
    return denials(message, start, end) % 2 == 1


def _is_rhetorical(message: Message, mention: Mention) -> bool:
    """Whether a denial only asks for assent (市ではないか, 8月じゃない?)."""
    before = message.tokens[mention.first - 1] if mention.first else None
    if before is not None and before.key == "は" and mention.first > 1:
        before = message.tokens[mention.first - 2]
    after = [
        t for t in message.tokens[mention.last + 1 : mention.last + 4] if t.key not in ("です", "の", "でしょう", "う")
    ]
    return before is not None and before.key == "だ" and bool(after) and after[0].surface in ("か", "?")


def is_contrasted(message: Message, end: int) -> bool:
    """Whether what ends here is taken back for what follows: 0.9ではなく1.2, 市じゃなくて県, 0.9は誤り."""
    following = message.text[end : end + 16].lstrip(".")[:9]
    if following.startswith("→") and message.says("correct"):
        return True
    if following.lstrip(_COUNTERS).startswith(_SAID_BEFORE) or following.startswith(_IN_DIALECT):
        return True
    if any(word in following for word in _CALLED_WRONG):
        return True
    if following.lstrip("はがって").startswith(
        ("誤り", "間違い", "まちがい", "無し", "なしで", "撤回", "取消", "取り消")
    ) and not following.startswith("の"):
        return True
    return _is_turned(message, end)


def taken_back(message: Message) -> frozenset[Figure]:
    """The figures that are taken back, each where it stands or is said again (0.9です。0.9ではなく1.2でした)."""
    contrasted = {
        (figure.dimension, figure.value)
        for figure in message.figures
        if is_contrasted(message, figure.end) or _is_said_not_to_be(message, figure)
    }
    return frozenset(
        figure
        for figure in message.figures
        if (figure.dimension, figure.value) in contrasted or _is_followed_by_the_right_one(message, figure)
    )


def _is_followed_by_the_right_one(message: Message, figure: Figure) -> bool:
    alike = (other for other in message.figures if other.dimension is figure.dimension and other.start >= figure.end)
    following = next(alike, None)
    if following is None:
        return False
    return _turns_into(message, figure, following) or _is_put_right(message, figure.end, following.start)


def _turns_into(message: Message, figure: Figure, following: Figure) -> bool:
    """Whether a figure is changed into the one after it: 5日から見直して3日に."""
    changed = _CHANGED.match(message.text, figure.end, following.start)
    return changed is not None and message.text.startswith(("に", "へ"), following.end)


_CHANGED = re.compile(r"から(?:見直し|変更し|改め|直し|減らし|増やし|変え|し?て)")


def _is_said_not_to_be(message: Message, figure: Figure) -> bool:
    """Whether another figure is right, and this one is said not to be: 1.45です、0.85ではありません."""
    others = [o for o in message.figures if o.dimension is figure.dimension and o.value != figure.value]
    end = message.clause_at(figure.start).end
    denied = message.saying("deny", "not_so", "set_apart", start=figure.end, end=end)
    return bool(others and denied) and bool(_IS_NOT.fullmatch(message.text, figure.end, denied[0].end))


_IS_NOT = re.compile(rf"[{_COUNTERS}]*(?:では|じゃ)(?:ありません|あらへん|ない|なかった|ございません|無い)")


def puts_right(message: Message) -> bool:
    """Whether a message takes back something that it said itself: ありました、失礼、ないです."""
    return bool(message.says("correct") or _PUTS_RIGHT.search(message.text))


def _is_put_right(message: Message, start: int, end: int) -> bool:
    """Whether what stands between two figures puts the first right: 12時間、すみません10時間でした; 1.2、あ、0.2."""
    said = _PUTS_RIGHT.search(message.text, start, end)
    return said is not None and end - said.end() <= _A_NOUN


_PUTS_RIGHT = re.compile(
    r"[、。…]\s?(?:(?:あ(?:っ|れ)?[、。]?\s?)?(?:すみません|すいません|すんません|失礼(?:しました)?|訂正(?:します)?|もとい|ごめん(?:なさい)?"
    r"|間違え(?:まし)?た|間違い(?:です|でした)|違いました|やっぱり?|やはり|(?:じゃ|では?)なくて?|正しくは|実際は|いえ?(?=[、,\s]))[、。]?\s?|あ(?:っ|れ)?[、。]\s?)"
)
_A_NOUN = 8
"""Characters between words that put a figure right and the right one: すみません、指数は0.2でした."""


def _is_turned(message: Message, end: int) -> bool:
    """Whether ではなく or じゃなくて stands right after, a counter between them left out."""
    after = list(message.tokens_from(end, 5))
    while after and after[0].surface in ("円", "日", "回", "の", "市町村"):
        after.pop(0)
    keys = ["だ" if token.key == "や" else token.key for token in after[:3]]
    return (
        keys[:1] == ["だ"]
        and "無い" in keys
        and after[keys.index("無い")].surface in ("なく", "なくて", "無く", "なし")
    )
