"""Ranking, filters, coverage and swapping, on small real indexes."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from knowledge.concepts import load_synonyms
from knowledge.encoder.encoding import Encoder, load_encoder
from knowledge.reranking import load_reranker
from knowledge.search import RELEVANT, Searcher, open_searcher
from knowledge.store import embedded_text, open_index, update_index
from knowledge.types import Chunk, IndexMissingError
from knowledge.words import index_terms, read_words, reading_pairs

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
        Chunk(name, "passage", "doc", "案内", text, program=program) for name, (program, text) in PASSAGES.items()
    ]
    questions = [
        Chunk(f"{target}-{number}", "question", "faq", "FAQ", text, program=target.split("-")[0], target=target)
        for target, texts in QUESTIONS.items()
        for number, text in enumerate(texts)
    ]
    return passages + questions


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Searcher]:
    data_dir = tmp_path_factory.mktemp("data")
    update_index(data_dir, the_chunks(), encoder, lambda read: None)
    searcher = Searcher(open_index(data_dir, encoder), encoder)
    yield searcher
    searcher.close()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("先生への謝礼はうちが払うの?", "cost"),
        ("〆切いつ", "window"),
        ("いつからいつまで申し込みできる", "window"),
        ("終わったあとレポートいる?", "report"),
        ("ChatGPTを使ってみたい", "ai"),
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
    best = searcher.entries(query)[0]
    assert (best.program, best.target) == (expected.split("-")[0], expected)


def test_a_program_keeps_its_own_chunks_and_those_of_none(searcher: Searcher) -> None:
    programs = {hit.chunk.program for hit in searcher.search("申請と相談と費用負担", program="suishin", limit=20)}
    assert programs == {"suishin", ""}
    assert searcher.search("費用負担", program="no-such-program", limit=20) == tuple(
        hit for hit in searcher.search("費用負担", program="no-such-program", limit=20) if hit.chunk.program == ""
    )


def test_typed_questions_are_no_passages(searcher: Searcher) -> None:
    assert {hit.chunk.kind for hit in searcher.search("アドバイザーの謝金は誰が払いますか", limit=20)} == {"passage"}


def test_entries_are_of_the_program_and_of_none(searcher: Searcher) -> None:
    assert {hit.program for hit in searcher.entries("謝金はいくら", program="suishin")} == {"suishin"}
    assert searcher.entries("謝金はいくら", program="no-such-program") == ()


def test_an_entry_comes_once_and_the_surest_first(searcher: Searcher) -> None:
    hits = searcher.entries("アドバイザーの謝金は誰が払いますか")
    assert len({hit.target for hit in hits}) == len(hits) <= 3
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert hits[0].score > 0.8 > 0.4 > hits[-1].score
    assert len(searcher.entries("アドバイザーの謝金は誰が払いますか", limit=1)) == 1


@pytest.mark.parametrize("query", ["こんにちは", "今日のランチは何がいいかな", "野球の試合の結果", "", "?!、。", "🙂"])
def test_what_has_nothing_to_do_with_it_stays_below_the_threshold(searcher: Searcher, query: str) -> None:
    assert all(hit.score < RELEVANT for hit in searcher.search(query))


def test_the_limit_and_the_order_hold(searcher: Searcher) -> None:
    hits = searcher.search("申請の受付と費用の負担", limit=4)
    assert len(hits) == 4
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


@settings(max_examples=50)
@given(st.text(alphabet=st.sampled_from("謝金申請いくらの上限はABc12 ,。\n🙂々ー"), max_size=40))
def test_any_text_gives_scores_between_0_and_1(searcher: Searcher, query: str) -> None:
    for hit in searcher.search(query):
        assert all(0 <= part <= 1 for part in (hit.lexical, hit.dense, hit.score))
    assert all(0 <= entry.score <= 1 for entry in searcher.entries(query))


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


@settings(max_examples=50)
@given(st.lists(st.sampled_from([text for _, text in PASSAGES.values()]), min_size=1, max_size=3))
def test_a_text_covers_itself(searcher: Searcher, texts: list[str]) -> None:
    assert searcher.covered(texts[0], "".join(texts)) == pytest.approx(1)


def test_refresh_swaps_while_others_search(tmp_path: Path, encoder: Encoder) -> None:
    chunks = the_chunks()
    update_index(tmp_path, chunks, encoder, lambda read: None)
    searcher = Searcher(open_index(tmp_path, encoder), encoder)
    searcher.open_chroma()
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
    try:
        for number in range(3):
            text = f"追加した段落{number}は観光の案内です。"
            update_index(tmp_path, [*chunks, replace(chunks[0], id="new", text=text)], encoder, lambda read: None)
            assert searcher.refresh()
            assert searcher.search("観光の案内")[0].chunk.text == text
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    searcher.close()


def test_every_synonym_is_read_as_words() -> None:
    synonyms = load_synonyms()
    assert len(synonyms.alternatives) > 300
    for word, alternatives in synonyms.alternatives.items():
        assert word
        assert all(alternative.terms for alternative in alternatives)
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


@pytest.mark.parametrize(("one", "other"), [("〆切、いつ?", "しめきりいつ"), ("何人", "なんにん"), ("Ｗｅｂ", "web")])
def test_sounds_are_those_of_the_reading(one: str, other: str) -> None:
    assert reading_pairs(one) == reading_pairs(other)


def test_a_text_longer_than_the_tokenizer_takes_is_read_whole() -> None:
    text = "募集の案内。" * 20_000
    assert index_terms(text).count("募集") == 20_000


def tiny_encoder(folder: Path) -> str:
    """A sentence-transformers model that knows two words, saved to be loaded without a network."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding

    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "謝金": 1, "募集": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("謝金|募集"), "isolated")
    weights = np.eye(3, 8, dtype=np.float32)
    modules = [StaticEmbedding(tokenizer, embedding_weights=weights), Normalize()]
    SentenceTransformer(modules=modules, device="cpu").save(str(folder), create_model_card=False)
    return str(folder)


