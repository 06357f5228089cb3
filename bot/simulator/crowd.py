"""A hall of people who ask in a briefing session, half of them in LINE and half on the page, for a host to rehearse."""

import asyncio
import random
import uuid
from pathlib import Path

import httpx
import yaml

from bot.briefing.links import JOIN
from bot.simulator.line import LinePlatform


async def ask_in(
    code: str, people: int, seconds: float, line: LinePlatform, client: httpx.AsyncClient, seed: int = 0
) -> None:
    """Has people ask one question each in a session, spread over some seconds."""
    chosen = random.Random(seed)
    matters = yaml.safe_load((Path(__file__).parent / "crowd.yaml").read_text(encoding="utf-8"))
    askers = [_ask_on_page, _ask_in_line]

    async def ask(number: int) -> None:
        await asyncio.sleep(chosen.uniform(0, seconds))
        question = chosen.choice(chosen.choice(matters))
        await askers[number % 2](f"crowd{seed}-{number}", question, code, line, client)

    await asyncio.gather(*map(ask, range(people)))


async def _ask_on_page(who: str, question: str, code: str, line: LinePlatform, client: httpx.AsyncClient) -> None:
    headers = {"X-Asker": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{code} {who}"))}
    body = {"id": str(uuid.uuid4()), "text": question}
    await client.post(f"/api/briefings/{code}/questions", json=body, headers=headers)


async def _ask_in_line(who: str, question: str, code: str, line: LinePlatform, client: httpx.AsyncClient) -> None:
    await line.deliver(client, line.text(f"{JOIN} {code}", who))
    await line.deliver(client, line.text(question, who))
