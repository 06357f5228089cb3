"""From blocks to an outline: which lines are headings, which program a part speaks of, what is only repeated.

Text files mark nothing, and PDFs and office files little, so headings are told from the lines themselves; a document
that marks them gives the same outline.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ingest.characters import clean
from ingest.types import Block, Document, Placed
from knowledge.types import Program

# Levels of headings that are told from the lines. Marked headings have 1 to 9 and stand above all of them.
_LEVELS: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"^第 ?[0-9一-十]+ ?[章編部]"), 20),
    (re.compile(r"^第 ?[0-9一-十]+ ?節"), 22),
    (re.compile(r"^第 ?[0-9一-十]+ ?条"), 24),
    (re.compile(r"^(?:[0-9]{1,2}[.．]|[IVXⅠ-Ⅹ]+[.．]) ?(?![0-9])"), 40),
    (re.compile(r"^[0-9]{1,2}[-.][0-9]{1,2}[.．]? ?(?![0-9.])"), 42),
    (re.compile(r"^[(（][0-9]{1,2}[)）]"), 44),
    (re.compile(r"^[■◆▼◎] ?"), 46),
    (re.compile(r"^【[^】]+】$"), 48),
)
_BANNER, _PROGRAM, _PLAIN, _BULLET = 30, 60, 70, 80
_BULLETS = re.compile(r"^(?:[・●○◇□▪•◦‣➢✓] ?|(?:[-*–] ?)+ )")
_SHORT = 30  # characters of a heading that only its shortness shows
_NO_HEADING = re.compile(r"[。、!?:;…]|\.\.\.|https?://|^[※(（「『]|[)）]$|\d(?:円|万円|億円|%|日|時間|回|件)|程度$")
_NOT_TITLED = re.compile(r"[。!?…]|\.\.\.|[、:;]$|^[0-9]+$")
_HEADING_SIGNS = re.compile(r"^[・●○◇□▪■◆▼◎【《\s]+")
_NUMBERING = re.compile(
    r"^(?:第 ?[0-9一-十]+ ?[章節条編部]|[(（]?[0-9]{1,2}[)）.．、-]+(?:[0-9]{1,2}[.．]?)?|[■◆▼◎●○・【《〈]+)\s*"
)
_NAME_SIGNS = re.compile(r"[\s「」『』【】《》〈〉\"'()（）・:]")
_NAME_ENDINGS = re.compile(r"(?:について|とは|の概要|の内容|の公募|のご案内)$")

_ELLIPSIS = re.compile(r"(?:…|\.{3}|・{3})+$")
_TEASER = 15  # characters; a shorter line with an ellipsis says nothing about what it repeats
_NAVIGATION = {
    "続きを読む", "もっと見る", "詳しくはこちら", "詳細はこちら", "ページの先頭へ", "ページトップへ", "このページの先頭へ",
    "トップへ戻る", "前へ", "次へ", "戻る", "閉じる", "印刷", "印刷する", "ホーム", "メニュー", "目次へ戻る", "本文へ",
    "本文へ移動", "ここから本文です",
}  # fmt: skip

_POST = re.compile(
    r"(?:課長補佐|補佐|課長|係長|室長|局長|部長|次長|所長|主査|主任|専門官|企画官|調査官|官|長|員|教授|理事|主事)$"
)
_AFFILIATION = re.compile(r"(?:省|庁|府|県|市|局|課|室|部|センター|大学|機構|財団|会社)")
_NAME = re.compile(r"^[一-龯々ヶぁ-んァ-ヴー]{1,5} [一-龯々ヶぁ-んァ-ヴー]{1,6}$")
_READING = re.compile(r"^[(（]?[ぁ-んー]{1,8} [ぁ-んー]{1,8}[)）]?$")


class ProgramNames:
    """Tells from a heading which program it opens, by the programs' names and the aliases that are nearly names."""

    def __init__(self, programs: Mapping[str, Program]) -> None:
        """Collect the names of the catalog's programs."""
        self._full = {_bare(program.name): program.id for program in programs.values()}
        self._exact = dict(self._full)
        self._loose: dict[str, str] = {}
        for program in programs.values():
            for alias in (*program.aliases, program.short_name):
                names = self._exact if _is_nearly(_bare(alias), _bare(program.name)) else self._loose
                names.setdefault(_bare(alias), program.id)

    def equal(self, text: str) -> str:
        """The program whose name this line is ("" for none); numbering and brackets do not matter."""
        bare = _bare(_NUMBERING.sub("", text))
        return self._exact.get(bare) or self._exact.get(_NAME_ENDINGS.sub("", bare), "")

    def alias(self, text: str) -> str:
        """The program of which this line is an everyday name, in a document that is about these programs."""
        return self._loose.get(_bare(_NUMBERING.sub("", text)), "")

    def within(self, text: str) -> str:
        """The one program whose full name the text holds ("" for none or several)."""
        bare = _bare(text)
        found = {program for name, program in self._full.items() if name in bare}
        return found.pop() if len(found) == 1 else ""

    def are_named(self, text: str) -> bool:
        """Whether any program's full name stands in the text."""
        bare = _bare(text)
        return any(name in bare for name in self._full)


