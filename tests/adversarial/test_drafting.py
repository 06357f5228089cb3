"""A draft for officials: what no ruling and no passage states is marked."""

import json
from datetime import date

import pytest

from bot.answerer import Answerer
from bot.drafting import marked
from bot.settings import Settings
from bot.types import Inquiry
from tests.adversarial.models import serving

DAY = date(2025, 6, 10)
SOURCES = [
    "財政力指数0.6の町は対象ですか",
    "対象です。財政力指数が1未満のため、応募できます。",
    "支援は3か月程度です。公募は年3回です。",
    "2024年度は7つの都道府県を支援しました。",
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("財政力指数0.6の町は対象です。支援は3か月程度です。", ()),
        ("支援は三か月程度で、公募は年3回です。", ()),
        ("支援は6か月程度です。", ("6か月",)),
        ("公募は年3回で、締切は7月31日です。", ("7月31日",)),
        ("市町村単独でも申請できます。", ("申請できます",)),
        ("対象外です。", ("対象外です",)),
        ("費用は５万円です。", ("5万円",)),
        ("昨年度は7団体でした。", ()),
        ("昨年度は8団体でした。", ("8団体",)),
        ("採択は20件の見込みです。", ("20件",)),
        ("申請は1件につき1人が担当します。", ()),
    ],
)
def test_what_nothing_states_is_marked(text, expected):
    spans = marked(text.replace("５", "5"), SOURCES, DAY)
    assert tuple(text.replace("５", "5")[start:end] for start, end in spans) == expected


async def test_a_draft_is_shown_as_it_was_checked(data_dir):
    written = "財政力指数0.6の町は対象です。上限は\u202e5億円\u202cです。"
    with serving(lambda name, prompt: json.dumps({"text": written})) as url:
        answerer = Answerer(Settings(data_dir=data_dir, llm="openai:played", llm_base_url=url, llm_seconds=60))
        drafted = await answerer.draft(Inquiry("財政力指数0.6の町は計画策定支援の対象ですか", DAY))
    assert drafted.text == "財政力指数0.6の町は対象です。上限は5億円です。"
    assert "5億円" in drafted.unsupported


async def test_without_a_model_there_is_none(data_dir):
    assert await Answerer(Settings(data_dir=data_dir)).draft(Inquiry("対象ですか", DAY)) is None
