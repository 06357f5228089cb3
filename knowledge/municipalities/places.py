"""Finds municipalities and prefectures by name, and not in words that only look like one (市町村, 中央市場)."""

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cache

from knowledge.municipalities.records import Municipality, municipalities

# Old and other forms of characters in names, after the form that they are compared in.
_FORMS = (
    "ケヶ 竜龍 桧檜 梼檮 鯵鰺 騨驒 釜竈 条條 恵惠 曽曾 瀬瀨 浜濱 沢澤 島嶋 広廣 崎﨑 高髙 国國 県縣 区區 桜櫻 "
    "会會 与與 徳德 富冨 芦蘆 真眞 豊豐 塩鹽 静靜 芸藝 弥彌 砺礪 淵渕 稲稻 滝瀧 関關 横橫 黒黑 郷鄕 辺邊邉 館舘 "
    "総總 蔵藏 奥奧 亀龜 諫諌 来來 峰峯"
)
_SAME = {ord(other): forms[0] for forms in _FORMS.split() for other in forms[1:]}
_SELECTORS = frozenset(map(chr, range(0xE0100, 0xE01F0)))  # they choose the shape of the character before them

_SUFFIX = re.compile("[都道府県市区町村]")
_KANJI = "一-鿿々"
# A name that begins here goes on with the word before it ...
_INSIDE = re.compile(rf"[{_KANJI}ケノツ](?=[{_KANJI}])|[{_KANJI}ぁ-ん](?=[ぁ-ん])|[ァ-ヺー](?=[ァ-ヺ])")
# ... unless that word ends in one of these.
_BEFORE = (
    *"はのとやでにを都道府県郡市町村区内旧現元隣例他者私年月日",
    *("隣接", "地方", "地域", "当方", "私達", "弊社", "当社", "団体", "自治体", "対象", "現在", "以前", "今回", "年度"),
    *("所在地", "実施地", "場所", "住所", "所属", "勤務先"),
)
# What stands there is another word: 中央市場, 市街, 県市町村, 上市町村, 町内会, 北区分, 東京都心.
_OTHER_WORD = re.compile("市(?:場|街|町村|区町村)|町(?:村|内会)|区(?:分|域|間|画)|都(?:心|市(?![長議町区内]))")
_LONGEST_LEAD = 12  # characters: 鹿児島県の, four characters of a county and its 郡の


@dataclass(frozen=True)
class Place:
    """Where a text names a body: `text[start:end]`, with the prefecture and 郡 before it (広島県府中市).

    Several `candidates` bear that name (府中市) where the text names no prefecture that tells which.
    """

    start: int
    end: int
    candidates: tuple[Municipality, ...]


@dataclass(frozen=True)
class _Gazetteer:
    names: dict[str, tuple[Municipality, ...]]
    longest: int
    ends: frozenset[str]  # the last two characters of names: most words that end in 市 or 町 are ruled out by them
    begun: dict[str, str]  # a name, and the longer name that begins with it, without its suffix: 東村, 東村山
    wards: frozenset[str]  # of designated cities
    prefectures: dict[str, str]  # 広島 and 広島県 -> 広島県
    lead: re.Pattern[str]  # what may stand directly before a name and belongs to it
    mentioned: re.Pattern[str]  # a prefecture anywhere


@cache
def _gazetteer() -> _Gazetteer:
    names: dict[str, tuple[Municipality, ...]] = defaultdict(tuple)
    for body in municipalities():
        names[folded(body.name)] += (body,)
    full = [body.name for body in municipalities() if body.kind == "prefecture"]
    short = {name: name if name == "北海道" else name[:-1] for name in full}
    whole, alone = "|".join(full), rf"(?<![{_KANJI}])(?:{'|'.join(short.values())})"
    no_name = rf"(?![{_KANJI}]|さん|さま|くん|です|と申|といい)"  # 千葉です may be a person
    return _Gazetteer(
        names=dict(names),
        longest=max(map(len, names)),
        ends=frozenset(name[-2:] for name in names),
        begun={name[:end]: name[:-1] for name in names for end in range(2, len(name) - 1) if name[:end] in names},
        wards=frozenset(ward for body in municipalities() for ward in body.wards),
        prefectures={form: name for name in full for form in (name, short[name])},
        lead=re.compile(
            rf"(?:(?P<prefecture>{whole}|{alone})[の ]?)?(?P<county>(?:(?![県府道])[{_KANJI}]){{1,4}}郡[の ]?)?$"
        ),
        mentioned=re.compile(f"{whole}|{alone}{no_name}"),
    )


def folded(name: str) -> str:
    """One form of the characters that are written in several (ヶ, 旧字), as names are compared; the length stays."""
    return name.translate(_SAME)


