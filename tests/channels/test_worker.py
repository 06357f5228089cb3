"""The answerer in a process of its own: the same answers, the same errors, and no end with it."""

import asyncio
import os
import signal
from datetime import date

import pytest

from bot.answerer import Answerer
from bot.settings import Settings
from bot.types import Inquiry, UnknownFactsError
from bot.worker import AnswererProcess, WorkerLostError
from knowledge.types import IndexMissingError

DAY = date(2026, 11, 28)


@pytest.fixture
async def worker(data_dir):
    process = AnswererProcess(Settings(data_dir=data_dir))
    yield process
    await process.close()


async def all_stages(answerer, text):
    return [stage async for stage in answerer.stages(Inquiry(text, DAY), grows=True)]


async def test_it_answers_as_one_in_this_process_does(worker, data_dir):
    here = Answerer(Settings(data_dir=data_dir))
    questions = ["推進体制構築支援の上限はいくらですか", "推進体制構築支援、県です。対象になりますか", "今日の天気は"]
    answered = await asyncio.gather(*(all_stages(worker, question) for question in questions))
    assert answered == [await all_stages(here, question) for question in questions]
    assert await worker.check("keikaku", {}, DAY) == await here.check("keikaku", {}, DAY)
    assert await worker.index() == await here.index()


async def test_its_errors_arrive(worker, tmp_path):
    with pytest.raises(UnknownFactsError):
        await worker.check("none", {}, DAY)
    without_index = AnswererProcess(Settings(data_dir=tmp_path))
    with pytest.raises(IndexMissingError, match="python -m ingest"):
        await without_index.open()
    await without_index.close()


async def test_one_that_was_killed_fails_what_it_had_and_another_takes_its_place(worker):
    await worker.open()
    pid = worker.pid
    answering = asyncio.gather(*(all_stages(worker, "採択率は?") for _ in range(20)), return_exceptions=True)
    await asyncio.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    outcomes = await answering
    assert any(isinstance(outcome, WorkerLostError) for outcome in outcomes)
    assert len(await all_stages(worker, "採択率は?")) == 1
    assert worker.pid != pid
