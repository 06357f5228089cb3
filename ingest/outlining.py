"""From blocks to an outline: which lines are headings, which program a part speaks of, what is only repeated.

Text files mark nothing, and PDFs and office files little, so headings are told from the lines themselves; a document
that marks them gives the same outline.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ingest.characters import clean, squeeze
from ingest.formats.tables import SECTION
from ingest.types import Block, Document, Placed
from knowledge.types import Program

# Levels of headings that are told from the lines. Marked headings have 1 to 9 and stand above all of them.
_LEVELS: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"^第 ?[0-9一-十]+ ?[章編部]"), 20),
    (re.compile(r"^第 ?[0-9一-十]+ ?節"), 22),
    (re.compile(r"^第 ?[0-9一-十]+ ?条"), 24),
    (re.compile(r"^(?:[0-9]{1,2}[.．]|[IVXⅠ-Ⅹ]+[.．]|[0-9]{1,2} (?=[^\x00-\x7f])) ?(?![0-9])"), 40),
    (re.compile(r"^[0-9]{1,2}[-.][0-9]{1,2}[.．]? ?(?![0-9.])"), 42),
    (re.compile(r"^[(（][0-9]{1,2}[)）]"), 44),
    (re.compile(r"^[■◆▼◎] ?"), 46),
    (re.compile(r"^【[^】]+】$"), 48),
    (re.compile(r"^[ア-ン][ .．、)）]"), 52),
)
_ENUMERATED = frozenset(("40", "42", "44", "52"))
"""The sorts of lines that count (1., (1), ア)."""
_COUNT = re.compile(r"^[(（]?(?:(?P<number>[0-9]+)(?:[-.](?P<part>[0-9]+))?|(?P<kana>[ア-ン]))")
_KANA = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン"
_BANNER, _PLAIN, _BULLET = 30, 70, 80
_SORTS = {"program": 60, "question": 75}
_ASKS = re.compile(r"^(?:Q|問) ?[0-9]{0,2}[-.:、)]? ?\S.{4,}$")
_ASKED_AND_TOLD = re.compile(
    r"(?P<asked>(?:Q|問) ?[0-9].{4,200}?[。??]) ?(?P<told>(?:A|答) ?[0-9]{1,2}[-.:、) 0-9]* ?\S.+)", re.S
)
_BULLETS = re.compile(r"^(?:[・●○◇□▪•◦‣➢✓] ?|(?:[-*–] ?)+ )")
_SHORT = 30  # characters of a heading that only its shortness shows
_LABEL = re.compile(
    r"(?:対象|対象者|要件|条件|経費|概要|目的|趣旨|内容|方法|書類|流れ|手順|期間|期限|締切|時期|日程|スケジュール|金額|額|率|規模|予算|[一-龯]負担|先|"
    r"窓口|留意点|留意事項|注意事項|注意点|その他)$"
)
_NO_HEADING = re.compile(r"[。、!?:;…]|\.\.\.|https?://|^[※(（「『]|[)）]$|\d(?:円|万円|億円|%|日|時間|回|件)|程度$")
_NOT_TITLED = re.compile(r"[。!?…]|\.\.\.|[、:;]$|^[0-9]+$")
_HEADING_SIGNS = re.compile(r"^[・●○◇□▪■◆▼◎【《\s]+")
_NUMBERING = re.compile(
    r"^(?:第 ?[0-9一-十]+ ?[章節条編部]|[(（]?[0-9]{1,2}[)）.．、-]+(?:[0-9]{1,2}[.．]?)?|[■◆▼◎●○・【《〈]+)\s*"
)
_NAME_SIGNS = re.compile(r"[\s「」『』【】《》〈〉\"'()（）・:]")
_PART_OF_WORD = "[一-龯々ァ-ヴー]"
_NAME_ENDINGS = re.compile(r"(?:について|とは|の概要|の内容|の公募|のご案内)$")

_ELLIPSIS = re.compile(r"(?:…|\.{3}|・{3})+$")
_TEASER = 15  # characters; a shorter line with an ellipsis says nothing about what it repeats
_NAVIGATION = {
    "続きを読む", "もっと見る", "詳しくはこちら", "詳細はこちら", "ページの先頭へ", "このページの先頭へ",
    "ページトップへ", "トップへ戻る", "前へ", "次へ", "戻る", "閉じる", "印刷", "印刷する", "ホーム", "メニュー",
    "目次へ戻る", "本文へ", "本文へ移動", "ここから本文です",
}  # fmt: skip

_CONTENTS = re.compile(r"^[\[【<〈《]?(?:目次|もくじ|contents|index)[\]】>〉》]?$", re.I)
_LEADERS = re.compile(r"(?:[.…・‥・]{4,}|(?:\. ){3,}|[-―─]{6,}) ?(?:P\.?)?[0-9]{1,3}$")
_PAGE_ALONE = re.compile(r"[Pp]\.? ?[0-9]{1,3}")
_LEADER = re.compile(r"(?:[.…・‥]{2,})?[0-9]{1,3}$")
_ARTICLE = re.compile(
    r"^(?P<number>第 ?[0-9一二三四五六七八九十百]+ ?条(?:の[0-9一二三四五六七八九十]+)?)"
    r"(?: ?\((?P<title>[^()]{1,30})\)|(?= |$))"
)
_ARTICLE_TITLE = re.compile(r"\([^()]{2,30}\)")
_ARTICLE_LEVEL = 24

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
        self._exact: dict[str, str] = {}
        self._standing: dict[str, re.Pattern[str]] = {}
        for program in programs.values():
            name = _bare(program.name)
            self._exact[name] = program.id
            self._exact |= {bare: program.id for alias in program.aliases if _is_nearly(bare := _bare(alias), name)}
            letters = f"{_NAME_SIGNS.pattern}*".join(map(re.escape, name))
            self._standing[program.id] = re.compile(f"(?<!{_PART_OF_WORD}){letters}(?!{_PART_OF_WORD})")

    def equal(self, text: str) -> str:
        """The program whose name this line is ("" for none); numbering and brackets do not matter."""
        bare = _bare(_NUMBERING.sub("", text))
        return self._exact.get(bare) or self._exact.get(_NAME_ENDINGS.sub("", bare), "")

    def within(self, text: str) -> str:
        """The one program whose full name stands in the text, in no longer name ("" for none or several)."""
        found = [program for program, name in self._standing.items() if name.search(text)]
        return found[0] if len(found) == 1 else ""


def _bare(text: str) -> str:
    return _NAME_SIGNS.sub("", clean(text))


def _is_nearly(alias: str, name: str) -> bool:
    """Whether an alias is most of the name, so that it cannot mean anything else as a heading."""
    pairs = [alias[position : position + 2] for position in range(len(alias) - 1)]
    return len(alias) >= 0.7 * len(name) and sum(pair in name for pair in pairs) >= 0.8 * len(pairs)


def outline(document: Document, names: ProgramNames) -> Iterator[Placed]:
    """The document's blocks in their places, without teasers, navigation and repeated bylines.

    Args:
        document: read twice, so its blocks must be readable again.
        names: the names of the programs.
    """
    teasers = _teasers(document)
    listed = _contents_entries(document)
    kept = (
        block
        for number, block in enumerate(document.blocks)
        if block.text not in _NAVIGATION and number not in listed and _cut_off(block.text) not in teasers
    )
    parted = _folded(_with_articles(_with_questions(kept)))
    yield from _placed(_with_headings(parted, document.title, names), document.title, names)


def _teasers(document: Document) -> set[str]:
    """The beginnings that are shown with an ellipsis and in full elsewhere."""
    cut_off = {start for block in document.blocks if (start := _cut_off(block.text))}
    if not cut_off:
        return set()
    lengths = {len(start) for start in cut_off}
    whole = (block.text for block in document.blocks if not _cut_off(block.text))
    return {start for text in whole for length in lengths if (start := text[:length]) in cut_off}


def _contents_entries(document: Document) -> set[int]:
    """The positions of what belongs to a table of contents: lines with leaders and a page, and those below its title.

    Below the title, entries go on as long as they come again later as a line of their own.
    """
    texts = [_LEADER.sub("", squeeze(block.text)) for block in document.blocks]
    last = {text: position for position, text in enumerate(texts)}
    found: set[int] = set()
    below = False
    for position, block in enumerate(document.blocks):
        if _CONTENTS.match(squeeze(block.text)):
            below = True
            found.add(position)
        elif (
            _LEADERS.search(block.text)
            or (below and last[texts[position]] > position)
            or (block.cells and _PAGE_ALONE.fullmatch(block.cells[-1][1]))
        ):
            found.add(position)
        else:
            below = False
    return found


def _with_questions(blocks: Iterable[Block]) -> Iterator[Block]:
    """Parts a question from its answer where both stand in one paragraph (Q1 …か。A1 …)."""
    for block in blocks:
        both = _ASKED_AND_TOLD.match(block.text) if block.kind == "paragraph" else None
        if both:
            yield replace(block, text=both["asked"].strip())
            yield replace(block, text=both["told"])
        else:
            yield block


def _with_articles(blocks: Iterable[Block]) -> Iterator[Block]:
    """Makes a heading of an article's number and title (第3条 補助金の額), which stand in two lines or in the text."""
    title: Block | None = None
    for block in blocks:
        article = _ARTICLE.match(block.text) if block.kind in ("paragraph", "heading") else None
        if article and (title or block.kind == "paragraph"):
            named = title.text.strip("() ") if title else article["title"] or ""
            rest = block.text[article.end() :].strip()
            if not named and len(rest) <= _SHORT and not _NOT_TITLED.search(rest):
                named, rest = rest, ""
            yield Block("heading", " ".join(filter(None, (article["number"], named))), block.place, _ARTICLE_LEVEL)
            if rest:
                yield replace(block, kind="paragraph", text=rest, level=0)
            title = None
            continue
        if title:
            yield title
            title = None
        if block.kind in ("paragraph", "heading") and _ARTICLE_TITLE.fullmatch(block.text):
            title = block
        else:
            yield block
    if title:
        yield title


