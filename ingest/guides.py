"""The repository's own documents: the programs' guides, and the wordings of their FAQ."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.characters import clean
from ingest.chunking import identifier
from knowledge.catalog import Catalog
from knowledge.matters import load_matters
from knowledge.types import Chunk, Evidence, section_id

_EVIDENCE = re.compile(r"^> 根拠\((?P<place>[^)]*)\): *(?P<quotes>.*)$")
_QUOTE = re.compile(r"「((?:[^「」]|「[^「」]*」)*)」")


@dataclass(frozen=True)
class Section:
    """A section of a guide: one fact or a few in our own words, and the phrases of the document that bear it out."""

    heading: str
    text: str
    evidence: tuple[Evidence, ...]


def read_guide(guide: Path) -> Iterator[Section]:
    """The sections of a guide (`## heading`, text, `> 根拠(place): 「phrase」「phrase」` lines), in order."""
    for part in re.split(r"^## ", guide.read_text(encoding="utf-8"), flags=re.M)[1:]:
        heading, *lines = part.splitlines()
        text: list[str] = []
        evidence: list[Evidence] = []
        for line in lines:
            if found := _EVIDENCE.match(line):
                evidence += [Evidence(found["place"], quote) for quote in _QUOTE.findall(found["quotes"])]
            elif line.strip():
                text.append(clean(line))
        yield Section(heading.strip(), "\n".join(text), tuple(evidence))


def repository_chunks(catalog: Catalog) -> Iterator[Chunk]:
    """A passage for each section of the guides, and a question for each wording of the FAQ's entries not learnt."""
    matters = load_matters()
    for id, program in catalog.programs.items():
        document = program.document
        for section in read_guide(catalog.guides[id]):
            first = section.evidence[0] if section.evidence else Evidence("", "")
            yield Chunk(
                id=section_id(id, section.heading),
                kind="passage",
                document=document.id,
                title=document.title,
                text=section.text,
                program=id,
                headings=(program.name, section.heading),
                place=first.place,
                quote=first.quote,
                url=document.url,
            )
        for entry in (entry for entry in catalog.faq[id] if not matters.knows(id, entry.id)):
            for wording in dict.fromkeys(entry.questions):
                yield Chunk(
                    id=identifier(id, "faq", entry.id, wording),
                    kind="question",
                    document=document.id,
                    title=document.title,
                    text=wording,
                    program=id,
                    target=entry.id,
                )
