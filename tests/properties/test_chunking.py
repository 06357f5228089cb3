"""Whatever a document holds: its text is in its chunks, in order, each of a bounded size under an id of its own."""

import re
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from ingest.characters import clean
from ingest.chunking import chunk
from ingest.outlining import ProgramNames, outline
from ingest.types import Block, Document
from knowledge.catalog import load_catalog
from knowledge.types import Chunk

PROGRAMS = load_catalog().programs
NAMES = ProgramNames(PROGRAMS)
TITLE = "架空の補助金の手引き"
NAVIGATION = "続きを読む"
LARGEST = 600  # characters
MARKS = re.compile(r"[\s・●○◇□▪■◆▼◎•◦‣➢✓【】《》*\-–]")

words = st.text(st.sampled_from("町村の補助金を申請する経費上限100万円、()「」第1条A:"), min_size=1, max_size=40)
sentences = st.lists(words.map(lambda text: f"{text}。"), min_size=1, max_size=30).map("".join)
parts = st.sampled_from([["補助金を申請する。", "町の、", "経費", "「上限」。"], ["町の、", "経費"], ["補助"]])
long_texts = parts.flatmap(lambda some: st.lists(st.sampled_from(some), min_size=90, max_size=250)).map("".join)
lines = st.one_of(
    words,
    sentences,
    long_texts,
    long_texts.map("※{}".format),
    st.builds("{}{}".format, st.sampled_from(["・", "■", "1. ", "(2) ", "- - ", "※", "Q1 ", "第3条 ", "【"]), words),
    st.sampled_from([program.name for program in PROGRAMS.values()]),
    st.sampled_from(["対象", "お問い合わせ先", "架空省 地域局 課長補佐", "山田 花子", "やまだ はなこ", NAVIGATION]),
)
blocks = st.one_of(
    lines.map(lambda text: Block("paragraph", clean(text), "1行目")),
    words.map(lambda text: Block("item", clean(text))),
    words.map(lambda text: Block("row", clean(f"区分: {text} | 上限: 10万円"))),
    st.builds(lambda text, level: Block("heading", clean(text), level=level), words, st.integers(1, 6)),
).filter(lambda block: block.text)

contents = st.lists(blocks, max_size=25).flatmap(lambda once: st.sampled_from([once, once * 2]))


def chunks_of(document_blocks: Sequence[Block]) -> list[Chunk]:
    document = Document("手引き.txt", TITLE, document_blocks)
    return list(chunk(document, outline(document, NAMES)))


def bare(text: str) -> str:
    """Text without what ingest may add, change or take away: blanks and the marks of headings and lists."""
    return MARKS.sub("", text)


@given(contents)
def test_no_text_is_lost_but_navigation(document_blocks: list[Block]) -> None:
    chunks = chunks_of(document_blocks)
    texts = bare("".join(c.text for c in chunks))
    headings = {bare(heading) for c in chunks for heading in c.headings}
    opened = [bare(c.headings[-1] + c.text) for c in chunks]  # 第3条 is a heading, and what follows on its line a text
    for block in document_blocks:
        if block.text != NAVIGATION:
            text = bare(block.text)
            assert text in texts or text in headings or any(whole.startswith(text) for whole in opened)


@given(contents)
def test_no_text_is_made_up_and_its_order_is_kept(document_blocks: list[Block]) -> None:
    whole = bare("".join(block.text for block in document_blocks))
    position = 0
    for c in chunks_of(document_blocks):
        for number, line in enumerate(c.text.split("\n")):
            head = bare(line)[:15].partition("(")[0]
            if number == 0 and c.text != line and head in whole[:position]:
                continue  # the lead-in of a list is repeated where the list is cut
            position = whole.find(head, position)
            assert position >= 0


@given(contents)
def test_chunks_are_neither_empty_nor_larger_than_can_be_shown(document_blocks: list[Block]) -> None:
    for c in chunks_of(document_blocks):
        assert c.text.strip()
        assert len(c.text) <= LARGEST


@given(contents)
def test_ids_are_unique_and_a_second_reading_gives_the_same(document_blocks: list[Block]) -> None:
    chunks = chunks_of(document_blocks)
    assert len({c.id for c in chunks}) == len(chunks)
    assert chunks_of(document_blocks) == chunks


@given(st.lists(blocks, max_size=15), st.lists(blocks, max_size=5))
def test_a_new_section_at_the_end_leaves_the_others_as_they_were(
    document_blocks: list[Block], added: list[Block]
) -> None:
    section = [Block("heading", "新しい章", level=1), *added]
    end = [Block("heading", "最後の章", level=1), Block("paragraph", "おわりの文です。")]
    before = chunks_of([*document_blocks, *end])
    after = {c.id: c for c in chunks_of([*document_blocks, *end, *section, Block("paragraph", "足した文です。")])}
    assert all(after.get(c.id) == c for c in before)


@given(st.lists(blocks, max_size=15), st.text("町村の補助金を申請する経費", min_size=15, max_size=40))
def test_a_teaser_of_what_follows_in_full_changes_nothing(document_blocks: list[Block], text: str) -> None:
    full = Block("paragraph", f"{text}という説明を、最後まで書きます。")
    teaser = Block("paragraph", f"{text}…")
    end = Block("heading", "説明の章", level=1)
    plain = chunks_of([*document_blocks, end, full])
    assert chunks_of([*document_blocks, end, teaser, full]) == plain
