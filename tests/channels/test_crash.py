"""Kill -9 at any point, and start again: each acknowledged message is answered exactly once."""

import asyncio

import pytest

from bot.simulator.app import served
from bot.simulator.line import LineFault, LinePlatform
from tests.channels.burst import Process, burst, environment

PEOPLE = 40


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
async def test_everyone_is_answered_once_although_the_process_is_killed_twice(data_dir, database_url, tmp_path, count):
    if count == 2 and database_url.startswith("sqlite"):
        pytest.skip("several processes share a PostgreSQL")
    line = LinePlatform()
    line.delay = 0.05
    with served(line.app) as url:
        settings = environment(data_dir, database_url, url)
        processes = [Process(settings, tmp_path / f"{number}.log") for number in range(count)]
        try:
            for process in processes:
                process.start()
            for process in processes:
                await process.ready()
            outcome = await burst(line, processes, PEOPLE, seconds=3, kills=(1.0, 5.0))
        finally:
            for process in processes:
                process.kill()
    assert outcome.answers == {1: PEOPLE}
    assert line.refusals == [] or {refusal["message"] for refusal in line.refusals} <= {
        "Invalid reply token",
        "The retry key is already accepted",
    }


@pytest.mark.slow
async def test_a_process_that_dies_while_sending_does_not_send_again(data_dir, database_url, tmp_path):
    """The message reached the person, and the process died before it could note that."""
    line = LinePlatform()
    line.faults = [LineFault(200, accepted=True, holds=True)]
    with served(line.app) as url:
        process = Process(environment(data_dir, database_url, url), tmp_path / "log")
        try:
            process.start()
            await process.ready()
            asking = asyncio.create_task(burst(line, [process], people=1, seconds=0))
            async with asyncio.timeout(20):
                while not line.received:
                    await asyncio.sleep(0.02)
            process.kill()
            process.start()
            await process.ready()
            async with asyncio.timeout(30):
                while not line.refusals:
                    await asyncio.sleep(0.05)
            outcome = await asking
        finally:
            process.kill()
    assert outcome.answers == {1: 1}
    assert line.calls["/v2/bot/message/push"] == 0