def _bare(text: str) -> str:
    return _NAME_SIGNS.sub("", clean(text))


def _is_nearly(alias: str, name: str) -> bool:
    """Whether an alias is most of the name, so that it cannot mean anything else as a heading."""
    pairs = [alias[position : position + 2] for position in range(len(alias) - 1)]
    return len(alias) >= 0.7 * len(name) and sum(pair in name for pair in pairs) >= 0.8 * len(pairs)


@dataclass(frozen=True)
class _Survey:
    """What has to be known of the whole document before its first block is placed."""

    teasers: frozenset[str]
    names_programs: bool


def outline(document: Document, names: ProgramNames) -> Iterator[Placed]:
    """The document's blocks in their places, without teasers, navigation and repeated bylines.

    Args:
        document: read twice, so its blocks must be readable again.
        names: the names of the programs.
    """
    survey = _survey(document, names)
    kept = (block for block in document.blocks if not _is_noise(block, survey.teasers))
    blocks = _with_headings(_folded(kept), document.title, names)
    yield from _placed(blocks, document.title, names, survey.names_programs)


def _survey(document: Document, names: ProgramNames) -> _Survey:
    cut_off: set[str] = set()
    lengths: set[int] = set()
    for block in document.blocks:
        if (start := _cut_off(block.text)) is not None:
            cut_off.add(start)
            lengths.add(len(start))
    repeated: set[str] = set()
    names_programs = names.are_named(document.title)
    for block in document.blocks:
        names_programs = names_programs or names.are_named(block.text)
        if _cut_off(block.text) is None:
            repeated.update(start for length in lengths if (start := block.text[:length]) in cut_off)
    return _Survey(frozenset(repeated), names_programs)


def _cut_off(text: str) -> str | None:
    start = _ELLIPSIS.sub("", text)
    return start if start != text and len(start) >= _TEASER else None


def _is_noise(block: Block, teasers: frozenset[str]) -> bool:
    return block.text in _NAVIGATION or (bool(teasers) and _cut_off(block.text) in teasers)


def _folded(blocks: Iterable[Block]) -> Iterator[Block]:
    """Puts the lines of a byline (affiliation, name, how the name is read) together."""
    skipped = 0
    for block, second, third in _windows(blocks):
        if skipped:
            skipped -= 1
        elif second is None or not _opens_byline(block) or not _NAME.match(second.text):
            yield block
        else:
            read = third.text.strip("()") if third is not None and _READING.match(third.text) else ""
            yield replace(block, kind="byline", text=f"{block.text} {second.text}" + (f"({read})" if read else ""))
            skipped = 2 if read else 1


def _opens_byline(block: Block) -> bool:
    text = block.text
    return len(text) <= 80 and " " in text and bool(_POST.search(text) and _AFFILIATION.search(text))


def _windows(blocks: Iterable[Block]) -> Iterator[tuple[Block, Block | None, Block | None]]:
    """Each block with the two that follow."""
    iterator = iter(blocks)
    window: deque[Block | None] = deque([next(iterator, None), next(iterator, None)])
    while (block := window.popleft()) is not None:
        window.append(next(iterator, None))
        yield block, window[0], window[1]


def _with_headings(blocks: Iterable[Block], title: str, names: ProgramNames) -> Iterator[Block]:
    """Marks the lines that are headings, and takes the markers off list items.

    Lines of one sort that follow each other (bullets, numbers, programs' names) are a list, and none of them a heading.
    """
    previous: Block | None = None  # the last block as it was given
    listed = ""  # the sort of the last line, where it was not taken for a heading
    for block, following, _ in _windows(blocks):
        sort = _sort(block, names)
        if block.kind == "heading":
            given = replace(block, text=_heading_text(block.text))
        elif block.kind in ("row", "byline"):
            given = block
        elif previous is None and block.text == title:
            given = replace(block, kind="heading", level=0)
        elif sort and listed != sort and _opens_section(block, following, sort, names):
            given = replace(block, kind="heading", text=_heading_text(block.text), level=_level(block.text, sort))
        elif not sort and _is_plain_heading(block, previous, following, names):
            banner = following is not None and bool(names.equal(following.text))
            given = replace(block, kind="heading", level=_BANNER if banner else _PLAIN)
        elif block.kind == "item" or sort.startswith("bullet"):
            given = replace(block, kind="item", text=_BULLETS.sub("", block.text) or block.text)
        else:
            given = block
        listed = sort if given.kind != "heading" else ""
        previous = given
        yield given


