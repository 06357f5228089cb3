"""From the repository's and the added documents to the index, audited on the way."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ingest.auditing import Audit, Auditor, save_audit
from ingest.chunking import chunk
from ingest.documents import Documents
from ingest.guides import repository_chunks
from ingest.outlining import ProgramNames, outline
from ingest.types import Placed, ReadError
from knowledge.catalog import Catalog
from knowledge.embedding import Embedding
from knowledge.store import IndexChanges, update_index
from knowledge.types import Chunk


@dataclass(frozen=True)
class Outcome:
    """What a run did to the index, what the audit found, and the added documents that could not be read."""

    changes: IndexChanges
    audit: Audit
    unreadable: dict[str, ReadError] = field(default_factory=dict)


def index(
    data_dir: Path, catalog: Catalog, documents: Documents, embedding: Embedding, progress: Callable[[int], None]
) -> Outcome:
    """Brings the index and the audit up to date with the guides, the FAQ and the added documents.

    Raises:
        IndexBusyError, IndexUnwritableError: from the store.
    """
    names = ProgramNames(catalog.programs)
    auditor = Auditor(catalog)
    unreadable: dict[str, ReadError] = {}
    chunks = _chunks(catalog, documents, names, auditor, unreadable)
    changes = update_index(data_dir, chunks, embedding, progress)
    audit = auditor.finish()
    save_audit(data_dir, audit)
    return Outcome(changes, audit, unreadable)


def audit(catalog: Catalog, documents: Documents) -> tuple[Audit, dict[str, ReadError]]:
    """The audit alone, from the documents as they were added; the index is not touched."""
    names = ProgramNames(catalog.programs)
    auditor = Auditor(catalog)
    unreadable: dict[str, ReadError] = {}
    for added in documents.added.values():
        try:
            for placed in outline(documents.open(added), names):
                auditor.hear(added.id, added.title, placed)
        except ReadError as error:
            unreadable[added.id] = error
    return auditor.finish(), unreadable


def _chunks(
    catalog: Catalog,
    documents: Documents,
    names: ProgramNames,
    auditor: Auditor,
    unreadable: dict[str, ReadError],
) -> Iterator[Chunk]:
    yield from repository_chunks(catalog)
    for added in documents.added.values():
        try:
            document = documents.open(added)
        except ReadError as error:
            unreadable[added.id] = error
            continue
        yield from chunk(document, _heard(outline(document, names), added.id, added.title, auditor))


def _heard(outlined: Iterator[Placed], document: str, title: str, auditor: Auditor) -> Iterator[Placed]:
    for placed in outlined:
        auditor.hear(document, title, placed)
        yield placed
