"""LINE: arrivals to messages, and sending by reply or push. Conversions only.

Verified against line-bot-sdk 3.27 and https://developers.line.biz/en/reference/messaging-api/.
"""

import json
import logging
import random
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from aiohttp import ClientError, ClientTimeout
from linebot.v3.messaging import (
    ApiException,
    AsyncApiClient,
    AsyncMessagingApi,
    Configuration,
    PushMessageRequest,
    ReplyMessageRequest,
    ShowLoadingAnimationRequest,
)
from linebot.v3.webhooks import (
    Event,
    FollowEvent,
    JoinEvent,
    LeaveEvent,
    MessageEvent,
    PostbackEvent,
    TextMessageContent,
    UnfollowEvent,
    UnsendEvent,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.briefing.line import LineSessions
from bot.briefing.sessions import Briefing
from bot.channels import line_messages as messages
from bot.channels.limits import TOO_MANY, RateLimit
from bot.channels.line_webhook import NAME, person_of, room_of, sender_of
from bot.channels.progress import shown
from bot.delivery import (
    AskedToWaitError,
    Attempt,
    HeldBackError,
    Json,
    Prepared,
    RetryLaterError,
    UndeliverableError,
)
from bot.desk.sentences import ASK_STAFF, taps_below
from bot.replies import FAILED
from bot.service import Service
from bot.settings import MessageRefusedError
from bot.types import AnswerStatus, Turn, UnknownFactsError
from knowledge.types import IndexMissingError

REPLY_TOKEN_LIFE = 50.0
"""Seconds from the event's arrival. The platform promises one minute from the webhook on; the rest is for the way."""

_RETRY_KEYS = uuid.UUID("5a1ad3c6-41c0-4a43-a5b9-8bdd2a3c7a4e")
"""The name space of the retry keys: the same event has the same key, in whichever process it is sent."""

TIMEOUT = ClientTimeout(total=10)
_LOADING_SECONDS = 20
_QUOTED = 100

_AT_ONCE = 5
"""Messages that the platform takes at a time."""

_TOKEN_WAIT = 10.0
"""Seconds until a refused token is tried again: it may have been replaced."""

_WAIT = 5.0
"""Seconds to wait where the platform asks for that and names no time."""

_KINDS = {
    "sticker": "スタンプをありがとうございます。",
    "image": "画像は読み取れません。",
    "video": "動画は読み取れません。",
    "audio": "音声は聞き取れません。",
    "file": "ファイルは読み取れません。",
    "location": "位置情報は使っていません。",
}
_WRITE = "ご質問を文字でお送りください。例:「推進体制構築支援の上限はいくらですか」"
_WELCOME = (
    "友だち追加ありがとうございます。総務省の支援事業について、資料に基づいてお答えします。"
    "質問をそのまま送るか、下のボタンを押してください。"
)
_JOINED = (
    "お招きありがとうございます。総務省の支援事業について、資料に基づいてお答えします。"
    "このトークでは、@でこのアカウントを指定した質問にだけお答えします。"
)
_EXAMPLES = (
    "財政力指数0.6の町は計画策定支援の対象になりますか",
    "推進体制構築支援の上限はいくらですか",
    "アドバイザー派遣は今申し込めますか",
)
_TO_THIS = "このご質問への回答です。"
_CHECK_WHICH = "どの支援事業の対象になるかを確かめますか。"
_THANKS = "ご意見をありがとうございます。今後の回答に役立てます。"
_ASK_AGAIN = "このボタンは使えなくなりました。ご質問を文字でお送りください。"

_log = logging.getLogger(__name__)


class LineChannel:
    """The channel: prepares and sends for the delivery."""

    def __init__(
        self,
        service: Service,
        briefings: LineSessions,
        api: AsyncMessagingApi,
        limit: RateLimit,
        now: Callable[[], datetime],
        reserve: int,
    ) -> None:
        self._service = service
        self._briefings = briefings
        self._api = api
        self._limit = limit
        self._now = now
        self._reserve = reserve
        self._refused: set[str] = set()
        self._desk = service.desk

    async def prepare(self, event: Json) -> Prepared:
        """The messages that answer an event, behind what officials have written to its sender."""
        if event.get("kind") == "staff_reply":
            return await self._prepare_reply(event)
        prepared = await self._prepare(event)
        if not (event.get("replyToken") and prepared.outgoing):
            return prepared
        return await self._with_replies(event, await self._with_held(event, prepared))

    async def _with_held(self, event: Json, prepared: Prepared) -> Prepared:
        """What is sent, behind earlier answers that the month's quota held back: a reply costs none of it."""
        inbox, before = self._service.inbox, prepared.record
        held, left = await inbox.held(sender_of(event["source"]), _AT_ONCE - len(prepared.outgoing))
        if not held:
            return prepared

        async def record(connection: AsyncConnection) -> None:
            if before:
                await before(connection)
            await inbox.let_go(connection, left)

        return replace(prepared, outgoing=[*held, *prepared.outgoing], record=record)

    async def _with_replies(self, event: Json, prepared: Prepared) -> Prepared:
        """What is sent, behind what officials have written to its sender."""
        room = _AT_ONCE - len(prepared.outgoing)
        if not (self._desk and room):
            return prepared
        replies = await self._desk.cases.carry_all(sender_of(event["source"]), _event_id(event), room)
        if not replies:
            return prepared
        taps = [messages.say_item(text) for reply in replies for text in taps_below(reply)]
        carried = [messages.reply_message(reply) for reply in replies]
        return replace(prepared, outgoing=messages.also_offering([*carried, *prepared.outgoing], taps))

    async def _prepare_reply(self, event: Json) -> Prepared:
        """A message of an official's; none where another event carries it, or nobody is there any more."""
        assert self._desk
        carried = await self._desk.cases.carry(event["reply"], event["id"])
        if not carried:
            return Prepared([])
        reply, _ = carried
        taps = [messages.say_item(text) for text in taps_below(reply)]
        return Prepared([messages.with_quick_replies(messages.reply_message(reply), taps)])

    async def _prepare(self, event: Json) -> Prepared:
        source = event["source"]
        match Event.from_dict(event):
            case MessageEvent(message=TextMessageContent() as content):
                if room_of(source):
                    prepared = await self._answer(source, content.text, f"{NAME}:{content.id}")
                    return _quoting(content.quote_token, prepared)
                return await self._answer_alone(source, content.text, f"{NAME}:{content.id}")
            case MessageEvent(message=content):
                return _say(_KINDS.get(content.type, "") + _WRITE, *_examples())
            case PostbackEvent(postback=postback):
                prepared = await self._tapped(source, postback.data)
                if room_of(source):
                    return prepared
                return await self._briefings.with_replies(sender_of(source), prepared)
            case FollowEvent():
                return _say(_WELCOME, *_examples(), messages.postback_item(messages.CHECK, {"check": ""}))
            case JoinEvent():
                return _say(_JOINED)
            case UnsendEvent(unsend=unsend):
                await self._service.forget(message=f"{NAME}:{unsend.message_id}")
            case UnfollowEvent():
                await self._service.forget(person=person_of(source))
            case LeaveEvent():
                await self._service.forget(room=f"{NAME}:{room_of(source)}")
        return Prepared([])

    async def _answer_alone(self, source: Json, text: str, message: str) -> Prepared:
        """What somebody who is alone with us says may be asked in a briefing session that they have joined."""
        sender = sender_of(source)
        said = await self._briefings.said(sender, text)
        prepared = said if isinstance(said, Prepared) else await self._answer(source, text, message, said)
        return await self._briefings.with_replies(sender, prepared)

    async def _answer(self, source: Json, text: str, message: str = "", briefing: Briefing | None = None) -> Prepared:
        sender = sender_of(source)
        person = person_of(source)
        if not self._limit.allows(person, self._now()):
            self._service.metrics.count_refused(NAME)
            return _say(TOO_MANY)
        try:
            async with shown(lambda: self._show_loading(source)):
                if briefing:
                    return await self._briefings.asked(briefing, sender, text, message)
                turn = await self._service.consider(sender, text, message, person)
        except MessageRefusedError as refusal:
            return _say(str(refusal))
        except IndexMissingError as error:
            raise RetryLaterError(str(error)) from error
        return self._as_prepared(turn, source)

    async def _tapped(self, source: Json, data: str) -> Prepared:
        match _read_postback(data):
            case {"say": str(text)}:
                if room_of(source):
                    return await self._answer(source, text)
                said = await self._briefings.said(sender_of(source), text)
                return said if isinstance(said, Prepared) else await self._answer(source, text, briefing=said)
            case {"briefing": str(turn), "tap": ("settled" | "asked" | "unhelpful") as tap}:
                return await self._briefings.tapped(sender_of(source), turn, tap)
            case {"rate": str(turn), "helpful": bool(helpful)}:
                if not await self._service.rate(turn, helpful):
                    return _say(_ASK_AGAIN)
                return _say(_THANKS, *([messages.say_item(ASK_STAFF)] if self._desk and not helpful else ()))
            case {"check": ""}:
                offered = [
                    messages.postback_item(p.short_name, {"check": p.id}) for p in self._service.programs.values()
                ]
                return _say(_CHECK_WHICH, *offered)
            case {"check": str(program), **rest}:
                return await self._check(source, program, rest.get("facts", {}))
            case _:
                return _say(_ASK_AGAIN)

    async def _check(self, source: Json, program: str, facts: Any) -> Prepared:
        try:
            turn = await self._service.check_eligibility(sender_of(source), program, facts, person_of(source))
        except UnknownFactsError:
            return _say(_ASK_AGAIN)
        asked = turn.answer
        if asked.status is not AnswerStatus.NEEDS_INFO:
            return self._as_prepared(turn, source)
        tapped = [
            messages.postback_item(choice.label, {"check": program, "facts": {**facts, asked.missing[0]: choice.value}})
            for choice in asked.choices
        ]
        return replace(_say(asked.text, *tapped), turn=turn)

    def _as_prepared(self, turn: Turn, source: Json) -> Prepared:
        rateable = not room_of(source)
        shown = messages.answer_messages(
            turn.answer, turn.key, self._service.programs, self._service.staff_label, rateable
        )
        return Prepared(shown, turn)

    async def _show_loading(self, source: Json) -> None:
        if not room_of(source) and (user := source.get("userId")):  # the animation exists in one-to-one chats only
            request = ShowLoadingAnimationRequest(chatId=user, loadingSeconds=_LOADING_SECONDS)
            await self._api.show_loading_animation(request, _request_timeout=TIMEOUT)

    def apology(self, event: Json) -> list[Json]:
        """What tells the person that we failed."""
        return [messages.text_message(FAILED)] if event.get("replyToken") else []

    async def send(self, event: Json, outgoing: list[Json], attempt: Attempt) -> None:
        """Replies while the token lives, which costs nothing; else pushes, under a key that is accepted only once.

        A token works once. So where an earlier attempt may have got through, a token that is refused before its life
        is over has been used: by that attempt, unless it was refused then too. Its life is counted from the arrival,
        by one clock: the platform's and ours may differ.
        """
        if event.get("kind") == "staff_reply":
            await self._bring(event, outgoing, attempt)
            return
        if self._desk and any("reply" in message for message in outgoing):
            carried = await self._desk.cases.carried(attempt.event_id)
            outgoing = [message for message in outgoing if message.get("reply") in (None, *carried)]
        try:
            await self._answer_or_push(event, outgoing, attempt)
        except _MonthlyLimitError as error:
            own = [message for message in outgoing if "reply" not in message]
            if len(own) < len(outgoing) and self._desk:
                await self._desk.cases.release(attempt.event_id, "held")
            raise HeldBackError(str(error), _to_hold(event, own)) from error
        if any("reply" in message for message in outgoing) and self._desk:
            await self._desk.cases.arrived(attempt.event_id)

    async def _bring(self, event: Json, outgoing: list[Json], attempt: Attempt) -> None:
        """Pushes what an official wrote while enough messages are left this month; else it waits for its asker."""
        assert self._desk
        cases, event_id = self._desk.cases, attempt.event_id
        carried = await cases.carry(event["reply"], event_id)
        if not carried:
            return
        _, sender = carried
        target = sender.split(":")[1]
        left = None if attempt.resumed else await self.quota_left()  # what may have been pushed is pushed again
        try:
            if left is not None and left <= self._reserve:
                raise _MonthlyLimitError(f"{left} are left this month, {self._reserve} are kept back")
            await self._push(target, outgoing, _retry_key(event_id))
        except _MonthlyLimitError as error:
            _log.warning("an official's reply waits for its asker: %s", error)
            await cases.release(event_id, "held")
        except UndeliverableError as error:
            _log.error("an official's reply is refused: %s", error)
            await cases.release(event_id, "undelivered")
        else:
            await cases.arrived(event_id)

    async def quota_left(self) -> int | None:
        """How many messages may still be pushed this month; None where there is no limit.

        Raises:
            RetryLaterError: LINE does not tell.
        """
        try:
            quota = await self._api.get_message_quota(_request_timeout=TIMEOUT)
            if quota.value is None:
                return None
            used = await self._api.get_message_quota_consumption(_request_timeout=TIMEOUT)
        except (ApiException, ClientError, TimeoutError) as error:
            why = f"{error.status} {reason(error)}" if isinstance(error, ApiException) else type(error).__name__
            raise RetryLaterError(f"quota: {why}") from error
        return max(0, int(quota.value) - int(used.total_usage))

    async def _answer_or_push(self, event: Json, outgoing: list[Json], attempt: Attempt) -> None:
        token = event.get("replyToken")
        known = attempt.event_id in self._refused
        if token and not known and (attempt.age < REPLY_TOKEN_LIFE or not attempt.resumed):
            try:
                await self._reply(token, outgoing)
                return
            except _TokenRefusedError:
                if attempt.resumed:
                    return
                self._refused.add(attempt.event_id)
        await self._push(_target(event), outgoing, _retry_key(attempt.event_id))
        self._refused.discard(attempt.event_id)

    async def _reply(self, token: str, outgoing: list[Json]) -> None:
        async def call(sent: list[Json]) -> None:
            request = ReplyMessageRequest.from_dict({"replyToken": token, "messages": sent})
            await self._api.reply_message(request, _request_timeout=TIMEOUT)

        await _call(call, outgoing)

    async def _push(self, target: str, outgoing: list[Json], retry_key: str) -> None:
        if not target:
            raise UndeliverableError("応答トークンの期限が過ぎ、送り先のIDも分かりません。")

        async def call(sent: list[Json]) -> None:
            request = PushMessageRequest.from_dict({"to": target, "messages": sent})
            await self._api.push_message(request, x_line_retry_key=retry_key, _request_timeout=TIMEOUT)

        await _call(call, outgoing)


class _TokenRefusedError(Exception):
    """A reply token that is used, too old, or unknown: the platform does not tell which."""


class _MonthlyLimitError(Exception):
    """No more messages can be pushed this month, or none that are not kept back."""


async def _call(call: Callable[[list[Json]], Any], outgoing: list[Json]) -> None:
    """Calls, and says what the outcome means for the delivery. A refused Flex message is sent once more as text."""
    try:
        await call(outgoing)
    except ApiException as error:
        why = reason(error)
        if error.status == 409:  # accepted before, under the same retry key
            return
        if error.status == 400 and "reply token" in why.lower():
            raise _TokenRefusedError from error
        if error.status == 429 and "monthly limit" in why.lower():
            raise _MonthlyLimitError(f"429 {why}") from error
        if error.status == 429:
            raise AskedToWaitError(f"429 {why}", _wait(error)) from error
        if error.status == 401:
            _log.error("LINE_CHANNEL_ACCESS_TOKEN is refused (%s): answers wait until there is one that works", why)
            raise AskedToWaitError(f"{error.status} {why}", _TOKEN_WAIT) from error
        if error.status == 403 or error.status >= 500:
            raise RetryLaterError(f"{error.status} {why}") from error
        plain = [messages.as_plain_text(message) for message in outgoing]
        if error.status == 400 and plain != outgoing:
            _log.error("LINE refused a Flex message, text is sent instead: %s", why)
            await _call(call, plain)
            return
        raise UndeliverableError(f"{error.status} {why}") from error
    except (ClientError, TimeoutError) as error:
        raise RetryLaterError(type(error).__name__) from error


def reason(error: ApiException) -> str:
    """What the platform says was wrong: the message, and the property with its reason."""
    try:
        body = json.loads(error.body or "")
        details = (f"{detail.get('property', '')}: {detail.get('message', '')}" for detail in body.get("details", ()))
        return "; ".join([body.get("message", ""), *details])
    except (ValueError, AttributeError):
        return str(error.reason)


def _wait(error: ApiException) -> float:
    asked = (error.headers or {}).get("Retry-After", "")
    return (float(asked) if asked.isdigit() else _WAIT) * random.uniform(1, 1.2)  # not all at once


@asynccontextmanager
async def connected(access_token: str, host: str) -> AsyncIterator[AsyncMessagingApi]:
    """The Messaging API; belongs to the event loop that it is opened in."""
    async with AsyncApiClient(Configuration(access_token=access_token, host=host or None)) as client:
        yield AsyncMessagingApi(client)


def _retry_key(event_id: str) -> str:
    return str(uuid.uuid5(_RETRY_KEYS, event_id))


def _event_id(event: Json) -> str:
    """The id under which an event of LINE's lies in the inbox."""
    return f"{NAME}:{event['webhookEventId']}"


def _target(event: Json) -> str:
    """Where a push goes: the room, or the person."""
    return room_of(event["source"]) or str(event["source"].get("userId") or "")


def _to_hold(event: Json, outgoing: list[Json]) -> list[Json]:
    """Messages that come later than their question, which is named before them; behind others that were held before."""
    before = [message for message in outgoing if message.get("held")]
    asked = messages.clip(event.get("message", {}).get("text", ""), _QUOTED)
    leading = [messages.text_message(f"前のご質問「{asked}」への回答です。")] if asked else []
    return [message | {"held": True} for message in [*before, *leading, *outgoing[len(before) :]]]


def _read_postback(data: str) -> Json:
    try:
        read = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _quoting(token: str | None, prepared: Prepared) -> Prepared:
    """In a group the question is quoted; a card cannot do that itself."""
    first = prepared.outgoing[0]
    if not token:
        return prepared
    quoting = (first if first["type"] == "text" else messages.text_message(_TO_THIS)) | {"quoteToken": token}
    rest = prepared.outgoing[1:] if first["type"] == "text" else prepared.outgoing
    return replace(prepared, outgoing=[quoting, *rest])


def _examples() -> list[Json]:
    return [messages.say_item(example) for example in _EXAMPLES]


def _say(text: str, *items: Json) -> Prepared:
    return Prepared([messages.with_quick_replies(messages.text_message(text), items)])