def _sort(block: Block, names: ProgramNames) -> str:
    """What marks the line: a program's name, a bullet, or the number of a pattern of _LEVELS ("" for nothing)."""
    if block.kind in ("row", "byline"):
        return ""
    if names.equal(block.text):
        return "program"
    if _BULLETS.match(block.text):
        return f"bullet {block.text[0]}"
    return next((str(level) for pattern, level in _LEVELS if pattern.match(block.text)), "")


def _opens_section(block: Block, following: Block | None, sort: str, names: ProgramNames) -> bool:
    if block.kind != "paragraph" or following is None or _sort(following, names) == sort:
        return False
    text = block.text
    if sort.startswith("bullet"):
        return text[0] not in "-*–" and len(text) <= _SHORT and not _NOT_TITLED.search(_heading_text(text))
    return sort == "program" or (len(text) <= 2 * _SHORT and not _NOT_TITLED.search(text))


def _level(text: str, sort: str) -> int:
    if sort == "program":
        return _PROGRAM
    return _BULLET if sort.startswith("bullet") else int(sort)


def _is_plain_heading(block: Block, previous: Block | None, following: Block | None, names: ProgramNames) -> bool:
    """A short line without a sign of a sentence or a figure, below text, above a sentence or a program's name."""
    if block.kind != "paragraph" or following is None or len(block.text) > _SHORT or _NO_HEADING.search(block.text):
        return False
    if names.equal(following.text):
        return True
    if previous is not None and previous.kind == "heading" and previous.level != 0:
        return False
    return following.kind == "byline" or (
        following.kind == "paragraph" and (following.text.endswith("。") or len(following.text) > 2 * _SHORT)
    )


def _heading_text(text: str) -> str:
    return _HEADING_SIGNS.sub("", text).rstrip("】》") or text


@dataclass
class _Heading:
    """A heading above the current block, and the program that it or one above it names.

    `filled` once it has text or headings below it.
    """

    block: Block
    program: str
    filled: bool = False


def _placed(blocks: Iterable[Block], title: str, names: ProgramNames, names_programs: bool) -> Iterator[Placed]:
    """Keeps the path of headings. A heading without anything below it is given as text, so that nothing is lost."""
    whole = names.within(title)
    path: list[_Heading] = []
    bylines: set[tuple[str, str]] = set()

    def place(block: Block) -> Placed:
        program = (path[-1].program if path else "") or whole
        headings = tuple(heading.block.text for heading in path)
        first = next((position for position, heading in enumerate(path) if heading.program), 0)
        shown = " > ".join(headings[first:]) or title
        return Placed(block, program, headings, f"{shown}({block.place})" if block.place else shown)

    def leave(level: int) -> Iterator[Placed]:
        while path and path[-1].block.level >= level:
            left = path.pop()
            if not left.filled:
                yield replace(place(replace(left.block, kind="paragraph", level=0)), program=left.program or whole)
            if path:
                path[-1].filled = True

    for block in blocks:
        if block.kind != "heading":
            placed = place(block)
            if block.kind == "byline":
                if (placed.program, block.text) in bylines:
                    continue
                bylines.add((placed.program, block.text))
            if path:
                path[-1].filled = True
            yield placed if placed.program else replace(placed, program=_program_of_row(block, names))
        elif block.text == title or (path and (path[-1].block.level, path[-1].block.text) == (block.level, block.text)):
            continue
        else:
            yield from leave(block.level)
            above = path[-1].program if path else ""
            alias = names.alias(block.text) if names_programs else ""
            program = names.equal(block.text) or above or names.within(block.text) or alias
            path.append(_Heading(block, program))
    yield from leave(0)


def _program_of_row(block: Block, names: ProgramNames) -> str:
    """The program that a table's row is about: one of its cells is the name."""
    if block.kind != "row":
        return ""
    cells = (cell.partition(": ")[2] or cell for cell in block.text.split(" | "))
    return next((program for cell in cells if (program := names.equal(cell))), "")
