"""Both platforms in a browser: a phone with LINE, and a window of Slack.

Who writes or taps in the page does so on the stand-in of a platform, which signs it and sends it to the service; what
the service sends back is shown. So everything between the page and the answer is what would run for real.
"""

import asyncio
import json
import re
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from bot.channels.web import PAGE_POLICY
from bot.simulator.crowd import ask_in
from bot.simulator.line import LinePlatform
from bot.simulator.slack import CHANNEL, DESK, DIRECT, SlackPlatform, check_view

Json = dict[str, Any]

_Act = Callable[[httpx.AsyncClient, Json], Awaitable[None]]
"""What a person does, told to the service by a platform."""

_PAGE = Path(__file__).with_name("page")
_ICON = Path(__file__).parent.parent / "channels" / "page" / "icon.svg"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": PAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
}
_CROWD = 50
_CROWD_SECONDS = 30.0
_UNREACHED = "窓口のサービスにつながりません。もう一度お試しください。"


@contextmanager
def served(app: ASGIApp, listening: socket.socket | None = None) -> Iterator[str]:
    """Serves an application in a thread; gives its address.

    Args:
        app: the application.
        listening: where; any free port of this machine if left out.
    """
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening] if listening else None,))
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the stand-in's server did not start; its reason is in the log")
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


