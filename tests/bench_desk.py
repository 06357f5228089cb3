"""Measures the desk and a briefing session under load, with processes that are killed. Prints tables; asserts nothing.

    python -m tests.bench_desk

The desk: 300 people ask in LINE within ten seconds, 40 of them have their question sent to officials, who answer each.
The briefing: 300 people, half in LINE and half on the page, ask 360 questions; ten minutes take one.
"""

import asyncio
import itertools
import json
import random
import re
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import yaml
from rich.console import Console
from rich.table import Table

from bot.briefing.links import JOIN
from bot.simulator import slack as slack_platform
from bot.simulator.app import served
from bot.simulator.line import LinePlatform
from bot.simulator.slack import DESK, SlackPlatform
from tests.channels.burst import QUESTIONS, REDELIVERED_AFTER, ROOT, Process, environment

Json = dict[str, Any]

PEOPLE, CASES, SECONDS = 300, 40, 10.0
ASKED, MINUTE = 360, 60.0
DESK_KILLS, BRIEFING_KILLS = (3.0, 7.0), (20.0, 40.0)
UNSTATED = "計画策定支援の採択率は?"
WRITTEN = "採択率は公表していません。"
_OVER_AFTER = 240.0
_LOOKS_EVERY = 0.1


class Town:
    """A service with both platforms, and the way of everybody's requests to it: again until they are accepted."""

    def __init__(self, folder: Path, data: Path, line: LinePlatform, slack: SlackPlatform) -> None:
        settings = environment(data, f"sqlite:///{folder}/town.sqlite", line.url) | {
            "SLACK_BOT_TOKEN": slack_platform.TOKEN,
            "SLACK_SIGNING_SECRET": slack_platform.SECRET,
            "SLACK_API_URL": f"{slack.url}/api/",
            "SLACK_DESK_CHANNEL": DESK,
            "LINE_PUSH_RESERVE": "0",
        }
        self.line, self.slack, self.settings = line, slack, settings
        self.process = Process(settings, folder / "town.log")
        self.acknowledged: list[float] = []
        self.refused = 0
        self.people = httpx.AsyncClient(timeout=10, limits=httpx.Limits(max_connections=100))

    async def until_accepted(self, path: str, request: Callable[[], Json]) -> Json:
        """Sends a request until it is acknowledged; returns its JSON, {} where it has none."""
        while True:
            started = time.monotonic()
            try:
                response = (await self.people.post(f"{self.process.url}{path}", **request())).raise_for_status()
            except httpx.HTTPError:
                self.refused += 1
                await asyncio.sleep(REDELIVERED_AFTER)
                continue
            self.acknowledged.append(time.monotonic() - started)
            return json.loads(response.content or b"{}")

    async def deliver(self, event: Json) -> None:
        """An event of LINE's."""
        await self.until_accepted("/line/webhook", lambda: self.line.signed(event))

    async def kill(self, after: float) -> None:
        """Kills the process, and starts it again."""
        await asyncio.sleep(after)
        await asyncio.to_thread(self.process.kill)
        self.process.start()


@asynccontextmanager
async def town(folder: Path, data: Path) -> AsyncIterator[Town]:
    line, slack = LinePlatform(), SlackPlatform()
    line.delay = 0.1
    slack.people[DESK] = ["U1"]
    with served(line.app) as line.url, served(slack.app) as slack.url:
        running = Town(folder, data, line, slack)
        try:
            running.process.start()
            await running.process.ready()
            yield running
        finally:
            running.process.kill()
            await running.people.aclose()


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(_LOOKS_EVERY)


# --- the desk --------------------------------------------------------------------------------------------------------


async def hand_over(town: Town, user: str) -> None:
    """Somebody has their question sent to officials, tap by tap."""
    for label in ("職員に聞く", "職員に送る"):
        await until(lambda label=label: label in _taps(town.line, user))
        await town.deliver(town.line.tap(_taps(town.line, user)[label], user))
    await until(lambda: any("受付番号" in text for text in town.line.texts(user)))


def _taps(line: LinePlatform, user: str) -> dict[str, str]:
    last = next((message for to, message in reversed(line.received) if to == user), {})
    items = last.get("quickReply", {"items": []})["items"]
    return {item["action"]["label"]: item["action"]["data"] for item in items}


async def answer_cards(town: Town) -> None:
    """An official answers each card that is open, until as many are answered as were asked."""
    done: set[str] = set()
    while len(done) < CASES:
        for card in town.slack.answers(DESK):
            title = card["text"].partition(" ")[0]
            if title.startswith("受付") and title not in done:
                with suppress(httpx.HTTPError, TimeoutError):
                    await _answer(town, card, title.removeprefix("受付"))
                    done.add(title)
        await asyncio.sleep(_LOOKS_EVERY)


