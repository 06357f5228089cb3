"""What a strong model reads, played back: it helps where a message is left open, and settles nothing by itself."""

import pytest

from bot.answering import consider
from bot.llm import open_chat_model
from bot.responding import Patience, is_left_open, respond
from tests.adversarial.models import serving
from tests.recorded.__main__ import REMEDY, hash_of, inquiry_of, load, play_back, prompt_of

_, ROWS = load()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_a_recorded_reading_settles_nothing_without_a_yes(knowledge, row):
    assert hash_of(prompt_of(row, knowledge)) == row.sha256, REMEDY.format(set="SET.jsonl")
    inquiry = inquiry_of(row.turns, row.today, knowledge)
    offline = consider(inquiry, knowledge)
    with serving(play_back(row)) as url:
        model = open_chat_model("openai:recorded", base_url=url, retries=0)
        *_, last = [stage async for stage in respond(inquiry, knowledge, model, Patience(60, 60), grows=False)]
    assert last.answer.verdict == offline.answer.verdict
    outcomes = (
        "asked",
        "used",
        "agreed",
        "nothing",
    )  # a message that is settled by now is not put to the model any more
    assert last.model_use.reading in (outcomes if is_left_open(offline, knowledge.catalog) else ("unasked",))
