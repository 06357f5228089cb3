"""What a message supposes to come about, and does not say is so (推薦がもらえたら, 市町村を増やせれば)."""

from collections.abc import Iterator

from bot.understanding.message import Clause, Message
from knowledge.lexicon import Token

_E_ROW = tuple("えけげせぜてでねへべぺめれ")
_O_STEM = "うくぐすつぬぶむ"
"""What verbs end in whose potential form ends in a kana of the e-row (貰う, もらえ)."""


def supposed_spans(message: Message) -> Iterator[tuple[int, int]]:
    """The stretches of clauses that end in たら, ば or なら after what may or may not be had, or after もし."""
    for before, token in zip(message.tokens, message.tokens[1:], strict=False):
        if token.surface not in ("たら", "だら", "ば", "なら"):
            continue
        clause = message.clause_at(before.start)
        attained = message.says("attained", start=before.start, end=before.end)
        if attained or _is_potential(before, token) or message.says("if", start=clause.start, end=before.start):
            yield clause.start, token.end


def founded_where(message: Message) -> Iterator[tuple[Clause, str]]:
    """The clauses that tell of a body whose founding is under way, which is only supposed, with what is awaited."""
    for founds in message.saying("founds"):
        clause = message.clause_at(founds.start)
        if message.says("pending", start=founds.end, end=clause.end):
            yield clause, message.text[founds.start : founds.end]


def _is_potential(verb: Token, following: Token) -> bool:
    """Whether a verb says what can be had: られる, もらえ(たら) of 貰う, 増やせれ(ば) of 増やす, not 増やせ(ば)."""
    stem = verb.surface if following.surface in ("たら", "だら") else verb.surface[:-1]
    return verb.key == "られる" or (verb.pos == "動詞" and stem.endswith(_E_ROW) and verb.key[-1] in _O_STEM)


def ends_on_a_case(message: Message) -> bool:
    """Whether a message breaks off with the case that it puts: NPOだと?, 2回目の県だったら?"""
    return message.text.rstrip("?。").endswith(("は", "なら", "だと", "場合", "だったら"))
