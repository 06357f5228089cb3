"""Two hosts with a folder each, one PostgreSQL and one Chroma server: what one has, the other answers from."""

import asyncio
import os
import subprocess
import sys

import httpx
import pytest

from tests.channels.burst import Process

NAMED = "## まちの鐘\nまちの鐘は、{hour}に鳴らします。鳴らすのは防災課です。\n"
ASKED = "まちの鐘は何時に鳴らしますか"


async def answer(process):
    async with httpx.AsyncClient(timeout=60) as client:
        return (await client.post(f"{process.url}/api/ask", json={"text": ASKED})).json()["text"]


async def answers(process, *, words="", without="\0"):
    """Waits until a process answers so: it looks every few seconds at what is shared."""
    async with asyncio.timeout(60):
        while words not in (said := await answer(process)) or without in said:
            await asyncio.sleep(0.5)


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_an_empty_disk_serves_what_another_host_ingested_and_a_new_generation_reaches_all(
    database_url, chroma_url, tmp_path
):
    def settings(name):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        shared = {"DATABASE_URL": database_url, "CHROMA_URL": chroma_url, "ID_HASH_KEY": "k", "REPLY_KEY": "r"}
        return os.environ | shared | {"DATA_DIR": str(folder), "LOG_LEVEL": "INFO"}

    async def ingest(name, *arguments):
        command = [sys.executable, "-m", "ingest", *arguments]
        done = await asyncio.to_thread(
            subprocess.run, command, env=settings(name), cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    document = tmp_path / "まちの鐘.md"
    document.write_text(NAMED.format(hour="朝7時"), encoding="utf-8")
    await ingest("a", "add", str(document))
    first, second = (Process(settings(name), tmp_path / f"{name}.log") for name in ("a", "b"))
    try:
        for process in (first, second):
            process.start()
        for process in (first, second):
            await process.ready()
        assert "朝7時" in await answer(second)
        document.write_text(NAMED.format(hour="夕方5時"), encoding="utf-8")
        assert "置き換えました" in await ingest("b", "add", str(document))
        await answers(first, words="夕方5時")
        first.kill()
        assert "夕方5時" in await answer(second)
        assert "まちの鐘.md" in await ingest("c", "list")
        removed, _ = await asyncio.gather(ingest("c", "remove", "まちの鐘.md"), ingest("b"))
        assert "取り除きました" in removed
        await answers(second, without="夕方5時")
    finally:
        for process in (first, second):
            process.kill()
