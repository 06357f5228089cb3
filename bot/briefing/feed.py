"""What changes in a session, to everybody who looks at it: one reading of the database for all of them."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from bot.briefing.sessions import BriefingMissingError, Sessions
from bot.briefing.views import Seen, look

LOOKS_EVERY = 0.5
"""Seconds after which what another process changed is seen."""

_APART = 0.2
"""Seconds between two looks, at the least: what a crowd changes meanwhile is shown together."""

_ALIVE_EVERY = 15.0
"""Seconds of silence after which a listener gets a sign of life: proxies close what is silent."""

_MOST = 3000
"""Listeners of one session in one process."""

_log = logging.getLogger(__name__)


class TooManyListenersError(Exception):
    """More look at a session than one process serves."""


class Feed:
    """The listeners of one process. Each gets the newest state; what came between is left out."""

    def __init__(self, sessions: Sessions) -> None:
        """Nobody listens yet."""
        self._sessions = sessions
        self._listeners: dict[str, set[asyncio.Queue[Seen | None]]] = {}
        self._changed: dict[str, asyncio.Event] = {}
        self._looking: dict[str, asyncio.Task[None]] = {}
        self._closed = False
        sessions.on_change = self.wake

    def wake(self, code: str) -> None:
        """Something has changed in a session."""
        if event := self._changed.get(code):
            event.set()

    def close(self) -> None:
        """Ends every stream, so that the service can end."""
        self._closed = True
        for code, listeners in self._listeners.items():
            self.wake(code)
            for listener in listeners:
                _put(listener, None)

    async def follow(self, code: str, render: Callable[[Seen], Any]) -> AsyncGenerator[Any]:
        """What is seen of a session, now and whenever that changes; None as a sign of life.

        Args:
            code: of the session.
            render: makes of the session what this listener sees.

        Raises:
            TooManyListenersError: before the first state.
        """
        listeners = self._listeners.setdefault(code, set())
        if len(listeners) >= _MOST or self._closed:
            raise TooManyListenersError(code)
        states: asyncio.Queue[Seen | None] = asyncio.Queue(1)
        listeners.add(states)
        shown: Any = None
        try:
            # Whoever goes cancels what is under way for them; a reading that is cut off would leave SQLite locked.
            _put(states, await asyncio.shield(asyncio.ensure_future(self._read(code))))
            if code not in self._looking:
                self._changed[code] = asyncio.Event()
                self._looking[code] = asyncio.create_task(self._look(code))
            while True:
                try:
                    state = await asyncio.wait_for(states.get(), _ALIVE_EVERY)
                except TimeoutError:
                    yield None
                    continue
                if state is None:
                    return
                if (now := render(state)) != shown:
                    shown = now
                    yield now
        finally:
            listeners.discard(states)

    async def _read(self, code: str) -> Seen:
        return await look(self._sessions, await self._sessions.find(code))

    async def _look(self, code: str) -> None:
        """Looks at a session whenever it has changed, for as long as somebody listens; nothing cancels it."""
        revision = -1
        changed = self._changed[code]
        while self._listeners[code] and not self._closed:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOKS_EVERY):
                    await changed.wait()
            changed.clear()
            try:
                briefing = await self._sessions.find(code)
                if briefing.revision != revision:
                    state = await look(self._sessions, briefing)
                    revision = briefing.revision
                    for listener in self._listeners.get(code, ()):
                        _put(listener, state)
            except BriefingMissingError:  # a test that has ended
                for listener in self._listeners.get(code, ()):
                    _put(listener, None)
            except (SQLAlchemyError, OSError):
                _log.exception("a session cannot be read; trying again")
            await asyncio.sleep(_APART)
        del self._looking[code], self._changed[code]


def _put(listener: asyncio.Queue[Seen | None], state: Seen | None) -> None:
    while not listener.empty():
        listener.get_nowait()
    listener.put_nowait(state)