def _cut_off(text: str) -> str:
    """The text before an ellipsis at its end ("" where there is none, or too little before it)."""
    start = _ELLIPSIS.sub("", text)
    return start if start != text and len(start) >= _TEASER else ""


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
    listed, number = "", 0  # the sort and the number of the last line, where it was not taken for a heading
    for block, following, _ in _windows(blocks):
        sort = _sort(block, names)
        goes_on = sort == listed and (sort not in _ENUMERATED or _count(block.text) == number + 1)
        if block.kind == "heading":
            given = replace(block, text=_heading_text(block.text))
        elif block.kind in ("row", "answer", "byline"):
            given = block
        elif previous is None and title.startswith(block.text):
            given = replace(block, kind="heading", level=0)
        elif sort and not goes_on and _opens_section(block, following, sort, names):
            given = replace(block, kind="heading", text=_heading_text(block.text), level=_level(block.text, sort))
        elif not sort and _is_plain_heading(block, previous, following, names):
            banner = following is not None and bool(names.equal(following.text))
            given = replace(block, kind="heading", level=_BANNER if banner else _PLAIN)
        elif block.kind == "item" or sort.startswith("bullet"):
            given = replace(block, kind="item", text=_BULLETS.sub("", block.text) or block.text)
        elif sort in ("44", "52"):
            given = replace(block, kind="item")
        else:
            given = block
        listed, number = (sort, _count(block.text)) if given.kind != "heading" else ("", 0)
        previous = given
        yield given