def find_places(text: str) -> tuple[Place, ...]:
    """The bodies that a text names, in order and not overlapping.

    The text is NFKC-normalised. Names are found whole, with their suffix, also as a part of an organisation's name
    (飯南町社会福祉協議会). 中央区, 北区 and 港区 are also wards of designated cities: they are Tokyo's only where the
    text names Tokyo. A ward after its city (大阪市北区) belongs to the span of the city.
    """
    positions = [at for at, char in enumerate(text) if char not in _SELECTORS]
    plain = folded("".join(text[at] for at in positions))
    positions.append(len(text))
    places = []
    for found in _led(plain):
        candidates = found.candidates
        is_ward_too = plain[found.start : found.end] in _gazetteer().wards
        if is_ward_too or len(candidates) > 1:
            candidates = within_prefectures_of(candidates, plain) or (() if is_ward_too else candidates)
        if candidates:
            places.append(Place(positions[found.start], positions[found.end], candidates))
    return tuple(places)


def within_prefectures_of(candidates: tuple[Municipality, ...], text: str) -> tuple[Municipality, ...]:
    """Those candidates whose prefecture the text, which is NFKC-normalised, names anywhere."""
    known = _gazetteer()
    named = {known.prefectures[mention[0]] for mention in known.mentioned.finditer(folded(text))}
    return tuple(body for body in candidates if body.prefecture in named)


def _led(text: str) -> list[Place]:
    """The names in a text with what belongs to them on both sides, and the candidates that this leaves."""
    places: list[Place] = []
    for start, end in _names(text):
        last = places[-1] if places else Place(0, 0, ())
        if start < last.end:
            continue
        place = Place(start, end, _gazetteer().names[text[start:end]])
        kind, kind_before = (bodies[0].kind if bodies else None for bodies in (place.candidates, last.candidates))
        if kind != "prefecture":
            place = _with_lead(text, place, last.start if kind_before == "prefecture" else last.end)
            if place.start == start and not _begins(text, start):
                continue
            if kind in ("town", "village") and start == last.end and kind_before not in ("prefecture", None):
                continue  # a part of that municipality, and not another one: 松江市栄町
        if place.start < last.end:
            places.pop()  # the prefecture, which is now a part of this place
        places.append(_with_tail(text, place))
    return places


def _names(text: str) -> list[tuple[int, int]]:
    """Where names stand that nothing after them makes another word, by their start, of those the longest first."""
    known = _gazetteer()
    found = []
    for suffix in _SUFFIX.finditer(text):
        end = suffix.end()
        if text[end - 2 : end] not in known.ends or _OTHER_WORD.match(text, end - 1):
            continue
        for start in range(max(0, end - known.longest), end - 1):
            name = text[start:end]
            if name in known.names:
                if name not in known.begun or not text.startswith(known.begun[name], start):
                    found.append((start, end))
                break
    return sorted(found, key=lambda span: (span[0], -span[1]))


def _begins(text: str, start: int) -> bool:
    """Whether a word can begin here."""
    return not (start and _INSIDE.match(text, start - 1)) or text.endswith(_BEFORE, 0, start)


def _with_lead(text: str, place: Place, earliest: int) -> Place:
    """The place with the prefecture and 郡 that stand before it.

    Where that prefecture has none of the name, it is a body that no longer is (長崎県国見町), and no candidate is left;
    a prefecture without its suffix or with a space after it may just stand there, and is then passed over.
    """
    known = _gazetteer()
    lead = known.lead.search(text, max(earliest, place.start - _LONGEST_LEAD), place.start)
    if not lead or not lead[0]:
        return place
    if lead["prefecture"]:
        prefecture = known.prefectures[lead["prefecture"]]
        within = tuple(body for body in place.candidates if body.prefecture == prefecture)
        if within or (lead["prefecture"] == prefecture and " " not in lead[0]):
            return Place(lead.start(), place.end, within)
    return replace(place, start=lead.start("county")) if lead["county"] else place


def _with_tail(text: str, place: Place) -> Place:
    """The place with the prefecture in brackets after it (府中市(広島県)), or with the ward of a city."""
    for body in place.candidates:
        for brackets in (f"({body.prefecture})", f"({body.prefecture[:-1]})"):
            if body.kind != "prefecture" and text.startswith(brackets, place.end):
                return Place(place.start, place.end + len(brackets), (body,))
    for ward in (folded(ward) for body in place.candidates for ward in body.wards):
        if text.startswith((ward, f"の{ward}"), place.end):
            return replace(place, end=text.index(ward, place.end) + len(ward))
    return place
