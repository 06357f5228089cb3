"""Tells in which language an answer is wanted, and reads an English question as a Japanese one."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.types import Inquiry
from bot.understanding.towns import INDEX_TAPS, known_towns, namesake_choices
from knowledge.catalog import Catalog
from knowledge.languages import load_glossary
from knowledge.types import Fact, Language

_WISHES: Mapping[str, Language | None] = {
    r"(?:やさしい|易しい|優しい)(?:日本語|にほんご|ニホンゴ)": "easy",
    "英語": "en",
    r"(?:ふつう|普通)の(?:日本語|にほんご)": None,
}
"""What somebody names who wants another language; None is plain Japanese again."""

_ASKED_SO = (
    r"(?:(?:で|に)(?![のもはき])(?:して|答えて|教えて|説明して)?(?:ください|下さい|お願いします|おねがいします)?|$)"
)

_IN_ENGLISH = r"\bin (?:plain )?english(?: please)?\b"

_SAID_SO: tuple[tuple[str, Language | None], ...] = (
    *((f"{names}{_ASKED_SO}", language) for names, language in _WISHES.items()),
    (_IN_ENGLISH, "en"),
)

_MARKS_BEFORE = r"(?:(?<![、。(])[、。(]++)?"
"""All the marks that stand there, from the first on: a long row of them is gone through once."""

_KANA = re.compile(r"[ぁ-ゖァ-ヺ]")
_JAPANESE = re.compile(r"[ぁ-ゖァ-ヺ一-龠]+")
_MONEY = re.compile(r"(?:¥|jpy )?\s?(\d[\d,]*(?:\.\d+)?) ?(thousand|million|billion)? ?(?:yen|jpy)\b")
_TIMES = {"": 1, "thousand": 10**3, "million": 10**6, "billion": 10**9}
_LENGTH = re.compile(r"\b(\d+) ?(days?|hours?)\b")
_UNITS = {"d": "日", "h": "時間"}
_DAY = re.compile(r"\b(20\d\d)-(\d\d?)-(\d\d?)\b")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Wish:
    """A message of which the answer is wanted in a language, as it is then read; an empty text asks nothing.

    Without a language plain Japanese is wanted again. `read_as` is the Japanese that English was read as.
    """

    language: Language | None
    inquiry: Inquiry
    read_as: str = ""


def read_wish(inquiry: Inquiry, catalog: Catalog) -> Wish | None:
    """The wish for an answer in another language, of this message or of an earlier one; None for plain Japanese."""
    before = inquiry.conversation
    text, language = inquiry.text, before.language
    for words, wished in _SAID_SO:
        rest = re.sub(f"{_MARKS_BEFORE}(?:{words})[。)]*", "", text, flags=re.I).strip(" 、。")
        if rest != text.strip(" 、。"):
            return Wish(wished, replace(inquiry, text=rest or before.question))
    if _is_english(text) or (language == "en" and (not _JAPANESE.search(text) or _reply(inquiry, catalog))):
        read = _reply(inquiry, catalog) or _in_japanese(text.lower())
        return Wish("en", replace(inquiry, text=read), read)
    return Wish("easy", inquiry) if language == "easy" else None


def _is_english(text: str) -> bool:
    words = re.findall(r"[a-z]+(?:'[a-z]+)?", text.lower())
    return not _KANA.search(text) and len(words) > 1 and not set(words).isdisjoint(load_glossary().plain)


def _reply(inquiry: Inquiry, catalog: Catalog) -> str:
    """The Japanese of a choice that was tapped, or of a bare figure; "" where a message is neither."""
    asked = inquiry.conversation.asked_for
    if _NUMBER.fullmatch(inquiry.text.strip()):
        return inquiry.text.strip()
    choices = catalog.facts[asked].choices if asked else ()
    if asked is Fact.FISCAL_INDEX:
        choices = (*INDEX_TAPS, *namesake_choices(known_towns(inquiry.conversation)))
    said = inquiry.text.strip().lower()
    return next((choice.label for choice in choices if (choice.label_en or choice.label).lower() == said), "")


def _in_japanese(text: str) -> str:
    """What English asks, put together sentence by sentence from what the glossary knows; "" where it knows nothing."""
    sentences = filter(None, map(_sentence_in_japanese, re.split(r"(?<=[?.!])\s+", text)))
    return "。".join(sentences)


def _sentence_in_japanese(text: str) -> str:
    glossary = load_glossary()
    names = (*_JAPANESE.findall(text), *_found(glossary.programs, text))
    asks = _found(glossary.asks, text)
    turned = any(re.search(rf"\b{re.escape(word)}\b", text) for word in glossary.turns)
    facts = () if turned else (*_found(glossary.facts, text), *_figures(text, glossary.index))
    return "、".join((*dict.fromkeys(names), *dict.fromkeys(facts), *asks[:2]))


def _found(entries: Mapping[str, Sequence[str]], text: str) -> tuple[str, ...]:
    """The Japanese of the phrases of a text; a longer phrase goes before one that it contains."""
    taken: list[tuple[int, int, str]] = []
    phrases = sorted(((p, japanese) for japanese, ps in entries.items() for p in ps), key=lambda pair: -len(pair[0]))
    for phrase, japanese in phrases:
        for match in re.finditer(rf"(?<![\w-]){re.escape(phrase)}s?(?![\w-])", text):
            if all(match.end() <= start or end <= match.start() for start, end, _ in taken):
                taken.append((*match.span(), japanese))
    return tuple(dict.fromkeys(japanese for *_, japanese in sorted(taken)))


def _figures(text: str, index: Sequence[str]) -> Iterator[str]:
    for match in _MONEY.finditer(text):
        yen = Decimal(match[1].replace(",", "")) * _TIMES[match[2] or ""]
        yield f"{yen.normalize():f}円"
    for match in _LENGTH.finditer(text):
        yield f"{match[1]}{_UNITS[match[2][0]]}"
    for match in _DAY.finditer(text):
        yield f"{match[1]}年{int(match[2])}月{int(match[3])}日"
    named = "|".join(map(re.escape, index))  # and no word between, for "below 1" is another figure than 1
    if given := re.search(rf"\b(?:{named})(?: (?:of|is|was|at))?[ :=]+({_NUMBER.pattern})(?![\d.]*\d)", text):
        yield f"財政力指数{given[1]}"
