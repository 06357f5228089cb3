"""A stand-in for LINE: the part of the Messaging API that is used, refusing what the real one refuses.

https://developers.line.biz/en/reference/messaging-api/
"""

import asyncio
import base64
import hashlib
import hmac
import io
import itertools
import json
import time
import uuid
from collections import Counter
from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any

import httpx
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SECRET = "line-channel-secret"
TOKEN = "line-access-token"
REPLY_LIFE = 60.0

Json = dict[str, Any]


class LineCallRefusedError(Exception):
    """The platform refuses a call; becomes its response."""

    def __init__(self, status: int, message: str, details: str = "") -> None:
        super().__init__(message, details)
        self.body = {"message": message} | ({"details": [{"message": details, "property": ""}]} if details else {})
        self.status = status


@dataclass
class LineFault:
    """What goes wrong with the next message: `accepted` tells whether it reaches the person all the same.

    With `holds` the platform does not answer the call.
    """

    status: int
    accepted: bool = False
    holds: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    message: str = "The server is busy."


class LinePlatform:
    """Keeps reply tokens and what each person received; sends signed webhooks."""

    def __init__(self) -> None:
        """One account with nobody in it."""
        self.url = ""
        self.received: list[tuple[str, Json]] = []
        self.received_at: dict[str, float] = {}
        self.delay = 0.0
        self.tokens: dict[str, tuple[str, float, bool]] = {}
        self.retry_keys: set[str] = set()
        self.quotable: set[str] = set()
        self.people: set[str] = set()
        self.blocked: set[str] = set()
        self.calls: Counter[str] = Counter()
        self.refusals: list[Json] = []
        self.faults: list[LineFault] = []
        self.loading: list[str] = []
        self.rich_menus: dict[str, Json] = {}
        self.rich_menu_images: dict[str, bytes] = {}
        self.default_rich_menu = ""
        self.webhook = ""
        self.quota: int | None = None
        self.pushed = 0
        self._numbers = itertools.count(1)
        self.app = Starlette(
            routes=[
                Route("/v2/bot/message/reply", self._handle(self._reply), methods=["POST"]),
                Route("/v2/bot/message/push", self._handle(self._push), methods=["POST"]),
                Route("/v2/bot/chat/loading/start", self._handle(self._loading), methods=["POST"]),
                Route("/v2/bot/message/quota", self._handle(self._quota)),
                Route("/v2/bot/message/quota/consumption", self._handle(self._consumption)),
                Route("/v2/bot/info", self._handle(self._info)),
                Route("/v2/bot/channel/webhook/endpoint", self._handle(self._endpoint)),
                Route("/v2/bot/channel/webhook/test", self._handle(self._test_webhook), methods=["POST"]),
                Route("/v2/bot/richmenu", self._handle(self._create_menu), methods=["POST"]),
                Route("/v2/bot/richmenu/list", self._handle(self._list_menus)),
                Route("/v2/bot/richmenu/{id}/content", self._handle(self._upload_menu), methods=["POST"]),
                Route("/v2/bot/richmenu/{id}", self._handle(self._delete_menu), methods=["DELETE"]),
                Route("/v2/bot/user/all/richmenu/{id}", self._handle(self._set_menu), methods=["POST"]),
            ]
        )

    # --- events ------------------------------------------------------------------------------------------------

    def event(self, kind: str, user: str = "U1", room: str = "", **content: Any) -> Json:
        """An event as the platform sends it, with a fresh reply token where its kind has one."""
        self.people.update(filter(None, (user, room)))
        source = {"type": "group", "groupId": room, "userId": user} if room else {"type": "user", "userId": user}
        made = {
            "type": kind,
            "mode": "active",
            "timestamp": int(time.time() * 1000),
            "source": source,
            "webhookEventId": f"01{uuid.uuid4().hex[:24].upper()}",
            "deliveryContext": {"isRedelivery": False},
            **content,
        }
        if kind in ("message", "postback", "follow", "join"):
            made["replyToken"] = uuid.uuid4().hex
            self.tokens[made["replyToken"]] = (room or user, time.time(), False)
        return made

    def text(self, text: str, user: str = "U1", room: str = "", mention: tuple[int, int] | None = None) -> Json:
        """Somebody writes. `mention` is where our name stands in the text: its start and length."""
        message: Json = {
            "id": str(next(self._numbers) + 10**17),
            "type": "text",
            "text": text,
            "quoteToken": uuid.uuid4().hex,
        }
        self.quotable.add(message["quoteToken"])
        if mention:
            mentionee = {"index": mention[0], "length": mention[1], "type": "user", "userId": "Ubot", "isSelf": True}
            message["mention"] = {"mentionees": [mentionee]}
        return self.event("message", user, room, message=message)

    def tap(self, data: str, user: str = "U1", room: str = "") -> Json:
        """Somebody taps a button that carries data."""
        return self.event("postback", user, room, postback={"data": data})

    def expire(self, event: Json) -> Json:
        """The event as it comes when the platform delivers it too late for its reply token."""
        target, made, used = self.tokens[event["replyToken"]]
        self.tokens[event["replyToken"]] = (target, made - REPLY_LIFE - 1, used)
        return event | {"timestamp": event["timestamp"] - int((REPLY_LIFE + 1) * 1000)}

    @staticmethod
    def redelivered(event: Json) -> Json:
        """The event as it comes once more."""
        return event | {"deliveryContext": {"isRedelivery": True}}

    @staticmethod
    def signed(*events: Json) -> dict[str, Any]:
        """The body and the headers of a webhook request."""
        text = json.dumps({"destination": "Ubot", "events": list(events)}, ensure_ascii=False)
        body = text.encode(errors="backslashreplace")  # half a surrogate pair comes as JSON's escape
        return {"content": body, "headers": headers(body)}

    async def deliver(self, client: httpx.AsyncClient, *events: Json) -> httpx.Response:
        """Sends events to the service, signed."""
        return await client.post("/line/webhook", **self.signed(*events))

    def texts(self, target: str = "U1") -> list[str]:
        """What a person or room has received, as text."""
        return [message.get("text") or message["altText"] for to, message in self.received if to == target]

    # --- the API -----------------------------------------------------------------------------------------------

    def _handle(self, handler: Any) -> Any:
        async def handle(request: Request) -> Response:
            await asyncio.sleep(self.delay)
            self.calls[request.url.path] += 1
            try:
                if request.headers.get("authorization") != f"Bearer {TOKEN}":
                    raise LineCallRefusedError(401, "Authentication failed due to the expired access token")
                response: Response = await handler(request)
                return response
            except ClientDisconnect:  # a process that was killed
                return Response()
            except LineCallRefusedError as error:
                self.refusals.append({"path": request.url.path, "status": error.status, **error.body})
                return JSONResponse(error.body, error.status)

        return handle

    async def _reply(self, request: Request) -> Response:
        body = await request.json()
        check_messages(body.get("messages"), self.quotable)
        target, made, used = self.tokens.get(body["replyToken"], ("", 0.0, True))
        if used or time.time() - made > REPLY_LIFE:
            raise LineCallRefusedError(400, "Invalid reply token")
        fault = self.faults.pop(0) if self.faults else None
        if fault and not fault.accepted:
            return JSONResponse({"message": fault.message}, fault.status, fault.headers)
        self.tokens[body["replyToken"]] = (target, made, True)
        self._accept(target, body["messages"])
        if fault and fault.holds:
            await asyncio.sleep(3600)
        if fault:
            return JSONResponse({"message": fault.message}, fault.status, fault.headers)
        return _sent(body["messages"])

    async def _push(self, request: Request) -> Response:
        body = await request.json()
        check_messages(body.get("messages"), self.quotable)
        key = request.headers.get("x-line-retry-key", "")
        try:
            uuid.UUID(key)
        except ValueError:
            raise LineCallRefusedError(400, "The X-Line-Retry-Key is invalid") from None
        if key in self.retry_keys:
            raise LineCallRefusedError(409, "The retry key is already accepted")
        if self.quota is not None and self.pushed >= self.quota:
            raise LineCallRefusedError(429, "You have reached your monthly limit.")
        if body.get("to") not in self.people:
            raise LineCallRefusedError(400, "The property, 'to', in the request body is invalid (line: -, column: -)")
        if body["to"] in self.blocked:  # accepted, and shown to nobody
            return _sent(body["messages"])
        fault = self.faults.pop(0) if self.faults else None
        if not fault or fault.accepted:
            self.retry_keys.add(key)
            self.pushed += 1
            self._accept(body["to"], body["messages"])
        if fault:
            return JSONResponse({"message": fault.message}, fault.status, fault.headers)
        return _sent(body["messages"])

    def _accept(self, target: str, messages: list[Json]) -> None:
        self.received += [(target, message) for message in messages]
        self.received_at[target] = time.monotonic()

    async def _loading(self, request: Request) -> Response:
        body = await request.json()
        if not body["chatId"].startswith("U"):
            raise LineCallRefusedError(400, "The property, 'chatId', in the request body is invalid")
        if body.get("loadingSeconds", 20) not in range(5, 61, 5):
            raise LineCallRefusedError(400, "loadingSeconds must be a multiple of 5")
        self.loading.append(body["chatId"])
        return JSONResponse({}, 202)

    async def _quota(self, request: Request) -> Response:
        return JSONResponse({"type": "none"} if self.quota is None else {"type": "limited", "value": self.quota})

    async def _consumption(self, request: Request) -> Response:
        return JSONResponse({"totalUsage": self.pushed})

    async def _info(self, request: Request) -> Response:
        return JSONResponse(
            {
                "userId": "Ubot",
                "basicId": "@madoguchi",
                "displayName": "窓口",
                "chatMode": "bot",
                "markAsReadMode": "auto",
            }
        )

    async def _endpoint(self, request: Request) -> Response:
        if not self.webhook:
            raise LineCallRefusedError(404, "Webhook endpoint URL not found")
        return JSONResponse({"endpoint": self.webhook, "active": True})

    async def _test_webhook(self, request: Request) -> Response:
        """https://developers.line.biz/en/reference/messaging-api/#test-webhook-endpoint"""
        try:
            async with httpx.AsyncClient() as client:
                status, reason = (await client.post(self.webhook, **self.signed())).status_code, "ERROR_STATUS_CODE"
        except httpx.HTTPError:
            status, reason = 0, "COULD_NOT_CONNECT"
        success = status == 200
        told = {"statusCode": status, "reason": "OK" if success else reason, "detail": str(status)}
        return JSONResponse({"success": success, "timestamp": "2026-04-01T00:00:00Z"} | told)

    async def _create_menu(self, request: Request) -> Response:
        menu = await request.json()
        size = menu["size"]
        if not (800 <= size["width"] <= 2500 and size["height"] >= 250 and size["width"] / size["height"] >= 1.45):
            raise LineCallRefusedError(400, "The request body has 1 error(s)", "size is invalid")
        if len(menu["name"]) > 300 or len(menu["chatBarText"]) > 14 or len(menu["areas"]) > 20:
            raise LineCallRefusedError(400, "The request body has 1 error(s)", "too long")
        for area in menu["areas"]:
            bounds = area["bounds"]
            if bounds["x"] + bounds["width"] > size["width"] or bounds["y"] + bounds["height"] > size["height"]:
                raise LineCallRefusedError(400, "The request body has 1 error(s)", "an area is outside")
            check_action(area["action"])
        id = f"richmenu-{next(self._numbers)}"
        self.rich_menus[id] = menu
        return JSONResponse({"richMenuId": id})

    async def _list_menus(self, request: Request) -> Response:
        return JSONResponse({"richmenus": [{"richMenuId": id, **menu} for id, menu in self.rich_menus.items()]})

    async def _upload_menu(self, request: Request) -> Response:
        image, menu = await request.body(), self.rich_menus.get(request.path_params["id"])
        if menu is None:
            raise LineCallRefusedError(404, "Not found")
        if request.headers["content-type"] not in ("image/png", "image/jpeg") or len(image) > 1_000_000:
            raise LineCallRefusedError(400, "The image is not valid")
        if Image.open(io.BytesIO(image)).size != (menu["size"]["width"], menu["size"]["height"]):
            raise LineCallRefusedError(400, "The image size is not the rich menu's")
        self.rich_menu_images[request.path_params["id"]] = image
        return JSONResponse({})

    async def _delete_menu(self, request: Request) -> Response:
        if self.rich_menus.pop(request.path_params["id"], None) is None:
            raise LineCallRefusedError(404, "Not found")
        return JSONResponse({})

    async def _set_menu(self, request: Request) -> Response:
        id = request.path_params["id"]
        if id not in self.rich_menu_images:
            raise LineCallRefusedError(400, "must upload richmenu image before applying it to user")
        self.default_rich_menu = id
        return JSONResponse({})


