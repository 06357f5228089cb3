"""Reads what a sentence claims: its figures, words, signs (以上, だけ, 場合 …) and what each is denied or said of.

Nothing is judged here; bot/reconciling.py compares the claims of a sentence with those of its sources.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from sudachipy import Morpheme, SplitMode

from knowledge.figures import read_number
from knowledge.words import open_tokenizer

Kind = Literal["figure", "word", "sign", "name", "quote"]


@dataclass(frozen=True)
class Token:
    """One thing that a sentence says.

    `form` is a figure with its counter in one writing (#100000000円, #2025年度), a word in its normal form or that of
    its group, the name of a sign, a program's id, or what stands in quotation marks (beside its words). `denied` tells
    that a negation reaches it. `role` is the particle that follows its phrase (が, は, と …), or how it is asserted:
    です, し、 (it goes on), なら or のは (伴走するのは). `place` is where it stands in the text. `attributive` says
    that it only describes what follows it (選ばれた都道府県, 申請準備).
    """

    kind: Kind
    form: str
    place: int
    denied: bool = False
    role: str = ""
    attributive: bool = False


Phrase = tuple[re.Pattern[str], tuple[str, ...]]
"""A pattern, and the forms of the tokens that it stands for."""


@dataclass(frozen=True)
class Paraphrases:
    """What says the same in this field, and what says nothing (paraphrases.yaml)."""

    before_figures: tuple[Phrase, ...]
    after_figures: tuple[Phrase, ...]
    groups: Mapping[str, str]
    narrower: Mapping[str, frozenset[str]]
    silent: frozenset[str]
    empty_predicates: frozenset[str]
    qualifiers: frozenset[str]
    sensitive: frozenset[str]


@cache
def paraphrases() -> Paraphrases:
    """The table, read once."""
    content: dict[str, Any] = yaml.load(
        Path(__file__).with_name("paraphrases.yaml").read_text("utf-8"), yaml.CSafeLoader
    )

    def phrases(entries: list[dict[str, list[str]]]) -> tuple[Phrase, ...]:
        return tuple(
            (re.compile("|".join(patterns)), tuple(forms.split()))
            for entry in entries
            for forms, patterns in entry.items()
        )

    groups = {word: group for group, words in content["groups"].items() for word in (group, *words)}
    return Paraphrases(
        before_figures=phrases(content["before_figures"]),
        after_figures=phrases(content["after_figures"]),
        groups=groups,
        narrower={word: frozenset(wider) for word, wider in content["narrower"].items()},
        silent=frozenset(content["silent"]),
        empty_predicates=frozenset(content["empty_predicates"]),
        qualifiers=frozenset(content["qualifiers"]),
        sensitive=frozenset(content["sensitive"]),
    )


_DIGITS = r"\d[\d,]*(?:\.\d+)?"
_KANJI = r"[〇零一二三四五六七八九十百千]+"
_COUNTERS = {
    "円": "円",
    "日間": "日",
    "日": "日",
    "時間": "時間",
    "分間": "分",
    "週間": "週間",
    "週": "週間",
    "か月": "か月",
    "ヶ月": "か月",
    "カ月": "か月",
    "ケ月": "か月",
    "ヵ月": "か月",
    "箇月": "か月",
    "年度": "年度",
    "年間": "年",
    "年目": "年目",
    "年": "年",
    "月": "月",
    "回目": "回目",
    "回": "回",
    "度目": "回目",
    "度": "回",
    "人": "人",
    "名": "人",
    "件": "件",
    "割": "割",
    "%": "%",
    "パーセント": "%",
    "倍": "倍",
    "つ": "",
    "個": "",
    "社": "社",
    "者": "者",
    "位": "位",
    "点": "点",
    "歳": "歳",
    "時": "時",
    "期": "期",
    "次": "次",
    "番": "番",
    "泊": "泊",
}
_COUNTER = "|".join(sorted(map(re.escape, _COUNTERS), key=len, reverse=True))
_FIGURE = re.compile(
    rf"(?P<era>令和|平成|昭和)\s?(?P<era_year>元|{_DIGITS}|{_KANJI})\s?(?P<era_counter>年度|年)"
    rf"|(?P<large>(?:(?:{_DIGITS}|{_KANJI})\s?[億万兆]\s?)+(?:{_DIGITS}|{_KANJI})?)\s?(?P<large_counter>{_COUNTER})?"
    rf"|(?P<digits>{_DIGITS})\s?(?P<counter>{_COUNTER})?"
    rf"|(?:(?<![一-龠])|(?<=[年約計各全]))(?P<kanji>{_KANJI})(?P<kanji_counter>{_COUNTER})"
)
_ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925}
_NOT_A_FIGURE = re.compile(
    r"一(?:度に|回り|時的|人ひとり|人一人|日も早く|つひとつ|つ一つ|部|般|緒|定|律|方|体|切|層)|十分|万一|千葉|四国|三重"
)


def _figures(text: str) -> Iterator[tuple[int, int, str]]:
    """Figures with their counter in one writing, and where each stands."""
    for match in _FIGURE.finditer(text):
        if _NOT_A_FIGURE.match(text, match.start()):
            continue
        if match["era"]:
            number = Decimal(1) if match["era_year"] == "元" else read_number(match["era_year"])
            value = None if number is None else number + _ERAS[match["era"]]
            counter = match["era_counter"]
        elif match["large"]:
            value, counter = read_number(re.sub(r"\s", "", match["large"])), match["large_counter"] or "円"
        else:
            value = read_number(match["digits"] or match["kanji"])
            counter = match["counter"] or match["kanji_counter"] or ""
        written = match[0] if value is None else f"{value.normalize():f}"
        yield match.start(), match.end(), f"#{written}{_COUNTERS.get(counter, counter)}"


_NEGATIONS = frozenset({"ない", "無い", "ず", "ぬ", "まい", "無し", "なし"})
_NEGATING_PREFIXES = frozenset({"非", "不", "未", "無"})
_UNDENIABLE = frozenset({"COND", "OR", "AND", "FROM", "APPROX", "NOT_ONLY", "CAN"})
_LIGHT = frozenset({"助詞", "助動詞", "補助記号", "空白", "接続詞"})
_LIGHT_VERBS = frozenset(
    [
        "有る",
        "居る",
        "成る",
        "為る",
        "貰う",
        "頂く",
        "呉れる",
        "下さる",
        "来る",
        "行く",
        "置く",
        "見る",
        "仕舞う",
        "出来る",
        "得る",
        "欲しい",
        "上げる",
        "遣る",
        "仰る",
        "致す",
        "御座る",
    ]
)


def read_claims(text: str, names: Mapping[str, str]) -> tuple[Token, ...]:
    """What a text says, in order.

    Args:
        text: a sentence or a part of one, normalised.
        names: program ids by each way of writing a program's name, normalised.
    """
    spans = _spans(text, names)
    covered = frozenset(place for start, end, _ in spans for place in range(start, end))
    tokens: list[Token] = [token for _, _, found in spans for token in found]
    negations: list[int] = []
    prefixes: list[int] = []
    after_a_place = False
    for morpheme in open_tokenizer().tokenize(text, SplitMode.A):
        of_a_place, after_a_place = after_a_place, morpheme.part_of_speech()[2] == "地名"
        if morpheme.begin() in covered or (of_a_place and morpheme.surface() in _KINDS_OF_PLACE):
            continue
        form = morpheme.normalized_form()
        if _negates(morpheme, form):
            negations.append(morpheme.begin())
        elif morpheme.part_of_speech()[0] == "接頭辞" and form in _NEGATING_PREFIXES:
            prefixes.append(morpheme.begin())
        elif _says_something(morpheme, form):
            names_a_place = after_a_place and text[morpheme.end() : morpheme.end() + 1] in _KINDS_OF_PLACE
            attributive = not names_a_place and bool(_ATTRIBUTIVE.match(text, morpheme.end()))
            word = paraphrases().groups.get(form, form)
            tokens.append(Token("word", word, morpheme.begin(), attributive=attributive))
    tokens += [Token("quote", match[1], match.start()) for match in _QUOTE.finditer(text)]
    tokens.sort(key=lambda token: token.place)
    for place in negations:
        _deny(tokens, [i for i, token in enumerate(tokens) if token.place < place][::-1])
    for place in prefixes:
        _deny(tokens, [i for i, token in enumerate(tokens) if token.place > place])
    return tuple(_with_role(token, text) for token in _without_restricted_denials(tokens, text))


_QUOTE = re.compile(r"「([^」]{5,})」")
"""Shorter ones only set off a word (「以上」)."""

_KINDS_OF_PLACE = frozenset("都道府県市町村区")
"""After a place's name these say nothing of municipalities: 島根県飯南町."""


def _negates(morpheme: Morpheme, form: str) -> bool:
    return form in _NEGATIONS and morpheme.part_of_speech()[0] in ("助動詞", "形容詞", "名詞", "接尾辞")


def _says_something(morpheme: Morpheme, form: str) -> bool:
    return morpheme.part_of_speech()[0] not in _LIGHT and form not in _LIGHT_VERBS


def _deny(tokens: list[Token], order: Iterable[int]) -> None:
    for index in order:
        if tokens[index].form not in _UNDENIABLE and tokens[index].kind != "quote":
            tokens[index] = replace(tokens[index], denied=not tokens[index].denied)
            return


def _without_restricted_denials(tokens: list[Token], text: str) -> Iterator[Token]:
    """しか … ない says "only", and denies nothing."""
    only = text.find("しか")
    lifted = False
    for token in tokens:
        if only >= 0 and not lifted and token.denied and token.place > only:
            lifted = True
            yield replace(token, denied=False)
        else:
            yield token


def _spans(text: str, names: Mapping[str, str]) -> list[tuple[int, int, tuple[Token, ...]]]:
    """Names, figures and phrases that the table knows, longest reading first, not overlapping."""
    found: list[tuple[int, int, tuple[Token, ...]]] = []
    covered: set[int] = set()

    def take(start: int, end: int, tokens: tuple[Token, ...]) -> None:
        if covered.isdisjoint(range(start, end)):
            covered.update(range(start, end))
            found.append((start, end, tokens))

    for name in sorted(names, key=len, reverse=True):
        for match in re.finditer(re.escape(name), text):
            take(match.start(), match.end(), (Token("name", names[name], match.start()),))

    def take_phrases(phrases: tuple[Phrase, ...]) -> None:
        for pattern, forms in phrases:
            for match in pattern.finditer(text):
                take(match.start(), match.end(), _of_phrase(forms, match.start()))

    take_phrases(paraphrases().before_figures)
    for start, end, form in _figures(text):
        take(start, end, (Token("figure", form, start),))
    take_phrases(paraphrases().after_figures)
    return found


def _of_phrase(forms: tuple[str, ...], place: int) -> tuple[Token, ...]:
    """The tokens of a phrase; "-" before a form means that the phrase denies it, a capital name is a sign."""
    return tuple(
        Token("sign" if bare.isupper() else "word", bare, place, denied=bare != form)
        for form in forms
        if (bare := form.lstrip("-")) != "SILENT"
    )


_ATTRIBUTIVE = re.compile(
    r"(?:[ぁ-ん]{0,6}(?:た|る|う|く|す|つ|む|ぬ|ぐ|ない))?"
    r"(?!必要|義務|条件|場合|段階|制度|事業|形|際|時)[一-龠ァ-ヶa-z0-9]"
)
_PARTICLE = re.compile(
    r"(?!です|でし|であ|でな|だ)(?:[にで](?=[はも])([はも])|(から|まで|より|[がはをにとでへのもかや]))"
)


_PREDICATES = {
    "なら": re.compile(r"なら|であれば"),
    "です": re.compile(r"です|でし(?:た|ょ)"),
    "し、": re.compile(r"(?:し|[ぁ-ん]?(?:て|り|き|み|い|え|け|め|べ|せ))、"),
    "のは": re.compile(r"(?:する|し(?:た|てい?る)|[ぁ-ん]{0,3}[るたうくすつむぶぐ])の(?:は|が)"),
}
"""How it goes on behind a word that is asserted, or of whom it is asserted."""


def _with_role(token: Token, text: str) -> Token:
    """Finds the particle after the phrase that a token belongs to."""
    if token.kind in ("sign", "quote"):
        return token
    rest = re.match(r"[一-龠々ァ-ヶーa-z0-9,.%]*(?:など|等|たち)?", text[token.place :])
    after = text[token.place + (rest.end() if rest else 0) :]
    for role, pattern in _PREDICATES.items():
        if pattern.match(after):
            return replace(token, role=role)
    particle = _PARTICLE.match(after)
    return replace(token, role=(particle[1] or particle[2]) if particle else "")
