"""Which of our programs a message is about: named, meant by what only one of them has, or that of the conversation."""

import re
from collections.abc import Iterable, Mapping
from functools import cache

from bot.types import Conversation
from knowledge.figures import normalize
from knowledge.rules.tables import known_subjects, rows_of, stated_subjects
from knowledge.types import Fact, Program, Subject, Unit

_SHARED = frozenset((Fact.APPLICANT_KIND, Fact.PARTNERSHIP))
"""What is said of oneself whatever is asked."""


def named_programs(text: str, programs: Iterable[Program], spoken_of: str, *, with_nicknames: bool) -> tuple[str, ...]:
    """The programs that a message names, in order of naming; where none is, the one that its longest nickname means.

    In a talk that is of a program (`spoken_of`) a nickname of two characters is taken for what else it says (計画).
    """
    programs, folded = tuple(programs), _folded(text)
    places = {
        program.id: found.start()
        for program in programs
        if (found := _finder(_names(program)).search(folded))
        or (with_nicknames and (found := _finder(program.nicknames).search(folded)))
    }
    if places:
        return tuple(sorted(places, key=lambda id: places[id]))
    nicknames = [
        (len(name), program.id)
        for program in programs
        for name in program.nicknames
        if _finder((name,)).search(folded) and (not spoken_of or len(name) > 2)
    ]
    return (max(nicknames)[1],) if nicknames else ()


def in_full(text: str, programs: Iterable[Program]) -> tuple[str, ...]:
    """Those of the programs that a text names otherwise than by a nickname."""
    folded = _folded(text)
    return tuple(program.id for program in programs if _finder(_names(program)).search(folded))


def name_spans(text: str, program: Program) -> tuple[tuple[int, int], ...]:
    """Where a program's names stand in a text, the longest at each place."""
    finder = _finder((*_names(program), *program.nicknames))
    return tuple(match.span() for match in finder.finditer(_folded(text)))


def _names(program: Program) -> tuple[str, ...]:
    """What a program is called, beside its nicknames."""
    return (program.name, program.short_name, *program.aliases)


@cache
def _finder(names: tuple[str, ...]) -> re.Pattern[str]:
    """Finds names of the catalog in a folded text, the longest at each place; it is made once."""
    return re.compile("|".join(re.escape(_folded(name)) for name in _written(names)) or "(?!)")


@cache
def _written(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names as a normalised text has them, the longest first."""
    return tuple(sorted(dict.fromkeys(map(normalize, names)), key=len, reverse=True))


_HIRAGANA = {katakana: katakana - 0x60 for katakana in range(ord("ァ"), ord("ヶ") + 1)}


def _folded(text: str) -> str:
    """The text with katakana as hiragana, of the same length: names are found in either."""
    return text.translate(_HIRAGANA)


def beside_names(text: str, programs: Iterable[Program]) -> str:
    """What a message says beside the names of programs, nicknames that only point to one, and what joins it to them."""
    programs = tuple(programs)
    text = _pointer(tuple(name for program in programs for name in program.nicknames)).sub("", text)
    for name in _written(tuple(name for program in programs for name in _names(program))):
        text = text.replace(name, "")
    matter = _JOINS_NAMES.sub("", text).strip()
    return "" if _SAYS_NOTHING.fullmatch(matter) else matter


@cache
def _pointer(nicknames: tuple[str, ...]) -> re.Pattern[str]:
    """Finds nicknames that stand for a program and say nothing of its matter: 計画のほう, 派遣の件, 計画、."""
    names = "|".join(map(re.escape, _written(nicknames))) or "(?!)"
    pointing = rf"(?:{names})の(?:ほう|方|やつ|件)(?:で|は|なん(?:だ|です)けど|について)?"
    alone = rf"(?:^|(?<=[ 。、?]))(?:{names})(?=[、 。]|$)"
    return re.compile(f"{pointing}|{alone}")


_JOINS_NAMES = re.compile(r"^[ 、。のではって]*(?:について|に関して|とは|という)?[のでは]?[、。 ]*")


_SAYS_NOTHING = re.compile(
    r"(?:の|ほう|方|は|なら|だと|だったら|では|も|どう|ですか|です|でした|なの|場合|じゃあ?|あっ?|えっと"
    r"|すみません|こと|件|[?。、 ])*"
)


def programs_in_mind(
    said: Mapping[Fact, str],
    unit: Unit | None,
    subjects: frozenset[Subject],
    shown: frozenset[Subject],
    before: Conversation,
    programs: Iterable[Program],
    *,
    goes_on: bool,
    compares: bool,
) -> tuple[str, ...]:
    """The program that a message without a name is about: that of the conversation, or the only one that fits.

    `shown` are subjects asked for in words that fit one program only.
    """
    programs = tuple(programs)
    if Fact.PROGRAM in said:
        return (said[Fact.PROGRAM],)
    telling = [fact for fact in said if fact not in _SHARED]
    fits = {
        program.id: sum(fact in facts_used(program) for fact in telling)
        + (unit is not None and unit in units_used((program,)))
        for program in programs
    }
    best = max(fits.values())
    if compares:
        return ()
    if before.program and (fits[before.program] == best or goes_on or not subjects):
        return (before.program,)
    if not best:
        owned = shown
        fits = {program.id: bool(owned & stated_subjects(program)) for program in programs}
    fitting = tuple(id for id, fit in fits.items() if fit == max(fits.values()))
    return fitting if len(fitting) == 1 else ()


def facts_used(program: Program) -> frozenset[Fact]:
    """The facts that the tables of a program ask about."""
    return frozenset(fact for row in rows_of(program) for fact in row.when)


def units_used(programs: Iterable[Program]) -> frozenset[Unit | None]:
    """The units in which the programs' caps are given, and that of meetings where they are days or hours."""
    units = frozenset(row.unit for program in programs for row in rows_of(program, Subject.CAP))
    return units | {"meeting"} if units & {"day", "hour"} else units


def known_to(programs: Iterable[Program]) -> frozenset[Subject]:
    """The subjects that any of the programs has a parameter for."""
    return frozenset[Subject]().union(*map(known_subjects, programs))


_FOREIGN = re.compile(
    r"[^\s、。!?「」()]{0,24}?(?:補助金|交付金|助成金|奨励金|給付金|協力隊|ふるさと納税|納税|貸付金?|融資|補助事業|支援事業|支援制度"
    r"|実証事業|推進事業|派遣制度|派遣事業|人材バンク)"
)
_BEFORE_A_NAME = re.compile(r"[はがをにでとへやの](?=[一-龠ァ-ヶa-z])")
_OUR_WORDS = re.compile(
    r"^(?:補助金|交付金|助成金|融資|補助事業|支援事業|支援制度|実証事業|推進事業|派遣制度|派遣事業|奨励金|給付金)$|総務省|国の|この|その|本"
    r"|当該|同|上記|実証|補助事業|支援事業$|^(?:の|な)?(?:支援|補助)|何の|どの|3つの|三つの|人材|体制|推進体制|計画|策定|アドバイザー|専門家"
    r"|地域情報化|伴走"
)


def foreign_program(text: str) -> str:
    """The name of a program that is none of ours, or ""."""
    match = _FOREIGN.search(text)
    if not match:
        return ""
    name = _BEFORE_A_NAME.split(match[0])[-1]
    return "" if _OUR_WORDS.search(name) else name