def _count(text: str) -> int:
    """What a line that counts has reached: 3 in (3), ウ and 2-3; 0 in others."""
    found = _COUNT.match(text)
    if not found:
        return 0
    return _KANA.find(found["kana"]) + 1 if found["kana"] else int(found["part"] or found["number"])


def _sort(block: Block, names: ProgramNames) -> str:
    """What marks the line: a program's name, a question, a bullet, or a pattern of _LEVELS ("" for nothing)."""
    if block.kind in ("row", "answer", "byline"):
        return ""
    if names.equal(block.text):
        return "program"
    if _ASKS.match(block.text):
        return "question"
    if _BULLETS.match(block.text):
        return f"bullet {block.text[0]}"
    return next((str(level) for pattern, level in _LEVELS if pattern.match(block.text)), "")


def _opens_section(block: Block, following: Block | None, sort: str, names: ProgramNames) -> bool:
    if block.kind != "paragraph" or following is None:
        return False
    counts_on = sort not in _ENUMERATED or _count(following.text) == _count(block.text) + 1
    if _sort(following, names) == sort and counts_on:
        return False
    text = block.text
    if sort.startswith("bullet"):
        return text[0] not in "-*–" and len(text) <= _SHORT and not _NOT_TITLED.search(_heading_text(text))
    if sort == "question":
        return len(text) <= 4 * _SHORT
    return sort == "program" or (len(text) <= 2 * _SHORT and not _NOT_TITLED.search(text))


