"""Which documents a message names: by their titles, nicknames, shortened names, types, years and issuers."""

from datetime import date

import pytest

from bot.naming import name_documents
from bot.types import Conversation, Inquiry
from bot.understanding import understand
from knowledge.catalog import load_catalog
from knowledge.types import NamedDocument


def document(id: str, title: str, issuer: str, *names: str, years: tuple[int, ...] = ()) -> NamedDocument:
    return NamedDocument(id, title, (title, *names), issuer, years)


KNOWN = (
    document("koubo", "かもめ県水素設備導入促進補助金(通常枠) 公募要領", "かもめ県", "水素補助金", years=(2026,)),
    document("koubo-r7", "令和7年度かもめ県水素設備導入促進補助金 公募要領", "かもめ県", years=(2025,)),
    document("nuno", "ぬのびき町 空き家バンク よくある質問", "ぬのびき町"),
    document("mori", "もりの町 空き家バンク", "もりの町"),
)


@pytest.mark.parametrize(
    ("message", "documents", "matter"),
    [
        ("かもめ県水素設備導入促進補助金の上限は?", {"koubo"}, "上限は?"),
        ("水素補助金はいつまで?", {"koubo"}, "いつまで?"),
        ("令和7年度の水素設備導入促進補助金の上限は?", {"koubo-r7"}, None),
        ("水素設備補助金の上限は?", {"koubo"}, "上限は?"),
        ("ぬのびき町の空き家バンクの登録料は?", {"nuno"}, "登録料は?"),
        ("もりの町の空き家バンクの登録料は?", {"mori"}, "登録料は?"),
        ("空き家バンクの登録料は?", {"nuno", "mori"}, "登録料は?"),
        ("推進体制構築支援の上限は?", set(), ""),
        ("うちは対象になりますか", set(), ""),
    ],
)
def test_a_message_names_its_documents(message: str, documents: set[str], matter: str | None) -> None:
    catalog = load_catalog()
    understanding = understand(Inquiry(message, date(2026, 5, 10)), catalog)
    naming = name_documents(understanding, Conversation(), KNOWN, catalog)
    assert set(naming.documents) == documents
    assert matter is None or naming.matter == matter


def test_a_name_that_is_known_of_another_body_only() -> None:
    catalog = load_catalog()
    understanding = understand(Inquiry("さくら市の空き家バンクの登録料は?", date(2026, 5, 10)), catalog)
    assert name_documents(understanding, Conversation(), KNOWN, catalog).of_another == "さくら市の空き家バンク"


def test_the_conversation_holds_the_documents() -> None:
    catalog = load_catalog()
    held = Conversation(question="もりの町の空き家バンクは?", documents=("mori",))
    for message, documents in (("登録料は?", ("mori",)), ("推進体制構築支援の上限は?", ())):
        understanding = understand(Inquiry(message, date(2026, 5, 10), held), catalog)
        assert name_documents(understanding, held, KNOWN, catalog).documents == documents
