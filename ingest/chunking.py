"""From an outline to chunks: passages of a size that answers a question, with ids that survive edits around them."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ingest.types import Document, Placed
from knowledge.types import ENUMERATED, Chunk

ENOUGH = 100  # characters: a chunk that has as many stands alone, a shorter one is joined with what follows
FULL = 400  # characters: what a chunk is filled up to
_OVERFULL = 600  # characters: how far notes and short ends may go beyond that, so as not to stand alone

_SENTENCES = re.compile(r"[^。!?]*[。!?]+[」』)）\]]*|[^。!?]+$")
_CLAUSES = re.compile(r"[^、,]*[、,]|[^、,]+$")
_NOTE = re.compile(r"^(?:※|\*|注[0-9]?[)）:]|[(（]注)")
_LEAD = 160  # characters of a lead-in that is repeated where a list is cut
_ASKED = re.compile(r"[??]$|(?:です|ます|ません|でしょう|だろう|よい|いい|ある|できる|る|た|い)か[。..]?$")
_QUESTION_MARK = re.compile(r"^(?:Q|問|質問|設問) ?[0-9]{0,3}(?:[-.][0-9]{1,3})*[-.:、)) ]*(?=\S{4})")
_ANSWER_MARK = re.compile(r"^(?:A|答え?|回答) ?[0-9]{0,3}(?:[-.][0-9]{1,3})*[-.:、)) ]+")
_FIGURES = re.compile(r"[\d,.]+")
_OPENING = 24  # characters of a chunk's beginning that its id rests on


@dataclass(frozen=True)
class _Passage:
    """Text of one section, gathered until it is enough."""

    first: Placed
    text: str


def chunk(document: Document, outline: Iterable[Placed]) -> Iterator[Chunk]:
    """The chunks of a document, each id once.

    An id rests on the document, the headings and how the text begins (its figures left out), so a chunk keeps it when
    others come before it or a figure in it changes.
    """
    numbers: Counter[tuple[str, ...]] = Counter()
    for passage in _passages(outline):
        placed = passage.first
        opening = _FIGURES.sub("", passage.text)[:_OPENING]
        origin = (document.id, placed.program, *placed.headings, opening)
        numbers[origin] += 1
        yield Chunk(
            id=identifier("document", *origin, str(numbers[origin])),
            kind="passage",
            document=document.id,
            title=document.title,
            text=passage.text,
            program=placed.program,
            headings=placed.headings,
            place=placed.place,
            url=document.url,
            cells=placed.block.cells,
            answers=placed.block.answers or _question_above(placed),
        )


def identifier(*parts: str) -> str:
    """A short id that these parts always give, and no others."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:20]


def _passages(outline: Iterable[Placed]) -> Iterator[_Passage]:
    gathered: _Passage | None = None
    lead, headings = "", tuple[str, ...]()
    for placed in outline:
        if placed.headings != headings or placed.block.kind != "item":
            headings, lead = placed.headings, placed.block.text if placed.block.kind == "paragraph" else ""
        for text in _pieces(placed):
            if gathered is not None and _belongs(gathered, placed, text):
                gathered = replace(gathered, text=f"{gathered.text}\n{text}")
                continue
            if gathered is not None:
                yield gathered
            leads = placed.block.kind == "item" and lead and len(lead) <= _LEAD
            gathered = _Passage(placed, f"{lead}\n{text}" if leads else text)
    if gathered is not None:
        yield gathered


def _belongs(gathered: _Passage, placed: Placed, text: str) -> bool:
    """Whether a piece goes on in the chunk that is being gathered."""
    first = gathered.first
    if "row" in (first.block.kind, placed.block.kind) or "answer" in (first.block.kind, placed.block.kind):
        return False
    if (first.program, first.headings) != (placed.program, placed.headings):
        return False
    size = len(gathered.text) + 1 + len(text)
    if _NOTE.match(text):
        return size <= _OVERFULL
    if placed.block.kind == "item":
        return size <= FULL
    if len(text) < ENOUGH:
        return size <= FULL + ENOUGH
    return len(gathered.text) < ENOUGH and size <= FULL + ENOUGH


def _pieces(placed: Placed) -> list[str]:
    """A block's text as it is shown, in pieces of about the same size where it is too long for one chunk."""
    text = placed.block.text
    if placed.block.kind in ("row", "answer"):
        return [text]
    if _question_above(placed):
        text = _ANSWER_MARK.sub("", text) or text
    if placed.block.kind == "item" and not ENUMERATED.match(text):
        text = f"・{text}"
    if len(text) <= FULL:
        return [text]
    parts = [part for sentence in _SENTENCES.findall(text) for part in _within(sentence)]
    aimed = len(text) / -(-len(text) // FULL)
    pieces = [""]
    for part in parts:
        room = aimed - len(pieces[-1])
        if pieces[-1] and (len(part) / 2 > room or len(pieces[-1]) + len(part) > FULL):
            pieces.append("")
        pieces[-1] += part
    return [stripped for piece in pieces if (stripped := piece.strip())]


def _question_above(placed: Placed) -> str:
    """The question that a block answers: the heading right above it, without its number; "" where that asks nothing."""
    heading = placed.headings[-1] if len(placed.headings) > 1 or placed.program else ""
    if not (_ASKED.search(heading) or _QUESTION_MARK.match(heading)):
        return ""
    return _QUESTION_MARK.sub("", heading)


def _within(sentence: str) -> list[str]:
    """A sentence, cut at its commas, or anywhere, where it alone is longer than a chunk."""
    if len(sentence) <= FULL:
        return [sentence]
    parts = [""]
    for clause in _CLAUSES.findall(sentence):
        for start in range(0, len(clause), FULL):
            part = clause[start : start + FULL]
            if len(parts[-1]) + len(part) > FULL:
                parts.append("")
            parts[-1] += part
    return parts
