"""A stand-in for Slack: the part of the Web API and of Socket Mode that is used, refusing what the real one refuses.

https://docs.slack.dev/reference/methods
"""

import asyncio
import hashlib
import hmac
import itertools
import json
import math
import time
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

SECRET = "slack-signing-secret"
TOKEN = "xoxb-bot-token"
APP_TOKEN = "xapp-app-token"
BOT = "UBOT"
CHANNEL, DIRECT, DESK = "C1", "D1", "CDESK"

_MANIFEST = Path(__file__).parent.parent.parent / "slack-manifest.yaml"
"""What the app is installed from, and so what it is granted."""

Json = dict[str, Any]


class SlackCallRefusedError(Exception):
    """The platform refuses a call; becomes its response."""

    def __init__(self, error: str, detail: str = "") -> None:
        super().__init__(error, detail)
        self.body = {"ok": False, "error": error} | ({"response_metadata": {"messages": [detail]}} if detail else {})


@dataclass
class SlackFault:
    """What goes wrong with the next call of a method: `accepted` tells whether it took effect all the same.

    Without an `error`, status 200 is the page of a proxy: no JSON.
    """

    method: str
    status: int = 200
    error: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    accepted: bool = False


class SlackPlatform:
    """Keeps channels with their messages, home tabs, modals; sends signed requests, or the same by Socket Mode."""

    def __init__(self) -> None:
        """One workspace, with the app in the channel C1, that of the officials, and two direct messages."""
        self.url = ""
        self.channels: dict[str, list[Json]] = defaultdict(list)
        self.members: set[str] = {CHANNEL, DIRECT, "D2", DESK}
        self.people: dict[str, list[str]] = {CHANNEL: ["U1", "U2", "U9"], DESK: ["U1", "U2"]}
        self.whispers: list[Json] = []
        self.responses: list[Json] = []
        self.homes: dict[str, Json] = {}
        self.views: list[Json] = []
        self.titles: dict[str, str] = {}
        self.prompts: dict[str, list[Json]] = {}
        self.status = ""
        self.statuses: list[str] = []
        self.panes: list[str] = []
        self.modal: Json | None = None
        self.faults: list[SlackFault] = []
        self.calls: Counter[str] = Counter()
        self.refusals: list[Json] = []
        self.without_scope: set[str] = set()
        self.revoked = False
        self.seconds_apart = 0.0
        self._posted_at: dict[str, float] = {}
        self.scopes = set(yaml.safe_load(_MANIFEST.read_text("utf-8"))["oauth_config"]["scopes"]["bot"])
        self._triggers: dict[str, float] = {}
        self._response_urls: Counter[str] = Counter()
        self._response_channels: dict[str, str] = {}
        self._response_originals: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._socket: WebSocket | None = None
        self.connected = asyncio.Event()
        self.acknowledged: list[Json] = []
        self.app = Starlette(
            routes=[
                Route("/api/{method}", self._handle, methods=["POST", "GET"]),
                Route("/respond/{id}", self._respond, methods=["POST"]),
                WebSocketRoute("/socket", self._serve_socket),
            ]
        )

    # --- what people do ----------------------------------------------------------------------------------------

    def ts(self) -> str:
        """A timestamp, which is a message's id too: each is later than the one before."""
        return f"{int(time.time())}.{next(self._numbers):06d}"

    def event(self, kind: str, **content: Any) -> Json:
        """An event as the Events API sends it."""
        return {
            "token": "x",
            "team_id": "T1",
            "api_app_id": "A1",
            "type": "event_callback",
            "event_id": f"Ev{uuid.uuid4().hex[:10].upper()}",
            "event_time": int(time.time()),
            "authorizations": [{"team_id": "T1", "user_id": BOT, "is_bot": True}],
            "event": {"type": kind, "event_ts": self.ts(), **content},
        }

    def mention(self, text: str, channel: str = CHANNEL, **content: Any) -> Json:
        """Somebody writes in a channel and mentions the app."""
        said = {"user": "U1", "channel": channel, "ts": self.ts(), "text": f"<@{BOT}> {text}", **content}
        self.channels[channel].append(dict(said))
        return self.event("app_mention", **said)

    def remark(self, text: str, channel: str = CHANNEL, **content: Any) -> Json:
        """Somebody writes in a channel, not to the app."""
        said = {"user": "U1", "channel": channel, "channel_type": "channel", "ts": self.ts(), "text": text, **content}
        self.channels[channel].append(dict(said))
        return self.event("message", **said)

    def delete(self, event: Json) -> Json:
        """Somebody deletes what they wrote: of a message with replies, a tombstone stays."""
        said, channel = event["event"], event["event"]["channel"]
        kept = {name: value for name, value in said.items() if name not in ("channel", "channel_type", "type")}
        place = {"channel": channel, "channel_type": "im" if channel.startswith("D") else "channel"}
        if any(message.get("thread_ts") == said["ts"] for message in self.channels[channel]):
            text = "This message was deleted."
            tombstone = {"subtype": "tombstone", "user": "USLACKBOT", "hidden": True, "text": text}
            message = {"type": "message", "ts": said["ts"], "thread_ts": said["ts"], **tombstone}
            changed = {"message": message, "previous_message": kept | {"thread_ts": said["ts"]}}
            return self.event("message", subtype="message_changed", hidden=True, **place, **changed)
        self.channels[channel] = [m for m in self.channels[channel] if m["ts"] != said["ts"]]
        gone = {"deleted_ts": said["ts"], "previous_message": kept}
        return self.event("message", subtype="message_deleted", hidden=True, **place, **gone)

    def open_assistant(self) -> Json:
        """Somebody opens the app's pane: a new thread in their direct messages."""
        self.panes.append(self.ts())
        thread = {"user_id": "U1", "channel_id": DIRECT, "thread_ts": self.panes[-1], "context": {}}
        return self.event("assistant_thread_started", assistant_thread=thread)

    @property
    def pane(self) -> str:
        """The thread in the app's pane, or "" before one was opened."""
        return self.panes[-1] if self.panes else ""

    def direct(self, text: str, channel: str = DIRECT, **content: Any) -> Json:
        """Somebody writes to the app alone."""
        said = {"user": "U1", "channel": channel, "channel_type": "im", "ts": self.ts(), "text": text, **content}
        self.channels[channel].append(dict(said))
        return self.event("message", **said)

    def command(self, text: str, channel: str = "C9", user: str = "U1") -> Json:
        """Somebody calls /madoguchi."""
        return {
            "command": "/madoguchi",
            "text": text,
            "user_id": user,
            "channel_id": channel,
            "team_id": "T1",
            **self._interaction(channel),
        }

    def shortcut(self, text: str, channel: str = CHANNEL, ts: str = "") -> Json:
        """Somebody asks the app to answer another person's message."""
        message = {"type": "message", "user": "U2", "ts": ts or self.ts(), "text": text}
        return self._shortcut("answer_message", message, channel)

    def send_to_asker(self, message: Json, user: str = "U1") -> Json:
        """An official has the app send what was written in a thread."""
        return self._shortcut("send_to_asker", {"type": "message", **message}, message["channel"], user)

    def _shortcut(self, name: str, message: Json, channel: str, user: str = "U1") -> Json:
        return {
            "type": "message_action",
            "callback_id": name,
            "message": message,
            "channel": {"id": channel, "name": "c"},
            **self._person(user),
            **self._interaction(channel),
        }

    def tap(
        self, action: Json, message: Json, channel: str = CHANNEL, ephemeral: bool = False, user: str = "U1"
    ) -> Json:
        """A tap on an element of a message, given as it was sent."""
        container = {"type": "message", "message_ts": message.get("ts", ""), "channel_id": channel}
        container |= {"is_ephemeral": ephemeral}
        if thread := message.get("thread_ts"):
            container["thread_ts"] = thread
        return {
            "type": "block_actions",
            "container": container,
            "channel": {"id": channel},
            "message": message,
            "actions": [{"block_id": "b", "action_ts": self.ts(), **action}],
            **self._person(user),
            **self._interaction(channel, message.get("ts", "")),
        }

    def tap_home(self, action: Json, user: str = "U1") -> Json:
        """A tap on an element of the home tab."""
        view = {**self.homes.get(user, {}), "id": "V0", "type": "home", "callback_id": ""}
        return {
            "type": "block_actions",
            "container": {"type": "view", "view_id": "V0"},
            "view": view,
            "actions": [{"block_id": "b", "action_ts": self.ts(), **action}],
            **self._person(user),
            "trigger_id": self._trigger(),
        }

    def tap_modal(self, action: Json, user: str = "U1") -> Json:
        """A tap on an element of the modal that is open."""
        return {
            "type": "block_actions",
            "container": {"type": "view", "view_id": "V1"},
            "view": {**(self.modal or {}), "id": "V1", "state": {"values": {}}},
            "actions": [{"block_id": "b", "action_ts": self.ts(), **action}],
            **self._person(user),
            "trigger_id": self._trigger(),
        }

    def submit(self, view: Json, values: Json, user: str = "U1") -> Json:
        """Somebody sends a modal with what was filled in."""
        filled = {**view, "id": "V1", "state": {"values": values}}
        return {"type": "view_submission", "view": filled, **self._person(user), "trigger_id": self._trigger()}

    def _person(self, user: str = "U1") -> Json:
        return {"user": {"id": user, "team_id": "T1"}, "team": {"id": "T1", "domain": "d"}}

    def _interaction(self, channel: str, original: str = "") -> Json:
        """What lets the app answer: a trigger, and an address by which it may replace what was tapped, too."""
        id = uuid.uuid4().hex
        self._response_channels[id], self._response_originals[id] = channel, original
        return {"trigger_id": self._trigger(), "response_url": f"{self.url}/respond/{id}"}

    def _trigger(self) -> str:
        id = f"1.{uuid.uuid4().hex}"
        self._triggers[id] = time.time()
        return id

    @staticmethod
    def signed(payload: Json, timestamp: int | None = None) -> dict[str, Any]:
        """The body and the headers of a request: events as JSON, commands and interactions as forms."""
        if payload["type"] == "event_callback" if "type" in payload else False:
            body, kind = json.dumps(payload).encode(), "application/json"
        else:
            form = payload if "command" in payload else {"payload": json.dumps(payload)}
            body, kind = urlencode(form).encode(), "application/x-www-form-urlencoded"
        return {"content": body, "headers": headers(body, kind, timestamp)}

    async def deliver(self, client: httpx.AsyncClient, *payloads: Json) -> list[httpx.Response]:
        """Sends payloads to the service, signed."""
        return [await client.post("/slack/events", **self.signed(payload)) for payload in payloads]

    async def deliver_by_socket(self, payload: Json) -> None:
        """Sends a payload over the connection that the service has opened."""
        kind = "events_api" if payload.get("type") == "event_callback" else "interactive"
        kind = "slash_commands" if "command" in payload else kind
        envelope = {"envelope_id": uuid.uuid4().hex, "type": kind, "payload": payload}
        assert self._socket
        await self._socket.send_json(envelope | {"accepts_response_payload": True})

    def answers(self, channel: str = CHANNEL) -> list[Json]:
        """What the app has said in a channel."""
        return [message for message in self.channels[channel] if message.get("bot_id")]

    def seen_in(self, channel: str) -> list[Json]:
        """All that the person sees in a channel, in its order; `private` is what nobody else sees."""
        whispers = [{"private": True, **whisper} for whisper in self.whispers]
        responses = [{"private": sent.get("response_type") != "in_channel", **sent} for sent in self.responses]
        seen = [*self.channels[channel], *(sent for sent in (*whispers, *responses) if sent["channel"] == channel)]
        return [{"thread_ts": "", **message} for message in sorted(seen, key=lambda message: message["ts"])]

    # --- the API -----------------------------------------------------------------------------------------------

    async def _handle(self, request: Request) -> Response:
        method = request.path_params["method"]
        self.calls[method] += 1
        token = request.headers.get("authorization", "")
        arguments = await _arguments(request)
        fault = next((fault for fault in self.faults if fault.method == method), None)
        if fault:
            self.faults.remove(fault)
        try:
            expected = APP_TOKEN if method == "apps.connections.open" else TOKEN
            if token != f"Bearer {expected}":
                raise SlackCallRefusedError("invalid_auth" if token else "not_authed")
            if self.revoked:
                raise SlackCallRefusedError("token_revoked")
            if method == "chat.postMessage" and not self._has_room(str(arguments["channel"])):
                headers = {"Retry-After": f"{self.seconds_apart:g}"}
                return JSONResponse({"ok": False, "error": "ratelimited"}, 429, headers)
            if method in self.without_scope:
                raise SlackCallRefusedError("missing_scope")
            if fault and not fault.accepted:
                return _failed(fault)
            handler = getattr(self, f"_{method.replace('.', '_')}", None)
            if handler is None:
                raise SlackCallRefusedError("unknown_method")
            result = handler(**arguments)
            if fault:
                return _failed(fault)
            return JSONResponse({"ok": True, **result}, headers={"x-oauth-scopes": ",".join(self.scopes)})
        except SlackCallRefusedError as error:
            self.refusals.append({"method": method, **error.body})
            return JSONResponse(error.body)

    def _has_room(self, channel: str) -> bool:
        """Whether a channel takes one more message: about one a second in each, where that is being counted."""
        now = time.monotonic()
        if now - self._posted_at.get(channel, -math.inf) < self.seconds_apart:
            return False
        self._posted_at[channel] = now
        return True

    def _auth_test(self) -> Json:
        return {"url": "https://t.slack.com/", "team": "T", "user": "bot", "team_id": "T1", "user_id": BOT}

    def _apps_connections_open(self) -> Json:
        return {"url": f"{self.url.replace('http', 'ws', 1)}/socket"}

    def _chat_postMessage(self, channel: str, **message: Any) -> Json:  # noqa: N802
        if channel.startswith("U"):
            channel = f"D{channel[1:]}"
        elif channel not in self.members:
            raise SlackCallRefusedError("not_in_channel")
        check_message(message)
        stored = {**message, "channel": channel, "ts": self.ts(), "bot_id": "B1"}
        self.status = ""
        self.channels[channel].append(stored)
        return {"channel": channel, "ts": stored["ts"], "message": stored}

    def _chat_update(self, channel: str, ts: str, **message: Any) -> Json:
        check_message(message)
        self._message(channel, ts).update(message)
        return {"channel": channel, "ts": ts}

    def _chat_delete(self, channel: str, ts: str) -> Json:
        self.channels[channel].remove(self._message(channel, ts))
        return {"channel": channel, "ts": ts}

    def _message(self, channel: str, ts: str) -> Json:
        for message in self.channels[channel]:
            if message["ts"] == ts:
                return message
        raise SlackCallRefusedError("message_not_found")

    def _chat_postEphemeral(self, channel: str, user: str, **message: Any) -> Json:  # noqa: N802
        if channel not in self.members:
            raise SlackCallRefusedError("not_in_channel")
        check_message(message)
        whisper = {"ts": self.ts(), "channel": channel, "user": user, **message}
        self.whispers.append(whisper)
        return {"message_ts": whisper["ts"]}

    def _conversations_open(self, users: str) -> Json:
        return {"channel": {"id": f"D{users[1:]}"}}

    def _conversations_members(self, channel: str, limit: Any = 100, cursor: str | None = None) -> Json:
        if channel not in self.people:
            raise SlackCallRefusedError("channel_not_found")
        if not {"channels:read", "groups:read"} <= self.scopes:
            raise SlackCallRefusedError("missing_scope")
        start = int(cursor or 0)
        end = start + int(limit)
        following = str(end) if len(self.people[channel]) > end else ""
        return {"members": self.people[channel][start:end], "response_metadata": {"next_cursor": following}}

    def _conversations_replies(self, channel: str, ts: str, **page: Any) -> Json:
        thread = [m for m in self.channels[channel] if ts in (m["ts"], m.get("thread_ts"))]
        if not thread:
            raise SlackCallRefusedError("thread_not_found")
        parent, *replies = thread  # the parent comes with every page, and does not count
        found = _paged(replies, **page)
        return found | {"messages": [parent, *found["messages"]]}

    def _conversations_history(self, channel: str, **page: Any) -> Json:
        if channel.startswith("U"):  # posting there works, reading does not
            raise SlackCallRefusedError("channel_not_found")
        return _paged(self.channels[channel][::-1], **page)

    def _views_open(self, trigger_id: str, view: Json | str) -> Json:
        view = json.loads(view) if isinstance(view, str) else view
        made = self._triggers.pop(trigger_id, None)
        if made is None:
            raise SlackCallRefusedError("exchanged_trigger_id")
        if time.time() - made > 3:
            raise SlackCallRefusedError("expired_trigger_id")
        check_view(view, "modal")
        self.views.append(view)
        self.modal = view
        return {"view": {"id": "V1", "hash": _version(view), **view}}

    def _views_update(self, view_id: str, view: Json | str, hash: str | None = None) -> Json:
        view = json.loads(view) if isinstance(view, str) else view
        if view_id != "V1" or self.modal is None:
            raise SlackCallRefusedError("not_found")
        if hash is not None and hash != _version(self.modal):
            raise SlackCallRefusedError("hash_conflict")
        check_view(view, "modal")
        self.views.append(view)
        self.modal = view
        return {"view": {"id": "V1", "hash": _version(view), **view}}

    def _views_publish(self, user_id: str, view: Json) -> Json:
        check_view(view, "home")
        self.homes[user_id] = view
        return {"view": view}

    def _assistant_threads_setStatus(self, channel_id: str, thread_ts: str, status: str) -> Json:  # noqa: N802
        self.status = status
        self.statuses.append(status)
        return {}

    def _assistant_threads_setTitle(self, channel_id: str, thread_ts: str, title: str) -> Json:  # noqa: N802
        self.titles[thread_ts] = title
        return {}

    def _assistant_threads_setSuggestedPrompts(  # noqa: N802
        self, channel_id: str, thread_ts: str, prompts: list[Json]
    ) -> Json:
        if not 1 <= len(prompts) <= 4:
            raise SlackCallRefusedError("invalid_arguments", "1 to 4 prompts")
        self.prompts[thread_ts] = prompts
        return {}

    async def _respond(self, request: Request) -> Response:
        id, message = request.path_params["id"], await request.json()
        fault = next((fault for fault in self.faults if fault.method == "respond"), None)
        if fault:
            self.faults.remove(fault)
            return _failed(fault)
        self._response_urls[id] += 1
        if self._response_urls[id] > 5:
            return JSONResponse({"ok": False, "error": "used_url"}, 404)
        try:
            check_message(message)
        except SlackCallRefusedError as error:
            self.refusals.append({"method": "respond", **error.body})
            return JSONResponse(error.body, 400)
        sent = {"ts": self.ts(), "channel": self._response_channels.get(id, ""), **message}
        if message.get("replace_original"):
            original = self._response_originals[id]
            (place,) = (n for n, before in enumerate(self.responses) if before["ts"] == original)
            self.responses[place] = sent | {"ts": original}
        else:
            self.responses.append(sent)
        return Response("ok")

    async def _serve_socket(self, socket: WebSocket) -> None:
        await socket.accept()
        self._socket = socket
        await socket.send_json({"type": "hello", "num_connections": 1})
        self.connected.set()
        try:
            while True:
                text = await socket.receive_text()
                if text.startswith("{"):
                    self.acknowledged.append(json.loads(text))
        except WebSocketDisconnect:
            self._socket = None