def _level(text: str, sort: str) -> int:
    if sort in _SORTS:
        return _SORTS[sort]
    return _BULLET if sort.startswith("bullet") else int(sort)


def _is_plain_heading(block: Block, previous: Block | None, following: Block | None, names: ProgramNames) -> bool:
    """A short line without a sign of a sentence or a figure, above a sentence or a program's name, or a usual label."""
    if block.kind != "paragraph" or following is None or len(block.text) > _SHORT or _NO_HEADING.search(block.text):
        return False
    if names.equal(following.text):
        return True
    if _LABEL.search(block.text) and not _LABEL.search(following.text):
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

    def is_same(self, heading: Block) -> bool:
        """Whether a heading only repeats this one."""
        return (self.block.level, self.block.text) == (heading.level, heading.text)


def _placed(blocks: Iterable[Block], title: str, names: ProgramNames) -> Iterator[Placed]:
    """Keeps the path of headings. A heading without anything below it is given as text, so that nothing is lost."""
    whole = names.within(title)
    path: list[_Heading] = []
    bylines: set[tuple[str, str]] = set()

    def place(block: Block) -> Placed:
        program = (path[-1].program if path else "") or whole
        headings = tuple(heading.block.text for heading in path)
        first = next((position for position, heading in enumerate(path) if heading.program), None)
        shown = " > ".join(headings[first or 0 :]) or title
        if first is None:
            headings = (title, *headings)
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
            if block.kind not in ("row", "answer"):
                yield from leave(SECTION)
            placed = place(block)
            if block.kind == "byline":
                if (placed.program, block.text) in bylines:
                    continue
                bylines.add((placed.program, block.text))
            if path:
                path[-1].filled = True
            yield placed if placed.program else replace(placed, program=_program_of_row(block, names))
        elif block.level and block.text != title and not (path and path[-1].is_same(block)):
            yield from leave(block.level)
            above = path[-1].program if path else ""
            path.append(_Heading(block, names.equal(block.text) or above or names.within(block.text)))
    yield from leave(0)


def _program_of_row(block: Block, names: ProgramNames) -> str:
    """The program that a table's row is about: one of its cells is the name."""
    if block.kind != "row":
        return ""
    cells = (cell.partition(": ")[2] or cell for cell in block.text.split(" | "))
    return next((program for cell in cells if (program := names.equal(cell))), "")
