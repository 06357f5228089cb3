"""The index as a LangChain retriever, for chains of one's own. The bot does not use it: it asks the searcher itself."""

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from knowledge.search import Searcher


class PassageRetriever(BaseRetriever):
    """Finds passages, best first.

    `searcher` is the open index; `program` keeps to passages of one program and of none, "" to all; at most `limit` are
    found. A document's metadata are `source` (the title), `place`, `url`, `program` and `score` (0..1).
    """

    searcher: Searcher
    program: str = ""
    limit: int = 8

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return [
            Document(
                hit.chunk.text,
                id=hit.chunk.id,
                metadata={
                    "source": hit.chunk.title,
                    "place": hit.chunk.place,
                    "url": hit.chunk.url,
                    "program": hit.chunk.program,
                    "score": hit.score,
                },
            )
            for hit in self.searcher.search(query, program=self.program, limit=self.limit)
        ]
