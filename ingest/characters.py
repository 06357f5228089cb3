"""Bytes to text, and text to the characters that people type: the same word must be the same characters."""

import codecs
import re
import unicodedata
from typing import NoReturn

from ingest.types import ReadError

FORMATS = "pdf・docx・xlsx・csv・tsv・html・md・txt"
"""The formats that can be read, as an operator is told them."""

# NFKC maps the Kangxi radicals that PDFs put for whole characters, but only two of the CJK Radicals Supplement.
_RADICALS = dict(
    zip(
        "⺁⺅⺈⺉⺊⺌⺍⺎⺏⺐⺒⺓⺖⺗⺘⺙⺛⺜⺝⺞⺟⺠⺡⺢⺣⺤⺥⺧⺨⺩⺪⺫⺬⺭⺮⺯⺲⺶⺹⺻⺼⺽⺾⺿⻀⻁⻂⻃⻄⻆⻇⻊⻌⻍⻎⻏⻑⻒⻕⻖⻗⻘⻝⻞⻟⻡⻣⻤⻥⻨⻩⻫⻭⻯⻱⻲⻳",
        "厂亻刀刂卜小小兀尣尢巳幺忄心扌攵旡日月歺母民氵氺灬爫爫牛犭王疋目示礻竹糸罒羊耂聿肉臼艹艹艹虎衤覀西角角足辶辶辶阝長镸阜阝雨青食食食首骨鬼魚麦黄斉歯竜龜亀龜",
        strict=True,
    )
)
# NFKC would turn ① into a bare 1, which then reads as a part of the figure or word beside it.
_CIRCLED = {chr(0x2460 + number): f"({number + 1})" for number in range(20)}
_BEFORE_NFKC = str.maketrans({**_RADICALS, **_CIRCLED, "\u2027": "・", "\uff65": "・"})
_APART = re.compile(r"[^\x00-\x7f] (?=[^ ] ?)")
_WIDE_PAIR = re.compile(r"[^\x00-\x7f](?=[^\x00-\x7f])")
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u2028-\u202e\u2060\ufeff\ufffe]|[^\S\n ]")
_SPACES = re.compile(r" {2,}")
_TORN_FIGURE = re.compile(r"(?<=[0-9]) ,(?=[0-9]{3}(?![0-9]))")  # 6 ,000万円, as some PDFs set it

_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_WIDER = {"shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "windows-31j": "cp932"}
_NO_BYTE = re.compile("[\uf8f0-\uf8f3]")  # what cp932 gives for bytes that are no character
_MOST_BROKEN = 0.005  # share of a text's characters that may be unreadable
UNREADABLE = "〓"
"""What stands for a character whose bytes are broken, so that a figure is never read without one of its digits."""
_KANA = re.compile(r"[ぁ-んァ-ヶー。、]")
_UNLIKELY = re.compile(r"[\uff61-\uff9f\ue000-\uf8ff\x80-\x9f]")  # half-width kana, private use, C1 controls


def clean(text: str) -> str:
    """Text with one way to write each character (NFKC, radicals as characters) and single spaces, stripped."""
    normal = unicodedata.normalize("NFKC", text.translate(_BEFORE_NFKC)).replace("\u2044", "/")
    spaced = _INVISIBLE.sub(lambda found: " " if found[0].isspace() else "", normal)
    return _TORN_FIGURE.sub(",", _SPACES.sub(" ", spaced)).strip()


def together(text: str) -> str:
    """A line whose letters are set apart (令 和 8 年 度) without the spaces between them."""
    pairs = _APART.findall(text)
    wide = len(_WIDE_PAIR.findall(text))
    return text.replace(" ", "") if len(pairs) >= 4 and len(pairs) > wide else text


def squeeze(text: str) -> str:
    """Cleaned text without white space, in which phrases are compared."""
    return re.sub(r"\s", "", clean(text))


def joined(first: str, second: str) -> str:
    """Two parts of a line that was broken: a space only between words that are written with spaces."""
    between = " " if first[-1:].isascii() and second[:1].isascii() and first[-1:] and second[:1] else ""
    return f"{first}{between}{second}"


def decode(content: bytes, declared: str = "") -> str:
    """The text of a file: byte order mark, then the declared encoding, then UTF-8, then the likelier Japanese one.

    Raises:
        ReadError: it is empty, no text, or in no encoding known here.
    """
    if not content.strip():
        raise ReadError("ファイルが空です", "中身のあるファイルを指定してください")
    for mark, encoding in _BOMS.items():
        if content.startswith(mark):
            text = _strictly(content, encoding)
            return text if text is not None else _refuse_encoding()
    if b"\0" in content:
        raise ReadError("文字のファイルではありません(バイナリです)", f"{FORMATS} のどれかで保存してください")
    declared = _WIDER.get(declared, declared)
    candidates = [encoding for encoding in (declared, "utf-8") if encoding]
    if b"\x1b$" in content:
        candidates.insert(0, "iso2022_jp")
    for encoding in candidates:
        text = _strictly(content, encoding)
        if text is not None:
            return _NO_BYTE.sub(UNREADABLE, text)
    readings = [text for encoding in ("cp932", "euc_jp") if (text := _strictly(content, encoding)) is not None]
    likeliest = max(readings, key=_likeliness, default=None)
    if likeliest is not None and _likeliness(likeliest) >= 0:
        return _NO_BYTE.sub(UNREADABLE, likeliest)
    return _with_gaps(content, declared)


def _with_gaps(content: bytes, declared: str) -> str:
    """The text of a file with a few broken bytes, which are shown as such."""
    encodings = [encoding for encoding in (declared, "utf-8", "cp932", "euc_jp") if encoding]
    readings = []
    for encoding in encodings:
        try:
            readings.append(content.decode(encoding, errors="replace").replace("\ufffd", UNREADABLE))
        except LookupError:
            continue
    best = min(readings, key=lambda text: (text.count(UNREADABLE), -_likeliness(text)))
    if best.count(UNREADABLE) > max(3, _MOST_BROKEN * len(best)) or _likeliness(best) < 0:
        _refuse_encoding()
    return best


def _strictly(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def _likeliness(text: str) -> int:
    return len(_KANA.findall(text)) - 3 * len(_UNLIKELY.findall(text))


def _refuse_encoding() -> NoReturn:
    raise ReadError("文字コードを判別できません", "UTF-8で保存し直してください")
