"""The index in a LangChain chain."""

from langchain_core.runnables import RunnableLambda

from knowledge.retriever import PassageRetriever

QUESTION = "アドバイザーの旅費は誰が払いますか"


def test_it_finds_what_the_searcher_finds_with_where_it_stands(knowledge):
    hits = knowledge.searcher.search(QUESTION, limit=3)
    documents = PassageRetriever(searcher=knowledge.searcher, limit=3).invoke(QUESTION)
    assert [document.id for document in documents] == [hit.chunk.id for hit in hits]
    assert [document.page_content for document in documents] == [hit.chunk.text for hit in hits]
    first = documents[0].metadata
    assert (first["program"], first["score"]) == ("adviser", hits[0].score)
    assert first["source"]
    assert first["place"]


def test_it_keeps_to_a_program(knowledge):
    documents = PassageRetriever(searcher=knowledge.searcher, program="keikaku").invoke(QUESTION)
    assert {document.metadata["program"] for document in documents} <= {"keikaku", ""}


async def test_it_is_a_part_of_a_chain(knowledge):
    chain = PassageRetriever(searcher=knowledge.searcher) | RunnableLambda(len)
    assert await chain.abatch([QUESTION, "🙂"]) == [8, 0]
