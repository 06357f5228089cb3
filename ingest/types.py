"""What the stages of ingest hand to each other."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from knowledge.types import Cell

Kind = Literal["heading", "paragraph", "item", "row", "answer", "byline"]


class ReadError(Exception):
    """A document that cannot be taken in: the reason, and what the operator can do about it (both in Japanese)."""

    def __init__(self, reason: str, remedy: str) -> None:
        """Keep both parts; the message joins them."""
        self.reason, self.remedy = reason, remedy
        super().__init__(f"{reason}。{remedy}")


@dataclass(frozen=True)
class Block:
    """One heading, paragraph, list item, table row ("列: 値 | 列: 値") or answer of a document, cleaned.

    `place` is the page, line or cell where it begins ("" where the format has none); `level` that of a heading, 1 the
    highest. An item's text has no marker. A row has its `cells` beside its text; an answer the question that it
    `answers`. A byline (the name lines of a speaker, in one) appears in outlines only.
    """

    kind: Kind
    text: str
    place: str = ""
    level: int = 0
    cells: tuple[Cell, ...] = ()
    answers: str = ""


@dataclass(frozen=True)
class Unread:
    """Something in a document that its reader could not take: what it is, where, and about how many blocks it makes."""

    what: str
    place: str
    blocks: int = 1


PAGE = 20
"""About how many blocks a page or a sheet makes that nobody could read."""


@dataclass(frozen=True)
class Document:
    """A document as its blocks, in reading order.

    `blocks` of a document that is being extracted can be read once, those of a stored one as often as needed. `unread`
    is complete when the blocks have been read.
    """

    id: str
    title: str
    blocks: Iterable[Block]
    url: str = ""
    unread: list[Unread] = field(default_factory=list)


@dataclass(frozen=True)
class Placed:
    """A block below headings, in its place.

    `program` is what it speaks of ("" for none), `headings` all headings above it, after the document's title where
    none of them names the program. `place` is for a reader: the headings from the program's on, with the page or line.
    """

    block: Block
    program: str
    headings: tuple[str, ...]
    place: str
