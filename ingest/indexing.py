"""From the repository's and the added documents to the index, audited on the way."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.auditing import Audit, Auditor, save_audit
from ingest.chunking import chunk
from ingest.documents import Documents
from ingest.guides import repository_chunks
from ingest.naming import Names
from ingest.outlining import ProgramNames, outline
from ingest.types import Document, Placed, ReadError
from knowledge.catalog import Catalog
from knowledge.encoder.encoding import Encoder
from knowledge.store import IndexChanges, update_index
from knowledge.types import Chunk, NamedDocument

Unreadable = dict[str, ReadError]
"""Why added documents cannot be read any more, by their ids."""


@dataclass(frozen=True)
class Report:
    """What a run did to the index, what the audit found, and the added documents that could not be read."""

    changes: IndexChanges
    audit: Audit
    unreadable: Unreadable


def index(
    data_dir: Path,
    catalog: Catalog,
    documents: Documents,
    encoder: Encoder,
    progress: Callable[[int], None],
    chroma_url: str = "",
) -> Report:
    """Brings the index and the audit up to date with the guides, the FAQ and the added documents.

    Raises:
        IndexBusyError, IndexUnwritableError: from the store.
    """
    auditor, unreadable = Auditor(catalog), Unreadable()

    programs = ProgramNames(catalog.programs)
    named: list[NamedDocument] = []

    def chunks() -> Iterator[Chunk]:
        yield from repository_chunks(catalog)
        for document, outlined in _outlines(programs, documents, unreadable):
            names = Names(document)
            yield from chunk(document, auditor.hear(document, names.hear(outlined)))
            named.append(names.named(programs))

    changes = update_index(data_dir, chunks(), encoder, progress, chroma_url, lambda: named)
    found = auditor.finish()
    save_audit(data_dir, found)
    return Report(changes, found, unreadable)


def audit(catalog: Catalog, documents: Documents) -> tuple[Audit, Unreadable]:
    """The audit alone, from the documents as they were added; the index is not touched."""
    auditor, unreadable = Auditor(catalog), Unreadable()
    for document, outlined in _outlines(ProgramNames(catalog.programs), documents, unreadable):
        deque(auditor.hear(document, outlined), maxlen=0)
    return auditor.finish(), unreadable


def _outlines(
    names: ProgramNames, documents: Documents, unreadable: Unreadable
) -> Iterator[tuple[Document, Iterator[Placed]]]:
    for added in documents.added.values():
        try:
            document = documents.open(added)
        except ReadError as error:
            unreadable[added.id] = error
            continue
        yield document, outline(document, names)
