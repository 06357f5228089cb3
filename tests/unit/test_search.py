"""Ranking, filters, coverage and swapping, on small real indexes."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.embedding import Embedding, load_embedding
from knowledge.search import RELEVANT, Searcher, load_synonyms
from knowledge.store import Kind, open_index, update_index
from knowledge.types import Chunk
from knowledge.words import character_pairs, index_terms, read_words, segmented

PASSAGES = {
    "cost": ("adviser", "アドバイザーの交通費・宿泊費・謝金は、総務省がすべて負担します。"),
    "window": ("adviser", "申請は4月から12月まで、毎月受け付けています。"),
    "report": ("adviser", "支援の終了後は、1週間以内に実施報告書を提出します。"),
    "ai": ("adviser", "2023年度から、生成AIの分野も対象に加わりました。"),
    "courses": ("keikaku", "地域の課題を整理するコースと、実装の計画を作るコースがあります。"),
    "free": ("keikaku", "支援を受ける団体の費用負担はありません。"),
    "index": ("keikaku", "財政力指数が1以上の地方公共団体は対象外です。"),
    "cap": ("suishin", "事業規模の上限は1億円です。"),
    "apply": ("suishin", "都道府県が管内の市区町村と連携して申請します。"),
    "contact": ("", "制度全般の相談は、地域通信振興課で受け付けています。"),
}
QUESTIONS = {
    "adviser-cost": ["アドバイザーの謝金は誰が払いますか", "先生を呼ぶとお金かかる?"],
    "adviser-window": ["アドバイザーの申請期間はいつですか", "いつまで申し込める?"],
    "suishin-cap": ["推進体制構築支援の上限額はいくらですか", "いくらまで出るの"],
}


def the_chunks() -> list[Chunk]:
    passages = [
        Chunk(name, text, "passage", "doc", "案内", text, program=program)
        for name, (program, text) in PASSAGES.items()
    ]
    questions = [
        Chunk(f"{target}-{number}", text, "question", "faq", "FAQ", text, program=target.split("-")[0], target=target)
        for target, texts in QUESTIONS.items()
        for number, text in enumerate(texts)
    ]
    return passages + questions


@pytest.fixture(scope="module")
def embedding() -> Embedding:
    return load_embedding()


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory, embedding: Embedding) -> Iterator[Searcher]:
    data_dir = tmp_path_factory.mktemp("data")
    update_index(data_dir, the_chunks(), embedding, lambda read: None)
    searcher = Searcher(open_index(data_dir, embedding), embedding)
    yield searcher
    searcher.close()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("先生への謝礼はうちが払うの?", "cost"),
        ("〆切いつ", "window"),
        ("いつからいつまで申し込みできる", "window"),
        ("終わったあとレポートいる?", "report"),
        ("ChatGPTの相談したい", "ai"),
        ("どんなコースがある", "courses"),
        ("コンサルの支援 タダ?", "free"),
        ("財政力指数1.2の市です", "index"),
        ("ザイセイリョク指数は関係ある?", "index"),
        ("最大でいくらの事業ができる", "cap"),
        ("県と市町村が一緒に手を挙げる", "apply"),
        ("どこに相談すればいいですか", "contact"),
    ],
)
def test_everyday_words_find_the_passage(searcher: Searcher, query: str, expected: str) -> None:
    assert searcher.search(query)[0].chunk.id == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("アドバイザーの謝金だれが払う", "adviser-cost"),
        ("先生呼ぶのお金かかりますか", "adviser-cost"),
        ("いつまでに申しこめばいい?", "adviser-window"),
        ("推進体制構築支援の上限がく", "suishin-cap"),
        ("いくらまででるの?", "suishin-cap"),
    ],
)
def test_a_typed_question_finds_the_nearest_wording(searcher: Searcher, query: str, expected: str) -> None:
    assert searcher.search(query, kind="question")[0].chunk.target == expected


def test_a_program_keeps_its_own_chunks_and_those_of_none(searcher: Searcher) -> None:
    programs = {hit.chunk.program for hit in searcher.search("申請と相談と費用負担", program="suishin", limit=20)}
    assert programs == {"suishin", ""}
    assert searcher.search("費用負担", program="no-such-program", limit=20) == tuple(
        hit for hit in searcher.search("費用負担", program="no-such-program", limit=20) if hit.chunk.program == ""
    )


def test_kinds_are_apart(searcher: Searcher) -> None:
    kinds: tuple[Kind, ...] = ("passage", "question")
    for kind in kinds:
        assert {hit.chunk.kind for hit in searcher.search("謝金の負担はいくら", kind=kind, limit=20)} == {kind}


@pytest.mark.parametrize("query", ["こんにちは", "今日のランチは何がいいかな", "野球の試合の結果", "", "?!、。", "🙂"])
def test_what_has_nothing_to_do_with_it_stays_below_the_threshold(searcher: Searcher, query: str) -> None:
    assert all(hit.score < RELEVANT for hit in searcher.search(query))


def test_the_limit_and_the_order_hold(searcher: Searcher) -> None:
    hits = searcher.search("申請の受付と費用の負担", limit=4)
    assert len(hits) == 4
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet=st.sampled_from("謝金申請いくらの上限はABc12 ,。\n🙂々ー"), max_size=40))
def test_any_text_gives_scores_between_0_and_1(searcher: Searcher, query: str) -> None:
    for kind in ("passage", "question"):
        for hit in searcher.search(query, kind=kind):  # type: ignore[arg-type]
            assert 0 <= hit.lexical <= 1 and 0 <= hit.dense <= 1 and 0 < hit.score <= 1


def test_terms_are_the_content_words_and_rare_ones_weigh_more(searcher: Searcher) -> None:
    terms = searcher.terms("申請できる財政力指数を教えてください")
    assert set(terms) == {"申請", "財政 力 指数"}
    assert terms["財政 力 指数"] > terms["申請"] > 0
    assert searcher.terms("それは何ですか") == {}


@pytest.mark.parametrize(
    ("query", "text", "low", "high"),
    [
        ("謝金の負担", "謝金は総務省が負担します", 1, 1),
        ("謝礼の負担", "謝金は総務省が負担します", 0.7, 0.99),
        ("謝金の負担", "募集は毎月あります", 0, 0),
        ("謝金の上限", "謝金は総務省が負担します", 0.2, 0.7),
        ("何ですか", "募集は毎月あります", 0, 0),
    ],
)
def test_covered_is_the_share_of_the_query_in_the_text(
    searcher: Searcher, query: str, text: str, low: float, high: float
) -> None:
    assert low <= searcher.covered(query, text) <= high


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([text for _, text in PASSAGES.values()]), min_size=1, max_size=3))
def test_a_text_covers_itself(searcher: Searcher, texts: list[str]) -> None:
    assert searcher.covered(texts[0], "".join(texts)) == pytest.approx(1)


def test_refresh_swaps_while_others_search(tmp_path: Path, embedding: Embedding) -> None:
    chunks = the_chunks()
    update_index(tmp_path, chunks, embedding, lambda read: None)
    searcher = Searcher(open_index(tmp_path, embedding), embedding)
    assert not searcher.refresh()
    failures: list[Exception] = []
    stop = threading.Event()

    def search() -> None:
        while not stop.is_set():
            try:
                assert searcher.search("アドバイザーの謝礼")
            except Exception as error:
                failures.append(error)
                return

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(3):
        text = f"追加した段落{number}は観光の案内です。"
        update_index(
            tmp_path, [*chunks, replace(chunks[0], id="new", text=text, digest=text)], embedding, lambda read: None
        )
        assert searcher.refresh()
        assert searcher.search("観光の案内")[0].chunk.text == text
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    searcher.close()


def test_every_synonym_is_read_as_words() -> None:
    synonyms = load_synonyms()
    assert len(synonyms.alternatives) > 300
    for word, alternatives in synonyms.alternatives.items():
        assert word and all(alternative.terms for alternative in alternatives)
        assert word not in {alternative.terms for alternative in alternatives}


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("〆切は?", ["締め切り"]),
        ("申込みと申し込み", ["申し込み", "申し込み"]),
        ("ﾃﾞｼﾞﾀﾙ化", ["デジタル", "化"]),
        ("が、の。", []),
    ],
)
def test_words_are_normalised_and_particles_dropped(text: str, forms: list[str]) -> None:
    assert [word.form for word in read_words(text)] == forms


def test_compounds_are_found_by_their_parts() -> None:
    assert {"地方公共団体", "地方", "公共", "団体"} <= set(index_terms("地方公共団体"))
    assert segmented("地方公共団体の補助金") == "地方 公共 団体 補助 金"


def test_character_pairs_pass_over_punctuation() -> None:
    assert character_pairs("上限、 １億!") == ["上限", "限1", "1億"]


def test_a_text_longer_than_the_tokenizer_takes_is_read_whole() -> None:
    text = "募集の案内。" * 20_000
    assert index_terms(text).count("募集") == 20_000
