"""Kill -9 at any point, and start again: each acknowledged message is answered exactly once."""

import asyncio
from contextlib import suppress

import httpx
import pytest

from bot.simulator import slack as slack_platform
from bot.simulator.app import served
from bot.simulator.line import LineFault, LinePlatform
from bot.simulator.slack import DESK, SlackPlatform
from tests.channels.burst import Process, burst, environment
from tests.channels.test_line import taps

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


class Killed:
    """A service with both platforms that dies whenever it is told to, and is there again for the next request."""

    def __init__(self, line, slack, settings, log):
        self.line, self.slack = line, slack
        self.process = Process(settings, log)
        self.client = httpx.AsyncClient(timeout=10)

    async def send(self, path, request):
        """As a platform does: again until it is accepted."""
        while True:
            try:
                response = await self.client.post(f"{self.process.url}{path}", **request())
                return response.raise_for_status().json() if response.content else {}
            except httpx.HTTPError:
                await asyncio.sleep(0.1)

    async def tap(self, label):
        data = next(taps(message)[label] for _, message in reversed(self.line.received) if label in taps(message))
        event = self.line.tap(data)
        await self.send("/line/webhook", lambda: self.line.signed(event))

    async def submit(self, view, **written):
        values = {field: {"text": {"type": "plain_text_input", "value": text}} for field, text in written.items()}
        payload = self.slack.submit(view, values)
        return await self.send("/slack/events", lambda: self.slack.signed(payload))

    def die(self):
        self.process.kill()
        self.process.start()

    async def until(self, holds):
        """Waits until something is so, and kills the process in that moment: before it can note what it did."""
        async with asyncio.timeout(60):
            while not holds():
                await asyncio.sleep(0.005)
        self.die()

    async def idle(self):
        """Waits until nothing waits any more: what was cut off is taken up again."""
        async with asyncio.timeout(60):
            while True:
                with suppress(httpx.HTTPError):
                    url, headers = f"{self.process.url}/metrics", {"Authorization": "Bearer token"}
                    told = (await self.client.get(url, headers=headers)).text
                    if 'madoguchi_queue_events{state="waiting"} 0.0' in told:
                        return
                await asyncio.sleep(0.1)

    @property
    def cards(self):
        return [message for message in self.slack.answers(DESK) if message["text"].startswith("受付")]


@pytest.mark.slow
async def test_a_case_is_opened_answered_and_brought_back_once_although_each_step_is_cut_off(data_dir, tmp_path):
    """Killed as soon as a step is acknowledged, and as soon as a platform has taken what the step sent."""
    line, slack = LinePlatform(), SlackPlatform()
    answer = "採択率は公表していません。"
    with served(line.app) as line.url, served(slack.app) as slack.url:
        settings = environment(data_dir, f"sqlite:///{tmp_path}/case.sqlite", line.url) | {
            "SLACK_BOT_TOKEN": slack_platform.TOKEN,
            "SLACK_SIGNING_SECRET": slack_platform.SECRET,
            "SLACK_API_URL": f"{slack.url}/api/",
            "SLACK_DESK_CHANNEL": DESK,
            "LINE_PUSH_RESERVE": "0",
            "METRICS_TOKEN": "token",
        }
        killed = Killed(line, slack, settings, tmp_path / "log")
        try:
            killed.die()
            asked = line.text("計画策定支援の採択率は?")
            await killed.send("/line/webhook", lambda: line.signed(asked))
            await killed.until(lambda: line.received)
            await killed.tap("職員に聞く")
            await killed.until(lambda: "送ってよろしいですか" in line.texts()[-1])
            await killed.tap("職員に送る")
            killed.die()
            await killed.until(lambda: killed.cards)
            await killed.until(lambda: "受付番号1" in line.texts()[-1])

            (card,) = killed.cards
            press = {"type": "button", "action_id": "case_answer", "value": "1"}
            async with asyncio.timeout(60):
                while not slack.modal:  # who sees no modal, as a tap is good for three seconds, taps again
                    await killed.send("/slack/events", lambda: slack.signed(slack.tap(press, card, DESK)))
                    await asyncio.sleep(1)
            pushed = await killed.submit(slack.modal, text=answer, name=None)
            assert await killed.submit(pushed["view"]) == {"response_action": "clear"}
            killed.die()
            await killed.until(lambda: line.pushed)
            await killed.until(lambda: "届きました" in str(killed.cards[0]))
            await killed.submit(pushed["view"])  # the tap is repeated
            await killed.send("/line/webhook", lambda: line.signed(line.redelivered(asked)))
            await killed.idle()
        finally:
            killed.process.kill()
            await killed.client.aclose()
    texts = line.texts()
    assert [answer in text for text in texts].count(True) == 1
    assert len(texts) == 4  # the answer, what is proposed, the receipt, and what the official wrote
    assert len(killed.cards) == 1
    assert "届きました" in str(killed.cards[0])
