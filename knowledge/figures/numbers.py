"""Numbers in a normalised text, read once: 5,000, 八千五百, 1億2千万, 二〇二五, .87, 零点四五, れいてんよん, 半(日)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

_DIGITS = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "壱": 1, "弐": 2, "参": 3}
_UNITS = {"十": 10, "拾": 10, "百": 100, "千": 1000}
_SCALES = {"万": 10**4, "億": 10**8, "兆": 10**12}
_KANA = {
    "れい": 0,
    "れー": 0,
    "ぜろ": 0,
    "ゼロ": 0,
    "いち": 1,
    "いっ": 1,
    "に": 2,
    "さん": 3,
    "よん": 4,
    "ご": 5,
    "ろく": 6,
    "なな": 7,
    "はち": 8,
    "きゅう": 9,
    "きゅー": 9,
    "く": 9,
}
_LONGEST = 20  # figures; what is longer is no number that anybody means

KANJI = f"[{''.join(_DIGITS)}{''.join(_UNITS)}]"
"""A numeral in kanji; in front of a scale (万) or a counter it is a number."""
DIGITS = r"(?:[0-9]{1,3}(?:,[0-9]{3})++(?![0-9])|[0-9]++)(?:\.[0-9]++)?+"

_KANA_DIGIT = (
    r"(?:れい|れー|ぜろ|ゼロ|いち|さん|よん|ご|ろく|なな|はち|きゅう|きゅー|に(?![な届達満近上下もはつしあい])"
    r"|く(?![らにてなれり])|[0-9〇零一二三四五六七八九])"
)
_POINTED = (
    r"(?<![0-9.,])(?:\.[0-9]{1,3}(?![0-9.])|[01],[0-9]{2}(?![0-9,])|0\.\s[0-9]{1,3}(?![0-9.])"
    r"|[01]・[0-9]{1,3}(?![0-9・回日年月人市町村時次期])"
    r"|[01](?:点|てん|コンマ)[0-9]{1,3}(?![0-9点])"
    r"|(?<![一二三四五六七八九十])[〇零一](?:点|・|\.|コンマ)[〇零一二三四五六七八九]{1,3}"
    rf"|(?:れい|れー|ぜろ|ゼロ|いち|いっ|[〇零一01])(?:てん|点|コンマ){_KANA_DIGIT}{{1,3}}+)"
)
_RUN = rf"(?:{DIGITS}|[{''.join(_DIGITS)}{''.join(_UNITS)}{''.join(_SCALES)}])++"
_SPACED = rf"(?:{_RUN}(?:\s(?=[万億])|(?<=[兆億])\s(?=[0-9,.一二三四五六七八九十百千]++万)))*+{_RUN}"

# What follows a Latin letter or a label is a name (f115, dx2.0, 問3), unless it is counted (zoom2回).
_COUNTED = r"(?:回|度|日|時|分|週|件|団体|自治体|市|町|村|人|名|[かヶカ]月|円|億|万|千|%|社|者|つ)"
_NAMES = (
    r"(?<![0-9-])0[0-9]{1,4}[-(][0-9]{1,4}[-)][0-9]{3,4}(?![0-9])",  # telephone
    r"[0-9]++(?:-[0-9]++){2,}+",
    r"(?<![0-9-])[0-9]{3,4}-[0-9]{4}(?![0-9])",
    rf"(?<![a-z0-9])(?!x[0-9])[a-z]++[-. ]?[0-9]++(?:\.[0-9]++)*+[a-z]*+(?!{_COUNTED}|,[0-9]{{3}})",
    r"[0-9]++(?:\.[0-9]++)?+(?!\s?(?:h|x|million|billion|thousand)(?![a-z]))[a-z]++",
    rf"(?:問|例|図|表|内線|様式|別紙|別表|資料|注|その|パート|案|ステップ|フェーズ|レベル|バージョン|ver\.?)\s?[0-9]++(?:[.-][0-9]++)*+(?!{_COUNTED}|,[0-9]{{3}})",
    r"(?<![^\s。!?、])\([0-9]{1,2}\)",  # marks of a list
    r"(?<![^\s。!?])[1-9][0-9]?(?:\)|\.(?![0-9]))",
    r"(?<![0-9])[0-9]{1,2}:[0-9]{2}(?![0-9])",  # o'clock
    r"[0-9]++(?:\.[0-9]++){2,}+",
)
_BODY_AFTER = r"(?!の?(?:特別区|市|町|村|団体|自治体))"
_WORDS = "|".join(
    (
        r"(?<![一二三四五六七八九百])十分(?!間)|万一|万が一|万全|万博|二度と|二度手間|二の次|二人三脚|十人十色|百人力|三日坊主",
        r"一度[にもきか]|(?:もう|今)一度|一人ひとり|一人一人|一人前|一回り|一日も早|一件落着|一時[的金預保停避帰]|一[円人日回件]も(?!ら)",
        r"一[番部般緒切律連旦方定体層斉挙端帯気概心面様]|[統唯随均同単逐択専]一",
        rf"(?<![市町村区体][がはもを])(?<!区)(?:一|(?<![0-9])1)つ{_BODY_AFTER}",
        r"千葉|四国|九州|三重|八千代|百貨店|四万十|[六七][かヶケカ](?:所村|宿|浜)|九度山|[二三四五六七八十廿]日[市町]|安八町",
    )
)
"""Words and places with a numeral that a counter happens to follow."""
_VAGUE = r"[数何幾](?:[十百千万億][十百千万億]*+)|(?:[0-9一二三四五六七八九十百千]++)数[十百千万億人件団回日]++"
_HALF = r"(?<![一-九0-9])半(?=日|年|月|分|数)"

_SCAN = re.compile(
    rf"(?P<none>{'|'.join(_NAMES)}|{_WORDS}|{_VAGUE})|(?P<pointed>{_POINTED})|(?P<half>{_HALF})|(?P<run>{_SPACED})"
)
_MARK = re.compile(r"(?<![^\s。!?])[0-9]{1,2}(?=\s[^0-9])")
_PIECE = re.compile(rf"{DIGITS}|[{''.join(_DIGITS)}]++|[{''.join(_UNITS)}{''.join(_SCALES)}]")


@dataclass(frozen=True)
class Number:
    """A number and where it stands. `head` is its first part (5 of 5千万), which a range shares its rest with."""

    start: int
    end: int
    value: Decimal
    head: Decimal
    written: str

    @property
    def in_kanji(self) -> bool:
        """Whether it is written without any digit or point, so that it may be a part of a word."""
        return not re.search(r"[0-9.点・てんコンマ]", self.written)


def read_numbers(text: str) -> Iterator[Number]:
    """The numbers of a normalised text in order, names and words with a numeral in them left out."""
    marks = _marks_of_a_list(text)
    for found in _SCAN.finditer(text):
        if found.start() in marks:
            continue
        if found["pointed"]:
            yield _pointed(found)
        elif found["half"]:
            yield Number(found.start(), found.end(), Decimal("0.5"), Decimal("0.5"), found[0])
        elif found["run"]:
            yield from _parts(found[0], found.start())


def _marks_of_a_list(text: str) -> set[int]:
    """Where 1, 2, 3 … stand before the entries of a list: 質問2つ 1 申請できるか 2 費用は."""
    marks = [mark for mark in _MARK.finditer(text) if int(mark[0]) > 0]
    in_order = [int(mark[0]) for mark in marks] == list(range(1, len(marks) + 1))
    return {mark.start() for mark in marks} if len(marks) > 1 and in_order else set()


def read_number(text: str) -> Decimal | None:
    """The value of a text that is one number and nothing else (八千五百, 1億2千万, 二〇二五); None when it is none."""
    numbers = list(read_numbers(text))
    return numbers[0].value if len(numbers) == 1 and numbers[0].written == text else None


def _pointed(found: re.Match[str]) -> Number:
    whole, fraction = re.split(r"てん|点|コンマ|[.,・]", found[0], maxsplit=1)
    value = Decimal(f"{_figures(whole) or 0}.{_figures(fraction.strip())}")
    return Number(found.start(), found.end(), value, value, found[0])


def _figures(written: str) -> str:
    spoken = re.sub("|".join(sorted(_KANA, key=len, reverse=True)), lambda kana: str(_KANA[kana[0]]), written)
    return "".join(str(_DIGITS.get(character, character)) for character in spoken)


class _Sum:
    """Adds the parts of one number up: sections below 万, then scales, each smaller than the one before."""

    def __init__(self, start: int) -> None:
        self.start = self.end = start
        self.total = self.section = Decimal(0)
        self.current: Decimal | None = None
        self.head: Decimal | None = None
        self.unit, self.scale = 10**4, 10**16

    def takes(self, piece: str) -> bool:
        """Adds a part; False where it cannot belong to the number."""
        if unit := _UNITS.get(piece):
            if unit >= self.unit:
                return False
            self.section += (Decimal(1) if self.current is None else self.current) * unit
            self.current, self.unit = None, unit
        elif scale := _SCALES.get(piece):
            counted = self.section + (self.current or 0)
            if scale >= self.scale or (not counted and self.current is None):
                return False
            self.total += counted * scale
            self.section, self.current, self.unit, self.scale = Decimal(0), None, 10**4, scale
        elif self.current is not None or len(piece) > _LONGEST:
            return False
        else:
            self.current = Decimal("".join(str(_DIGITS.get(c, c)) for c in piece.replace(",", "")))
        if self.head is None:
            self.head = self.current if self.current is not None else self.section
        return True


def _parts(run: str, start: int) -> Iterator[Number]:
    """The numbers of an unbroken run of numerals; mostly one."""
    number = _Sum(start)
    for piece in _PIECE.finditer(run):
        if not number.takes(piece[0]):
            yield from _finished(number, run, start)
            number = _Sum(start + piece.start())
            if not number.takes(piece[0]):
                number.end = number.start
                continue
        number.end = start + piece.end()
    yield from _finished(number, run, start)


def _finished(number: _Sum, run: str, start: int) -> Iterator[Number]:
    if number.end > number.start and number.head is not None:
        value = number.total + number.section + (number.current or 0)
        written = run[number.start - start : number.end - start]
        yield Number(number.start, number.end, value, number.head, written)
