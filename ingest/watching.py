"""Looks at the pages that are watched: what is new is added, and each figure that changed is named."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import SequenceMatcher
from pathlib import Path

from ingest.auditing import Slot, sentences_of, slotted
from ingest.documents import Documents, ReadDocument
from ingest.fetching import Fetcher, id_of
from ingest.files import replacing
from ingest.types import Document, ReadError
from knowledge.catalog import Catalog
from knowledge.figures import normalize
from knowledge.watching import FILE, Change, Looked, Watch, load_watch

_KEPT = 200  # changes that are remembered
_ALIKE = 0.75  # how much alike (0..1) two sentences are, their figures left out, of which one took the other's place


@dataclass(frozen=True)
class PageNews:
    """What a look at the pages found: the changes that are new, how many pages are new or other, and the problems."""

    changes: tuple[Change, ...]
    renewed: int
    problems: tuple[tuple[str, ReadError], ...]


def watched(catalog: Catalog, documents: Documents) -> dict[str, str]:
    """The ids by the addresses of what is watched: documents that were added from one, and the programs' pages."""
    pages = {added.source: added.id for added in documents.added.values() if added.source}
    for program in catalog.programs.values():
        if program.document.url:
            pages.setdefault(program.document.url, id_of(program.document.url))
    return pages


def look(data_dir: Path, catalog: Catalog, documents: Documents, fetcher: Fetcher, now: datetime) -> PageNews:
    """Fetches each page, and adds those that changed. Only to put these on the list, others have to wait."""
    before = load_watch(data_dir)
    pages: dict[str, Looked] = {}
    changes: list[Change] = []
    problems: list[tuple[str, ReadError]] = []
    renewed = 0
    at = now.isoformat(timespec="seconds")
    for url, id in watched(catalog, documents).items():
        known = before.pages.get(url, Looked()) if id in documents.added else Looked()
        try:
            fetched = fetcher.fetch(url, known.etag, known.modified)
            if fetched is None:
                pages[url] = replace(known, looked_at=at, problem="")
                continue
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / f"page{fetched.suffix}"
                file.write_bytes(fetched.content)
                reading = documents.read(file, id, url, Path(folder))
                with documents.changing():
                    is_new, found = _renew(documents, reading, at)
            renewed += is_new
            changes += found
            pages[url] = Looked(fetched.etag, fetched.modified, at)
        except ReadError as error:
            problems.append((url, error))
            pages[url] = replace(known, looked_at=at, problem=error.reason)
    with replacing(data_dir / FILE) as output:
        output.write(Watch(pages, (*before.changes, *changes)[-_KEPT:]).as_json())
    return PageNews(tuple(changes), renewed, tuple(problems))


def changed_figures(old: Document, new: Document) -> Iterator[tuple[str, str, str, str, str]]:
    """The figures that differ between two editions: old, new, both sentences, and the place of the new one.

    Sentences that stand in both are left out; of the others, one took the place of another where they say the same of
    other figures, or nearly so.
    """
    olds, news = dict(sentences_of(old)), dict(sentences_of(new))
    gone = {sentence: slotted(sentence) for sentence in olds if sentence not in news}
    for sentence, place in news.items():
        if sentence in olds:
            continue
        text, figures = slotted(sentence)
        if not figures:
            continue
        match = _nearest(text, gone)
        if match is None:
            continue
        old_figures = gone.pop(match)[1]
        for position, figure in enumerate(figures):
            was = old_figures[position] if position < len(old_figures) else None
            if was is None or was.value != figure.value:
                written = normalize(match)[was.start : was.end] if was else ""
                yield written, normalize(sentence)[figure.start : figure.end], match, sentence, place


def _nearest(text: str, gone: Mapping[str, tuple[str, tuple[Slot, ...]]]) -> str | None:
    """Of the sentences that are gone, the one that says the same of other figures."""
    best, likeness = None, _ALIKE
    for sentence, (other, _) in gone.items():
        ratio = 1.0 if other == text else SequenceMatcher(None, other, text, autojunk=False).ratio()
        if ratio >= likeness:
            best, likeness = sentence, ratio
    return best


def _renew(documents: Documents, reading: ReadDocument, at: str) -> tuple[bool, list[Change]]:
    """Puts what was fetched on the list; whether it is new or other than before, and the figures that changed."""
    id, url = reading.added.id, reading.added.source
    before = documents.added.get(id)
    old = documents.open(before) if before else None
    old_sentences = Document(id, old.title, list(old.blocks)) if old else None
    added = documents.put(reading)
    if added == before:
        return False, []
    if old_sentences is None:
        return True, []
    found = changed_figures(old_sentences, documents.open(added))
    return True, [Change(id, url, *change, at) for change in found]