async def _answer(town: Town, card: Json, number: str) -> None:
    slack, url = town.slack, f"{town.process.url}/slack/events"
    action = {"type": "button", "action_id": "case_answer", "value": number}
    slack.modal = None
    (await town.people.post(url, **slack.signed(slack.tap(action, card, DESK)))).raise_for_status()
    async with asyncio.timeout(5):
        await until(lambda: slack.modal is not None)
    view = slack.modal or {}
    while view.get("callback_id") in ("case_write", "case_send"):  # else it is a notice: answered already
        typed = {"type": "plain_text_input", "value": WRITTEN}
        values = {"text": {"text": typed}, "name": {"text": {**typed, "value": None}}}
        response = (await town.people.post(url, **slack.signed(slack.submit(view, values)))).raise_for_status()
        view = (response.json() if response.content else {}).get("view", {})


async def measure_desk(town: Town, kills: tuple[float, ...]) -> list[str]:
    asks_people = {round(number * PEOPLE / CASES) for number in range(CASES)}

    async def ask(number: int) -> None:
        await asyncio.sleep(SECONDS * number / PEOPLE)
        user = f"U{number + 100}"
        if number in asks_people:
            await town.deliver(town.line.text(UNSTATED, user))
            await hand_over(town, user)
        else:
            await town.deliver(town.line.text(QUESTIONS[number % len(QUESTIONS)], user))

    def brought(user: str) -> int:
        return sum(WRITTEN in text and "受付番号" in text for text in town.line.texts(user))

    handed = [f"U{number + 100}" for number in asks_people]
    async with asyncio.timeout(_OVER_AFTER):
        await asyncio.gather(*map(ask, range(PEOPLE)), *map(town.kill, kills), answer_cards(town))
        await until(lambda: len({to for to, _ in town.line.received}) == PEOPLE and all(map(brought, handed)))
    await asyncio.sleep(3)  # time for what must not come
    counts = Counter(to for to, _ in town.line.received)
    right = sum(counts[f"U{number + 100}"] == (4 if number in asks_people else 1) for number in range(PEOPLE))
    cards = Counter(card["text"].partition(" ")[0] for card in town.slack.answers(DESK) if "受付" in card["text"][:2])
    doubled = sum(count > 1 for count in cards.values()) + sum(brought(user) > 1 for user in handed)
    answered = sum(brought(user) == 1 for user in handed)
    return [*_acknowledged(town), str(right), f"{len(cards)}", str(answered), str(doubled)]


def _acknowledged(town: Town) -> list[str]:
    hundredths = quantiles(town.acknowledged, n=100)
    return [f"{hundredths[49] * 1000:.0f}", f"{hundredths[98] * 1000:.0f}", str(town.refused)]


# --- a briefing ------------------------------------------------------------------------------------------------------


def open_session(town: Town) -> tuple[str, str, str]:
    """Opens a session; returns its code and the secrets of host and projector."""
    command = [sys.executable, "-m", "bot", "briefing", "start", "説明会", "--url", town.process.url]
    told = subprocess.run(command, cwd=ROOT, env=town.settings, check=True, capture_output=True, text=True).stdout
    (code, host), (_, screen) = (re.search(rf"/b/(\w+)/{role}#(\w+)", told).groups() for role in ("host", "screen"))
    return code, host, screen


async def states(town: Town, path: str, headers: dict[str, str]) -> AsyncIterator[Json]:
    """What a listener is shown, over restarts of the service."""
    while True:
        with suppress(httpx.HTTPError):
            url = f"{town.process.url}{path}"
            async with town.people.stream("GET", url, headers=headers, timeout=30) as response:
                async for line in response.aiter_lines():
                    if line.startswith("data: "):
                        yield json.loads(line.removeprefix("data: "))
        await asyncio.sleep(_LOOKS_EVERY)


async def release_all(town: Town, code: str, host: str, screen: str, shown_after: list[float]) -> None:
    """A host releases each matter that reaches them; a projector notes how long it takes to appear."""
    api = f"/api/briefings/{code}"
    released: dict[int, float] = {}
    seen: set[int] = set()

    async def watch() -> None:
        async for state in states(town, f"{api}/screen/events", {"Authorization": f"Bearer {screen}"}):
            for matter in state["board"]["matters"]:
                if matter["number"] not in seen:
                    seen.add(matter["number"])
                    shown_after.append(time.monotonic() - released[matter["number"]])

    async def work() -> None:
        headers = {"Authorization": f"Bearer {host}"}
        async for state in states(town, f"{api}/host/events", headers):
            for matter in state["matters"]:
                if matter["released"] or matter["number"] in released:
                    continue
                wish = {"name": "release", "seen": [[matter["number"], matter["version"]]]}
                released[matter["number"]] = time.monotonic()
                with suppress(httpx.HTTPError):
                    done = await town.people.post(f"{town.process.url}{api}/host/acts", json=wish, headers=headers)
                    if done.status_code == 200:
                        continue
                del released[matter["number"]]

    await asyncio.gather(watch(), work())