def test_another_model_serves_once_its_index_is_made(tmp_path: Path, encoder: Encoder) -> None:
    data_dir, model = tmp_path / "data", tiny_encoder(tmp_path / "model")
    with pytest.raises(IndexMissingError):
        open_searcher(data_dir, model)
    update_index(data_dir, the_chunks(), encoder, lambda read: None)
    searcher = open_searcher(data_dir, model)
    old = searcher.generation
    assert not searcher.refresh()
    assert searcher.search("先生への謝礼はうちが払うの?")[0].chunk.id == "cost"

    changes = update_index(data_dir, the_chunks(), load_encoder(model), lambda read: None)
    assert changes.created == len(the_chunks())
    assert searcher.refresh()
    assert searcher.generation != old
    hit = searcher.search("謝金")[0]
    assert hit.chunk.id == "cost"
    assert hit.dense > 0.1
    searcher.close()


def test_a_reranker_puts_the_best_passages_in_order(tmp_path: Path, encoder: Encoder) -> None:
    update_index(tmp_path / "data", the_chunks(), encoder, lambda read: None)
    plain = open_searcher(tmp_path / "data")
    reranked = open_searcher(tmp_path / "data", reranker_model=tiny_cross_encoder(tmp_path / "model"))
    query = "申請と費用の負担"
    before, after = plain.search(query, limit=20), reranked.search(query, limit=20)
    assert sorted(hit.chunk.id for hit in before) == sorted(hit.chunk.id for hit in after)
    rates = load_reranker(str(tmp_path / "model")).rate(query, [embedded_text(hit.chunk) for hit in after])
    assert list(rates) == sorted(rates, reverse=True)
    assert [hit.chunk.id for hit in before] != [hit.chunk.id for hit in after]
    assert {hit.chunk.id: hit.score for hit in before} == {hit.chunk.id: hit.score for hit in after}
    assert reranked.search("🙂") == ()
    plain.close()
    reranked.close()


def tiny_cross_encoder(folder: Path) -> str:
    """A cross-encoder with random weights, saved to be loaded without a network."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    folder.mkdir()
    characters = sorted({c for _, text in PASSAGES.values() for c in text})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters, *(f"##{c}" for c in characters)]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(1)
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = BertConfig(vocab_size=len(vocabulary), num_labels=1, initializer_range=1.0, **shape)
    BertForSequenceClassification(config).save_pretrained(folder)
    return str(folder)
