"""Names of documents and programs, as people write them: with or without who issued them, in full or shortened."""

import re
from functools import lru_cache

from knowledge.figures import normalize
from knowledge.words import read_words

_BODY = r"[一-龠々ぁ-んァ-ヶー]{1,10}?(?:都|道|府|県|市|区|町|村|省|庁)"
_HOUSE = r"[一-龠ァ-ヶー]{2,14}(?:会議所|財団|協会|機構|事務局|センター|商工会)"
_LEGAL_FORM = r"(?:(?:公益|一般)(?:財団|社団)|社会福祉|独立行政|国立研究開発|特定非営利活動)法人"
_ISSUER = re.compile(
    rf"^[\s「【]*(?:(?P<issuer>(?:{_BODY}){{1,2}}|{_HOUSE})|{_LEGAL_FORM} ?(?P<incorporated>[^\s「」()、。]{{2,20}}))"
    r"(?=[\s のに「]|$)"
)
_ISSUER_JOINED = re.compile(rf"^(?P<issuer>{_BODY})(?P<incorporated>)(?=[一-龠ァ-ヶーa-z])")
_YEAR = re.compile(
    r"(?:令和|平成|[rh])\s?(?:[0-9]{1,2}|元)\s?(?:年度?|(?![0-9a-z]))|20[0-9]{2}\s?年?度?"
    r"|第\s?[0-9]+\s?(?:回|次|版|期)(?:公募|募集)?|\([^()]*(?:版|改定|改正|更新)\)|ver\.?\s?[0-9.]+"
)
_LEADING_YEAR = re.compile(rf"^(?:{_YEAR.pattern})\s*(?:の)?")
TRAILING_YEAR = re.compile(rf"(?:{_YEAR.pattern})[の ]*$")
_IN_BRACKETS = re.compile(r"\([^()]*\)|<[^<>]*>|〈[^〈〉]*〉|《[^《》]*》|【[^【】]*】")
_KIND = re.compile(
    r"(?:の?(?:(?:公募|募集|応募|実施|交付|補助)?要[項領綱]|手引き?|ガイド(?:ブック|ライン)|パンフレット|チラシ|リーフレット"
    r"|(?:に関する)?(?:よくある)?(?:ご質問|質問|お?問い?合わせ)(?:と回答|集)?|q ?& ?a(?:集)?|faq"
    r"|(?:制度)?概要(?:版|資料|説明)?|(?:制度)?ご?案内"
    r"|(?:説明(?:会)?)?資料"
    r"|様式[0-9]*|申請(?:書|様式)|お知らせ|公募|募集|一覧表?|(?:ホーム)?ページ)|について|とは)+$"
)
_MARKS = re.compile(r"[\s「」『』【】《》〈〉<>\"'“”‘’()\[\]・:;,.、。_|/~〜\-–—!?！？]")
_PROGRAM = re.compile(
    r"(?:金|手当|補助|助成|事業|制度|要[綱領項]|規程|規則|条例|基準|計画|プラン|プログラム|貸付|融資|ポイント|クーポン|券|バンク"
    r"|支援|派遣|援助|減免|控除|料|税|公募|公告|表|枠)$"
)
_GIVEN = frozenset(("補助", "助成", "支援", "給付", "奨励"))
_KINDS_OF_THINGS = frozenset(("金", "事業", "制度"))
_GENERIC = re.compile(
    r"^(?:本|当|この|その|同|各|当該|上記|国の|市の|町の|県の)?(?:補助|支援|助成|対象|交付|実施|推進|関係|公募|補助対象)*"
    r"(?:金|事業|制度|要[綱領項]|規程|規則|条例|補助|助成|支援|計画|基準|手当|料|税|表|派遣|公募|公告|枠)?$"
)


def split_issuer(text: str) -> tuple[str, str]:
    """The body that a title begins with ("" for none), and the rest."""
    folded = _LEADING_YEAR.sub("", normalize(text).strip())
    found = _ISSUER.match(folded) or _ISSUER_JOINED.match(folded)
    if not found:
        return "", folded
    return found["issuer"] or found["incorporated"], folded[found.end() :].lstrip(" の")


@lru_cache(maxsize=4096)
def bare_name(text: str) -> str:
    """A name without its issuer, year, marks and what kind of document it is; its characters folded."""
    name = _YEAR.sub("", _IN_BRACKETS.sub(" ", split_issuer(text)[1]) or text)
    while (shorter := _KIND.sub("", name.strip(" ・、/"))) != name:
        if not _MARKS.sub("", shorter):
            break
        name = shorter
    return _MARKS.sub("", name)


def issuer_of(title: str) -> str:
    """The body that a title begins with or has in brackets; "" for none."""
    within = (split_issuer(part.strip("()<>〈〉《》【】"))[0] for part in _IN_BRACKETS.findall(normalize(title)))
    return split_issuer(title)[0] or next(filter(None, within), "")


def shared_words(name: str, text: str) -> int:
    """How many words of a name, beside those that every program's has, a text has too."""
    present = set(_parts(text))
    return sum(word in present and not _GENERIC.match(word) for word in set(_parts(bare_name(name))))


def variants(title: str) -> tuple[str, ...]:
    """What a title has in brackets or quotes: the part, the type or the nickname that sets it apart."""
    within = (squeezed(found) for found in _IN_BRACKETS.findall(normalize(title)))
    return tuple(found for found in within if len(found) > 1)  # (金) is a day


def squeezed(text: str) -> str:
    """A text with its characters folded, without marks and spaces, in which names are looked for."""
    return _MARKS.sub("", normalize(text))


def names_a_program(name: str) -> bool:
    """Whether a name is one of a program, a rule or the like, and more than the word for it (補助金, 本事業)."""
    bare = bare_name(name)
    return len(bare) >= 3 and bool(_PROGRAM.search(bare)) and not _GENERIC.match(bare)


@lru_cache(maxsize=4096)
def is_short_for(short: str, name: str) -> bool:
    """Whether a name shortens another: its words stand there in the same order, the last one at the end.

    ものづくり補助金 is short for ものづくり・商業・サービス生産性向上促進補助金; 商業補助金 of another one is not.
    """
    words, full = _without_kind(_parts(short)), _without_kind(_parts(name))
    if len(words) < 2 or _GENERIC.match(short) or not full or words[-1] != full[-1]:
        return False
    position = 0
    for word in words:
        if word not in full[position:]:
            return False
        position = full.index(word, position) + 1
    return not all(_GENERIC.match(word) for word in words)


def _without_kind(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words of a name without what kind of thing it is, where it says before that something is given."""
    return words[:-1] if len(words) > 1 and words[-1] in _KINDS_OF_THINGS and words[-2] in _GIVEN else words


def _parts(name: str) -> tuple[str, ...]:
    return tuple(part for word in read_words(name) for part in (word.parts or (word.form,)))