class Simulator:
    """Somebody with a phone, two colleagues with Slack accounts, and the application that shows all of it."""

    def __init__(self, service: str) -> None:
        """A person who has opened neither yet.

        Args:
            service: the address of the service that both platforms call.
        """
        self.line = LinePlatform()
        self.slack = SlackPlatform()
        self._service = service
        self._people = 0
        self._said: list[Json] = []
        self._below: list[Json] = []
        self._crowds: list[asyncio.Task[None]] = []
        self.app = Starlette(
            routes=[
                Route("/", _page),
                Route("/icon.svg", _icon),
                Route("/state", self._state),
                Route("/line/menu.png", self._menu_picture),
                Route("/line/follow", self._does(self._follow), methods=["POST"]),
                Route("/line/say", self._does(self._say_in_line), methods=["POST"]),
                Route("/line/tap", self._does(self._tap_in_line), methods=["POST"]),
                Route("/slack/open", self._does(self._open), methods=["POST"]),
                Route("/slack/say", self._does(self._say_in_slack), methods=["POST"]),
                Route("/slack/tap", self._does(self._tap_in_slack), methods=["POST"]),
                Route("/slack/shortcut", self._does(self._use_shortcut), methods=["POST"]),
                Route("/slack/submit", self._does(self._submit), methods=["POST"]),
                Route("/slack/close", self._does(self._close), methods=["POST"]),
                Route("/briefing/open", self._does(self._open_briefing), methods=["POST"]),
                Route("/briefing/crowd", self._does(self._send_crowd), methods=["POST"]),
                Mount("/platform/line", self.line.app),
                Mount("/platform/slack", self.slack.app),
                Mount("/page", StaticFiles(directory=_PAGE)),
            ]
        )

    @contextmanager
    def served(self, listening: socket.socket) -> Iterator[str]:
        """Serves the page and both platforms; gives the page's address."""
        with served(self.app, listening) as url:
            self.line.url = f"{url}/platform/line"
            self.slack.url = f"{url}/platform/slack"
            yield url

    def _does(self, act: _Act) -> Callable[[Request], Awaitable[Response]]:
        """What a person does, as a route. Only JSON is taken, which no other site can send without being asked."""

        async def route(request: Request) -> Response:
            if request.headers.get("content-type") != "application/json":
                return JSONResponse({"problem": "application/json"}, 415)
            try:
                async with httpx.AsyncClient(base_url=self._service, timeout=30) as client:
                    await act(client, await request.json())
            except httpx.HTTPError:
                return JSONResponse({"problem": _UNREACHED}, 502)
            return await self._state(request)

        return route

    async def _state(self, request: Request) -> Response:
        state = {"line": self._line_state(), "slack": self._slack_state(), "briefing": self._briefing()}
        return JSONResponse(state, headers=_HEADERS)

    # --- LINE --------------------------------------------------------------------------------------------------

    @property
    def _person(self) -> str:
        return f"U{self._people}"

    async def _follow(self, client: httpx.AsyncClient, wish: Json) -> None:
        """Somebody new adds the account; the one before has blocked it."""
        before = self._person
        self._people += 1
        self._said = []
        if self._people > 1:
            await self.line.deliver(client, self.line.event("unfollow", before))
        await self.line.deliver(client, self.line.event("follow", self._person, follow={"isUnblocked": False}))

    async def _say_in_line(self, client: httpx.AsyncClient, wish: Json) -> None:
        self._note(wish["text"])
        await self.line.deliver(client, self.line.text(wish["text"], self._person))

    async def _tap_in_line(self, client: httpx.AsyncClient, wish: Json) -> None:
        self._note(wish["shown"])
        await self.line.deliver(client, self.line.tap(wish["data"], self._person))

    def _note(self, text: str) -> None:
        self._said.append({"text": text, "after": len(self._received()), "loading": len(self.line.loading)})

    def _received(self) -> list[Json]:
        return [message for to, message in self.line.received if to == self._person]

    def _line_state(self) -> Json:
        """Both sides of the chat in their order; `waiting` while the loading animation runs."""
        received = self._received()
        messages: list[Json] = []
        for number in range(len(received) + 1):
            messages += [{"by": "person", "text": said["text"]} for said in self._said if said["after"] == number]
            messages += [{"by": "account", "message": message} for message in received[number : number + 1]]
        last = self._said[-1] if self._said else None
        waiting = last is not None and last["after"] == len(received) and last["loading"] < len(self.line.loading)
        menu = self.line.rich_menus.get(self.line.default_rich_menu)
        return {"person": self._people, "messages": messages, "waiting": waiting, "menu": menu}

    async def _menu_picture(self, request: Request) -> Response:
        picture = self.line.rich_menu_images.get(self.line.default_rich_menu)
        return Response(picture, media_type="image/png") if picture else Response(status_code=404)

    # --- Slack -------------------------------------------------------------------------------------------------

    async def _open(self, client: httpx.AsyncClient, wish: Json) -> None:
        """Somebody opens the app's home tab, or a new thread of the assistant."""
        if wish["place"] == "home":
            await self.slack.deliver(client, self.slack.event("app_home_opened", user=wish["user"], tab="home"))
        else:
            await self.slack.deliver(client, self.slack.open_assistant())

    async def _say_in_slack(self, client: httpx.AsyncClient, wish: Json) -> None:
        text = wish["text"]
        thread = {"thread_ts": wish["thread"]} if wish.get("thread") else {}
        if text.startswith("/madoguchi"):
            payload = self.slack.command(text.removeprefix("/madoguchi").strip(), CHANNEL, wish["user"])
        elif wish["place"] == "desk":
            payload = self.slack.remark(text, DESK, user=wish["user"], **thread)
        elif wish["place"] == "channel":
            payload = (self.slack.mention if wish["mentions"] else self.slack.remark)(text, CHANNEL, **thread)
        else:
            payload = self.slack.direct(text, DIRECT, **thread)
        await self.slack.deliver(client, payload)

    async def _tap_in_slack(self, client: httpx.AsyncClient, wish: Json) -> None:
        if wish["place"] == "home":
            await self.slack.deliver(client, self.slack.tap_home(wish["action"], wish["user"]))
        elif wish["place"] == "modal":
            await self.slack.deliver(client, self.slack.tap_modal(wish["action"], wish["user"]))
        else:
            message, user = wish["message"], wish["user"]
            tap = self.slack.tap(wish["action"], message, message["channel"], ephemeral=wish["private"], user=user)
            await self.slack.deliver(client, tap)

    async def _use_shortcut(self, client: httpx.AsyncClient, wish: Json) -> None:
        if wish["place"] == "desk":
            said = next(message for message in self.slack.channels[DESK] if message["ts"] == wish["ts"])
            await self.slack.deliver(client, self.slack.send_to_asker(said, wish["user"]))
        else:
            await self.slack.deliver(client, self.slack.shortcut(wish["text"], CHANNEL, wish["ts"]))

    async def _submit(self, client: httpx.AsyncClient, wish: Json) -> None:
        """Somebody sends a modal; the service closes it, or puts another in its place or on top of it."""
        view = self.slack.modal or {}
        (response,) = await self.slack.deliver(client, self.slack.submit(view, wish["values"], wish["user"]))
        reaction = response.json() if response.content else {}
        match reaction.get("response_action"):
            case "push":
                self._below.append(_filled(view, wish["values"]))
            case "clear":
                self._below.clear()
        self.slack.modal = reaction.get("view") or (self._below.pop() if self._below else None)
        if self.slack.modal:
            check_view(self.slack.modal, "modal")

    async def _close(self, client: httpx.AsyncClient, wish: Json) -> None:
        self.slack.modal = self._below.pop() if self._below else None

    # --- a briefing session ------------------------------------------------------------------------------------

    async def _open_briefing(self, client: httpx.AsyncClient, wish: Json) -> None:
        """Somebody of the ministry opens a session to rehearse; its links come to the channel, seen by them alone."""
        await self.slack.deliver(client, self.slack.command("説明会 練習 公募説明会の練習", CHANNEL))

    async def _send_crowd(self, client: httpx.AsyncClient, wish: Json) -> None:
        """People come into the session that was opened last, and ask."""
        if code := self._briefing():
            self._crowds.append(asyncio.create_task(self._ask(code, len(self._crowds))))

    async def _ask(self, code: str, crowd: int) -> None:
        async with httpx.AsyncClient(base_url=self._service, timeout=30) as client:
            await ask_in(code, _CROWD, _CROWD_SECONDS, self.line, client, crowd)

    def _briefing(self) -> str:
        """The code of the session that was opened last; "" before one is."""
        told = json.dumps(self.slack.seen_in(CHANNEL), ensure_ascii=False)
        codes = re.findall(r"/b/(\w{4})/host", told)
        return codes[-1] if codes else ""

    def _slack_state(self) -> Json:
        direct = self.slack.seen_in(DIRECT)
        return {
            "channel": self.slack.seen_in(CHANNEL),
            "desk": self.slack.seen_in(DESK),
            "direct": [message for message in direct if message["thread_ts"] not in self.slack.panes],
            "assistant": [message for message in direct if message["thread_ts"] == self.slack.pane != ""],
            "pane": self.slack.pane,
            "title": self.slack.titles.get(self.slack.pane, ""),
            "prompts": self.slack.prompts.get(self.slack.pane, []),
            "status": self.slack.status,
            "homes": self.slack.homes,
            "modal": self.slack.modal,
        }


async def _page(request: Request) -> Response:
    return FileResponse(_PAGE / "index.html", headers=_HEADERS)


async def _icon(request: Request) -> Response:
    return FileResponse(_ICON)


def _filled(view: Json, values: Json) -> Json:
    """A modal as it was filled in, for when what lies on top of it is closed."""
    written = {block: next(iter(fields.values())).get("value") for block, fields in values.items()}
    return view | {
        "blocks": [
            block | {"element": block["element"] | {"initial_value": text}}
            if block["type"] == "input" and (text := written.get(block["block_id"]))
            else block
            for block in view["blocks"]
        ]
    }
