"""LINE's webhook: verified on the raw body, masked, stored, acknowledged. Conversions only.

Events are read as the JSON that they are, and the signature is checked here: the SDK takes a second to import, and
after a start what arrives is acknowledged before. https://developers.line.biz/en/reference/messaging-api/#webhooks
"""

import base64
import hmac
import json
import logging
from typing import Any

from fastapi import APIRouter, Request, Response

from bot.delivery import Arrival, Inbox, Json
from bot.masking import mask

NAME = "line"

_CONTENTS = ("text", "sticker", "image", "video", "audio", "file", "location")

_WRITTEN = ("text", "title", "address", "fileName")
"""What people write in a message: the text of a message or sticker, a place and its address, a file's name."""

_log = logging.getLogger(__name__)


def routes(inbox: Inbox, channel_secret: str) -> APIRouter:
    """`POST /line/webhook`."""
    router = APIRouter()

    @router.post("/line/webhook")
    async def webhook(request: Request) -> Response:
        body = await request.body()
        if not _is_signed(body, request.headers.get("x-line-signature", ""), channel_secret):
            return Response(status_code=400)
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return Response(status_code=415)
        try:
            events = json.loads(body.decode())["events"]
            arrivals = [arrival for event in events if (arrival := _arrival(event))]
        except (ValueError, KeyError, TypeError, RecursionError):
            return Response(status_code=400)
        await inbox.put(arrivals)
        return Response()

    return router


def _is_signed(body: bytes, signature: str, secret: str) -> bool:
    expected = base64.b64encode(hmac.digest(secret.encode(), body, "sha256"))
    return hmac.compare_digest(expected, signature.encode(errors="replace"))


def _arrival(event: Any) -> Arrival | None:
    """An event that is for us; None for what nobody asked of us, and for what this version does not know."""
    match event:
        case {"mode": "active", "webhookEventId": str(id), "source": {"type": str()} as source} if _concerns_us(event):
            message = ""
            if content := event.get("message"):
                message = f"{NAME}:{content['id']}"
                event = event | {"message": _masked(content)}
            return Arrival(f"{NAME}:{id}", NAME, sender_of(source), event, message, person_of(source))
        case {"type": str(kind)}:
            _log.debug("an event of the kind %s is left", kind)
    return None


def _concerns_us(event: Json) -> bool:
    match event:
        case {"type": "message", "source": {"type": "user"}, "message": {"type": kind, "id": str()}}:
            return kind in _CONTENTS
        case {"type": "message", "message": {"type": "text", "id": str(), "mention": {"mentionees": [*mentionees]}}}:
            return bool(_mentions_of_us(mentionees))
        case {"type": "postback", "postback": {"data": str()}} | {"type": "unsend", "unsend": {"messageId": str()}}:
            return True
        case {"type": "follow" | "unfollow" | "join" | "leave"}:
            return True
    return False


def _masked(content: Json) -> Json:
    """A message as it is stored; our own name is taken out of it first, as its place in the text would not hold."""
    match content:
        case {"text": str(text), "mention": {"mentionees": [*mentionees]}, **rest}:
            content = rest | {"text": _without_us(text, mentionees)}
    return content | {key: mask(content[key]) for key in _WRITTEN if isinstance(content.get(key), str)}


def _without_us(text: str, mentionees: list[Any]) -> str:
    """A text without our own name. Positions count UTF-16 units; half a surrogate pair stays what it is."""
    units = text.encode("utf-16-le", "surrogatepass")
    for start, length in sorted(_mentions_of_us(mentionees), reverse=True):
        units = units[: 2 * start] + units[2 * (start + length) :]
    return units.decode("utf-16-le", "surrogatepass").strip()


def _mentions_of_us(mentionees: list[Any]) -> list[tuple[int, int]]:
    """Where our name stands in a text: start and length."""
    ours = []
    for mentioned in mentionees:
        match mentioned:
            case {"isSelf": True, "index": int(start), "length": int(length)}:
                ours.append((start, length))
    return ours


def sender_of(source: Json) -> str:
    """Whose conversation it is: in a group each member has one, so that nobody's facts are taken for another's."""
    user = source.get("userId") or ""
    return f"{NAME}:{room}:{user}" if (room := room_of(source)) else f"{NAME}:{user}"


def person_of(source: Json) -> str:
    """Who did it, wherever that was; one whom LINE does not name is known by the room alone."""
    return f"{NAME}:{source['userId']}" if source.get("userId") else sender_of(source)


def room_of(source: Json) -> str:
    """The id of the group or room; "" where somebody is alone with us."""
    return str(source.get("groupId") or source.get("roomId") or "")
