"""Masks what leads to a person before it is stored or sent: telephone numbers, mail, My Numbers, addresses.

They are known by their form, not looked up: a number that no telephone has is masked as well. What questions are about
stays: names of municipalities, years and dates, amounts, indices, codes.
"""

import re
import unicodedata
from collections.abc import Iterator

MASK = "●●●"
"""What takes the place of what is masked: no word, so that neither a reader nor the search makes anything of it."""

_KANJI_DIGITS = str.maketrans("〇零一二三四五六七八九", "00123456789")

# The patterns read a copy of the text with 0-9 for all digits. `at` is the part that is masked. Every repetition is
# bounded, so that the time is linear. What turns out to be no telephone number takes nothing from the next.
_DASH = "[-‐‑‒–—―−ー─━]"
_GAP = rf"(?:[ ]?{_DASH}[ ]?|[ ]?[()][ ]?|[ ./の])"
_GROUPS = rf"\d{{0,4}}(?:{_GAP}\d{{1,4}}{_GAP}\d{{3,4}}|{_GAP}?\d{{5,9}})(?![\d円万億])"
_NUMBER = r"[\d十百]{1,5}"
_TOWN = r"(?!の)[一-龠々ァ-ヶーがのつ]{1,12}?"
_LOT = rf"(?!(?:19|20)\d\d{_DASH})\d{{1,4}}"

_TELEPHONES = (
    rf"(?<!\d)(?<!\d[.,])(?<!\d{_DASH})(?=(?P<at>[(]?0[1-9]{_GROUPS}))",
    rf"(?<!\d)(?=(?P<at>[+]81{_GAP}?(?:[(]?0[)]?{_GAP}?)?[1-9]{_GROUPS}))",
)
_OTHERS = (
    # without an area code: only where a telephone is named
    rf"(?:電話|携帯|ファックス|TEL|Tel|tel|FAX|Fax|☎|☏)(?:番号)?[はが]?[ :]{{0,2}}"
    rf"(?P<at>(?!(?:19|20)\d\d{_DASH}(?:19|20)\d\d)[1-9]\d{{0,3}}{_DASH}\d{{4}})(?!\d|{_DASH}\d)",
    r"内線(?:番号)?[はが]?[ :]{0,2}(?P<at>\d{2,6})(?!\d)",
    r"(?P<at>[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})",
    # addresses: the number of a block or lot, or numbers alone where a town or the word stands before them
    rf"(?P<at>{_NUMBER}(?:丁目|番地(?![域方区帯])|番{_NUMBER}号)<REST>)",
    rf"[市区町村郡]{_TOWN}(?P<at>{_LOT}(?:{_DASH}\d{{1,4}}){{2}}(?!\d|{_DASH}|[年月])<REST>)",
    rf"[都道府県][一-龠々ヶ]{{1,8}}[市区町村]{_TOWN}(?P<at>{_LOT}{_DASH}\d{{1,4}}(?!\d|{_DASH}|[年月])<REST>)",
    rf"(?:住所|所在地|自宅)[はが]?[ :]{{0,2}}[^\W\d_]{{0,25}}?"
    rf"(?P<at>{_LOT}{_DASH}\d{{1,4}}(?:{_DASH}\d{{1,4}})?(?!\d|{_DASH}|[年月])<REST>)",
)
"""<REST>: more numbers of the address, the building and the room."""

_NAME = "[一-龠々ァ-ヶーA-Za-z・]"
_BUILDING = "ビル|マンション|アパート|ハイツ|コーポ|ハウス|タワー|荘|会館|庁舎"
_FIGURE = r"[\d.,年月日万億千円人件回時点%階F号]"
_REST = (
    rf"(?:(?:{_DASH}|[ の])?(?!(?:19|20)\d\d){_NUMBER}(?:番地?|号(?!室|館)|(?!{_FIGURE}))){{0,4}}"
    rf"(?:[ ]?{_NAME}{{0,20}}(?:{_BUILDING})(?:第?\d{{1,3}}号館)?)?"
    rf"(?:[ ]?{_NAME}{{0,20}}\d{{1,5}}(?:号室|階|F))?"
)

_MY_NUMBER = re.compile(
    rf"(?<![\d¥])(?<!\d[.,])"
    rf"(?P<at>\d{{4}}(?P<gap>[ ]?{_DASH}[ ]?|[ ]{{0,2}})\d{{4}}(?P=gap)\d{{4}})"
    r"(?!\d|[.,]\d|[ ]?[千万億円])"
)
_BY_LENGTH = tuple(map(re.compile, _TELEPHONES))
_BY_FORM = tuple(re.compile(pattern.replace("<REST>", _REST)) for pattern in _OTHERS)

_NO_TOWN = re.compile("資料|様式|別表|別紙|別添|図|表|第|問|番号|令和|平成|年度|計画|事業|支援|条|項|指数|人口|数$")
"""Words between 市, 町 … and numbers with dashes that are no name of a town."""


def mask(text: str) -> str:
    """The text with telephone numbers, mail addresses, My Numbers and addresses (from 丁目 or 番地 on) masked."""
    plain, places = _plain(text)
    masked, end = [], 0
    for start, stop in sorted(_found(plain)):
        if places[start] >= end:
            masked += [text[end : places[start]], MASK]
        end = max(end, places[stop - 1] + 1)
    return "".join([*masked, text[end:]])


def _plain(text: str) -> tuple[str, list[int]]:
    """A copy of ordinary characters, without invisible ones, and the place in the text of each of its characters."""
    characters, places = [], []
    for place, character in enumerate(text):
        if unicodedata.category(character) != "Cf":
            ordinary = unicodedata.normalize("NFKC", character)
            characters.append(ordinary if len(ordinary) == 1 else character)
            places.append(place)
    return "".join(characters).translate(_KANJI_DIGITS), places


def _found(plain: str) -> Iterator[tuple[int, int]]:
    for pattern in _BY_FORM:
        for match in pattern.finditer(plain):
            if not _NO_TOWN.search(match[0][: match.start("at") - match.start()]):
                yield match.span("at")
    for pattern in _BY_LENGTH:
        for match in pattern.finditer(plain):
            if len(re.sub(r"^[+]81|\D", "", match["at"]).lstrip("0")) in (9, 10):
                yield match.span("at")
    for match in _MY_NUMBER.finditer(plain):
        if _is_my_number(match["at"]):
            yield match.span("at")


def _is_my_number(written: str) -> bool:
    """Whether the last of the twelve digits checks the others, and they are no row of years."""
    digits = [int(character) for character in written if character.isdigit()]
    weighted = sum(digit * (n + 1 if n <= 6 else n - 5) for n, digit in enumerate(reversed(digits[:-1]), 1))
    years = not written.isdigit() and all(digits[i : i + 2] in ([1, 9], [2, 0]) for i in (0, 4, 8))
    return not years and digits[-1] == (0 if weighted % 11 <= 1 else 11 - weighted % 11)