def _sent(messages: list[Json]) -> Response:
    return JSONResponse({"sentMessages": [{"id": "1", "quoteToken": "q"} for _ in messages]})


def headers(body: bytes) -> dict[str, str]:
    """The signature of a body, and its type."""
    signature = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
    return {"x-line-signature": signature, "content-type": "application/json; charset=utf-8"}


# --- what a message may be -----------------------------------------------------------------------------------------


def refuse(condition: bool, details: str) -> None:
    """Refuses a message where the condition holds."""
    if condition:
        raise LineCallRefusedError(400, "The request body has 1 error(s)", details)


def units(text: str) -> int:
    """The length of a text in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def check_messages(messages: Any, quotable: Set[str] = frozenset()) -> None:
    """Refuses messages that are too many, too long, or not of a form that the platform knows.

    Args:
        messages: as they were sent.
        quotable: the tokens of messages that can be quoted: by a text, and by nothing else that is used here.
    """
    refuse(not isinstance(messages, list) or not 1 <= len(messages) <= 5, "Size must be between 1 and 5")
    for message in messages:
        quotes = message.get("quoteToken")
        refuse(bool(quotes) and (message["type"] != "text" or quotes not in quotable), "quoteToken is invalid")
        match message["type"]:
            case "text":
                refuse(not message["text"], "May not be empty")
                refuse(units(message["text"]) > 5000, "Length must be between 0 and 5000")
            case "flex":
                refuse(not 1 <= units(message["altText"]) <= 400, "altText must be between 1 and 400")
                refuse(len(json.dumps(message["contents"], ensure_ascii=False).encode()) > 30_000, "bubble too large")
                refuse(message["contents"]["type"] != "bubble", "invalid type")
                for part in ("header", "body", "footer"):
                    if part in message["contents"]:
                        check_component(message["contents"][part])
            case kind:
                refuse(True, f"invalid type {kind}")
        if "quickReply" in message:
            items = message["quickReply"]["items"]
            refuse(not 1 <= len(items) <= 13, "Size must be between 1 and 13")
            for item in items:
                check_action(item["action"])


def check_component(component: Json) -> None:
    """Refuses a part of a Flex message."""
    match component["type"]:
        case "box":
            refuse(component["layout"] not in ("vertical", "horizontal", "baseline"), "invalid layout")
            refuse(not component["contents"], "a box needs contents")
            for inner in component["contents"]:
                check_component(inner)
        case "text":
            refuse(not component.get("text"), "text must not be empty")
            refuse(component.get("weight", "regular") not in ("regular", "bold"), "invalid weight")
        case "button":
            check_action(component["action"])
        case "separator":
            pass
        case kind:
            refuse(True, f"invalid component {kind}")


def check_action(action: Json) -> None:
    """Refuses what a button does."""
    refuse(not 1 <= len(action.get("label", "x")) <= 20, "label must be between 1 and 20")
    match action["type"]:
        case "postback":
            refuse(not 1 <= len(action["data"]) <= 300, "data must be between 1 and 300")
            refuse(len(action.get("displayText", "")) > 300, "displayText must be at most 300")
        case "message":
            refuse(not 1 <= len(action["text"]) <= 300, "text must be between 1 and 300")
        case "uri":
            refuse(not action["uri"].startswith(("https://", "http://", "tel:")), "invalid uri scheme")
        case kind:
            refuse(True, f"invalid action {kind}")