def _version(view: Json) -> str:
    """What is another one once a view has changed."""
    return hashlib.sha256(json.dumps(view, sort_keys=True).encode()).hexdigest()


def _paged(messages: list[Json], oldest: str = "0", limit: Any = 100, cursor: str | None = None, **_: Any) -> Json:
    """A page of a conversation, in the order given, and where the next one begins."""
    young = [message for message in messages if float(message["ts"]) > float(oldest)]
    start = int(cursor or 0)
    end = start + int(limit)
    more = {"response_metadata": {"next_cursor": str(end)}} if len(young) > end else {}
    return {"messages": young[start:end], "has_more": bool(more), **more}


def _failed(fault: SlackFault) -> Response:
    if not fault.error:
        return Response("<html>", fault.status, fault.headers)
    return JSONResponse({"ok": False, "error": fault.error}, headers=fault.headers)


async def _arguments(request: Request) -> Json:
    if request.headers.get("content-type", "").startswith("application/json"):
        arguments: Json = await request.json()
        return arguments
    return dict(request.query_params) | dict(parse_qsl((await request.body()).decode()))


def headers(body: bytes, kind: str = "application/json", timestamp: int | None = None) -> dict[str, str]:
    """The signature of a body at a moment, and its type."""
    moment = str(int(time.time()) if timestamp is None else timestamp)
    signature = hmac.new(SECRET.encode(), b"v0:" + moment.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"x-slack-request-timestamp": moment, "x-slack-signature": f"v0={signature}", "content-type": kind}