async def measure_briefing(town: Town, kills: tuple[float, ...]) -> list[str]:
    code, host, screen = await asyncio.to_thread(open_session, town)
    api, chosen = f"/api/briefings/{code}", random.Random(1)
    matters = yaml.safe_load((ROOT / "tests/briefing/matters.yaml").read_text("utf-8"))["matters"]
    known = dict(itertools.islice(matters.items(), 30)) | dict(list(matters.items())[-3:])
    of = {text: matter for matter, texts in known.items() for text in texts}
    asked = [(number % PEOPLE, chosen.choice(list(of))) for number in range(ASKED)]
    shown_after: list[float] = []

    def page(person: int) -> dict[str, str]:
        return {"X-Asker": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{code} {person}"))}

    async def ask(number: int) -> None:
        person, text = asked[number]
        await asyncio.sleep(MINUTE * number / ASKED)
        if person % 2:
            await town.deliver(town.line.text(text, f"U{person + 100}"))
        else:
            body = {"id": uuid.uuid4().hex, "text": text}
            headers = page(person)
            await town.until_accepted(f"{api}/questions", lambda: {"json": body, "headers": headers})

    for person in range(1, PEOPLE, 2):
        await town.deliver(town.line.text(f"{JOIN} {code}", f"U{person + 100}"))
    await until(lambda: len(town.line.received) >= PEOPLE // 2)
    joined, town.acknowledged = len(town.line.received), []
    working = asyncio.create_task(release_all(town, code, host, screen, shown_after))
    async with asyncio.timeout(_OVER_AFTER):
        await asyncio.gather(*map(ask, range(ASKED)), *map(town.kill, kills))
        answered = await _all_answered(town, f"{api}/host/events", host)
    await asyncio.sleep(3)
    working.cancel()
    texts = [list(itertools.chain(*map(typed, matter["questions"]))) for matter in answered]
    counted, wanted = Counter(itertools.chain(*texts)), Counter(text for _, text in asked)
    in_line = len(town.line.received) - joined
    together, pairs, wrong, groups = judged(texts, of)
    late = quantiles(shown_after, n=20)[18] if len(shown_after) > 1 else float("nan")
    return [
        *_acknowledged(town),
        str((wanted - counted).total()),
        str((counted - wanted).total()),
        str(in_line),
        f"{together}/{pairs}",
        str(wrong),
        f"{groups}/{len({of[text] for text in wanted})}",
        f"{late:.1f}",
    ]


async def _all_answered(town: Town, path: str, host: str) -> list[Json]:
    """The matters of the session, once every question that was asked stands in one."""
    async for state in states(town, path, {"Authorization": f"Bearer {host}"}):
        listed = [*state["matters"], *state["answered_by_bot"]]
        if sum(len(typed(question)) for matter in listed for question in matter["questions"]) >= ASKED:
            return listed
    raise AssertionError("the stream has no end")


def typed(question: Json) -> list[str]:
    """The messages that a question was put in: who goes on from an answer still asks one question."""
    return str(question["text"]).split(" → ")


def judged(groups: list[list[str]], of: dict[str, str]) -> tuple[int, int, int, int]:
    """Of the different wordings that were asked: pairs of one matter together, all such, wrong ones, and groups."""
    group_of = {text: number for number, texts in enumerate(groups) for text in texts}
    pairs = list(itertools.combinations(group_of, 2))
    same = [group_of[one] == group_of[other] for one, other in pairs if of[one] == of[other]]
    wrong = sum(group_of[one] == group_of[other] for one, other in pairs if of[one] != of[other])
    return sum(same), len(same), wrong, len([texts for texts in groups if texts])


# --- the tables ------------------------------------------------------------------------------------------------------

ACKNOWLEDGED = ("ack p50 ms", "ack p99 ms", "refused")
Measure = Callable[[Town, tuple[float, ...]], Awaitable[list[str]]]


def runs(measure: Measure, kills: tuple[float, ...], data: Path) -> Iterator[list[str]]:
    for killed in ((), kills):
        with TemporaryDirectory() as folder:

            async def run(folder: Path = Path(folder), killed: tuple[float, ...] = killed) -> list[str]:
                async with town(folder, data) as running:
                    return await measure(running, killed)

            yield [f"{len(killed)} kills", *asyncio.run(run())]


def main() -> None:
    """Measures each undisturbed and with two kills."""
    tables = (
        (
            f"The desk: {PEOPLE} people within {SECONDS:.0f} s, {CASES} of them to officials",
            (*ACKNOWLEDGED, "people answered rightly", "cards", "answers back, once", "doubled"),
            measure_desk,
            DESK_KILLS,
        ),
        (
            f"A briefing: {PEOPLE} people, {ASKED} questions in {MINUTE:.0f} s",
            (*ACKNOWLEDGED, "lost", "doubled", "in LINE", "pairs together", "wrong", "groups", "board p95 s"),
            measure_briefing,
            BRIEFING_KILLS,
        ),
    )
    with TemporaryDirectory() as name:
        data = Path(name)
        subprocess.run([sys.executable, "-m", "ingest"], cwd=ROOT, env=environment(data, "", ""), check=True)
        for title, headings, measure, kills in tables:
            table = Table("", *headings, title=title)
            for row in runs(measure, kills, data):
                table.add_row(*row)
            Console(width=140).print(table)


if __name__ == "__main__":
    main()
