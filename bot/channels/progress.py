"""Shows on a platform that an answer is being worked on, where that takes long enough to notice."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

_NOTICED_AFTER = 0.7
"""Seconds. Most answers are there before, and then the sign would cost a call and only flash."""

_log = logging.getLogger(__name__)


@asynccontextmanager
async def shown(sign: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Has the sign shown if the block takes long; whether that works does not matter to the answer."""

    async def show() -> None:
        await asyncio.sleep(_NOTICED_AFTER)
        try:
            await sign()
        except Exception as error:
            _log.info("the sign of work could not be shown: %s", type(error).__name__)

    showing = asyncio.create_task(show())
    try:
        yield
    finally:
        showing.cancel()