# --- what a message may be -----------------------------------------------------------------------------------------


def refuse(condition: bool, detail: str) -> None:
    """Refuses blocks where the condition holds."""
    if condition:
        raise SlackCallRefusedError("invalid_blocks", detail)


def check_message(message: Json) -> None:
    """Refuses a message without text, and one that is too long or has blocks that the platform does not know."""
    if not message.get("text") and not message.get("blocks"):
        raise SlackCallRefusedError("no_text")
    if len(message.get("text", "")) > 40_000:
        raise SlackCallRefusedError("msg_too_long")
    blocks = message.get("blocks", [])
    refuse(len(blocks) > 50, "too many blocks")
    check_blocks(blocks)


def check_view(view: Json, kind: str) -> None:
    """Refuses a modal or a home tab."""
    refuse(view["type"] != kind, "wrong type of view")
    if kind == "modal":
        refuse(not 1 <= len(view["title"]["text"]) <= 24, "title must be 1 to 24")
        refuse(len(view.get("private_metadata", "")) > 3000, "private_metadata too long")
        has_input = any(block["type"] == "input" for block in view["blocks"])
        refuse(has_input and "submit" not in view, "a view with inputs needs submit")
    refuse(not 1 <= len(view["blocks"]) <= 100, "1 to 100 blocks")
    check_blocks(view["blocks"])


def check_blocks(blocks: list[Json]) -> None:
    """Refuses blocks that break a limit of Block Kit."""
    for block in blocks:
        match block["type"]:
            case "section":
                check_text(block["text"], 3000)
            case "header":
                refuse(block["text"]["type"] != "plain_text", "a header is plain text")
                check_text(block["text"], 150)
            case "context":
                refuse(not 1 <= len(block["elements"]) <= 10, "1 to 10 elements")
                for element in block["elements"]:
                    check_text(element, 2000)
            case "actions":
                refuse(not 1 <= len(block["elements"]) <= 25, "1 to 25 elements")
                ids = [element["action_id"] for element in block["elements"]]
                refuse(len(set(ids)) != len(ids), "action_id is not unique")
                for element in block["elements"]:
                    if element["type"] == "static_select":
                        check_options(element)
                        continue
                    check_text(element["text"], 75)
                    refuse(element["text"]["type"] != "plain_text", "a button is plain text")
                    refuse(not 1 <= len(element["value"]) <= 2000, "value must be 1 to 2000")
                    refuse(element.get("style", "primary") not in ("primary", "danger"), "invalid style")
            case "context_actions":
                refuse(not 1 <= len(block["elements"]) <= 5, "1 to 5 elements")
                for element in block["elements"]:
                    refuse(element["type"] not in ("feedback_buttons", "icon_button"), "not for context_actions")
                    for name in ("positive_button", "negative_button"):
                        check_text(element[name]["text"], 75)
                        refuse(len(element[name]["value"]) > 2000, "value too long")
            case "input":
                check_text(block["label"], 2000)
                if block["element"]["type"] == "static_select":
                    check_options(block["element"])
                if block["element"]["type"] == "plain_text_input":
                    longest = block["element"].get("max_length", 3000)
                    refuse(not 1 <= longest <= 3000, "max_length must be 1 to 3000")
                    refuse(len(block["element"].get("initial_value", "")) > longest, "initial_value too long")
            case "divider":
                pass
            case kind:
                refuse(True, f"unsupported type: {kind}")


def check_options(select: Json) -> None:
    """Refuses a menu that breaks a limit of Block Kit."""
    refuse(not 1 <= len(select["options"]) <= 100, "1 to 100 options")
    for option in select["options"]:
        check_text(option["text"], 75)
        refuse(not 1 <= len(option["value"]) <= 150, "value must be 1 to 150")


def check_text(text: Json, limit: int) -> None:
    """Refuses a text object that is empty, longer than the limit, or of a wrong type."""
    refuse(text["type"] not in ("plain_text", "mrkdwn"), "not a text")
    refuse(not 1 <= len(text["text"]) <= limit, f"must be 1 to {limit} characters")
    refuse("verbatim" in text and text["type"] != "mrkdwn", "verbatim is for mrkdwn")
    refuse("emoji" in text and text["type"] != "plain_text", "emoji is for plain_text")
