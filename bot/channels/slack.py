"""Slack: events, commands and taps to arrivals, arrivals to calls of the Web API, and sending. Conversions only.

Verified against slack-bolt 1.30, slack-sdk 3.47 and https://docs.slack.dev/.
"""

import asyncio
import json
import logging
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime

from aiohttp import ClientError
from fastapi import APIRouter, Request, Response
from slack_bolt.adapter.fastapi.async_handler import AsyncSlackRequestHandler
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.briefing import slack as briefing
from bot.channels import slack_blocks as blocks
from bot.channels.limits import TOO_MANY, RateLimit
from bot.channels.pacing import Turns
from bot.channels.progress import shown
from bot.channels.slack_calls import api_call, post, respond
from bot.delivery import (
    Arrival,
    AskedToWaitError,
    Attempt,
    Inbox,
    Json,
    Prepared,
    RetryLaterError,
    UndeliverableError,
)
from bot.desk.sentences import ASK_STAFF
from bot.desk.slack import DeskInSlack
from bot.masking import mask
from bot.replies import FAILED
from bot.service import Service
from bot.settings import MessageRefusedError
from bot.types import AnswerStatus, Turn, UnknownFactsError
from knowledge.types import IndexMissingError

NAME = "slack"

_METADATA = "madoguchi_answer"
_TIMEOUT_SECONDS = 10
_CLOCKS_APART = 600
"""Seconds by which Slack's clock and ours may differ."""
_RECONNECT_SECONDS = 10

_GREETING = "総務省の支援事業について、資料に基づいてお答えします。質問をそのままお書きください。"
_READING = "読み取っています…"
_CHOOSING = "資料から説明を選んでいます…"
_THANKS = "ご意見をありがとうございます。今後の回答に役立てます。"
_OFFER_STAFF = f"職員に聞くときは、「{ASK_STAFF}」を押してください。"
_USAGE = (
    "質問を続けて書いてください。例: /madoguchi 推進体制構築支援の上限はいくらですか\n"
    "説明会を開くときは: /madoguchi 説明会 名前"
)
_FILES = "添付ファイルは読み取れません。書かれた文だけにお答えします。"
_INVITE = "このチャンネルには書き込めません。アプリを招待してから、もう一度お試しください。"

_PASSING = frozenset(("internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"))
"""Errors of the platform that say nothing about the call."""

_OF_THE_TOKEN = frozenset(("invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"))
_TOKEN_WAIT = 10.0
"""Seconds until a refused token is tried again: it may have been replaced."""

_NOT_OURS_TO_WRITE = frozenset(("not_in_channel", "channel_not_found", "is_archived", "restricted_action"))
_GONE = frozenset(("message_not_found", "cant_update_message", "cant_delete_message", "edit_window_closed"))

_log = logging.getLogger(__name__)


class Slack:
    """The channel: prepares and sends for the delivery.

    An arrival's event is one of ours, cut down to what answering needs: `kind`, `channel`, `thread`, `text` and so on.
    """

    def __init__(
        self,
        service: Service,
        inbox: Inbox,
        client: AsyncWebClient,
        limit: RateLimit,
        now: Callable[[], datetime],
        desk: DeskInSlack | None,
    ) -> None:
        self._desk = desk
        self._service = service
        self._inbox = inbox
        self._client = client
        self._limit = limit
        self._now = now
        self._turns = Turns()
        self._growing: dict[str, tuple[Turn, AsyncGenerator[Turn]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def prepare(self, event: Json) -> Prepared:
        """The calls that answer an event."""
        if self._desk and (prepared := await self._desk.prepare(event)):
            return prepared
        match event:
            case {"kind": "question"}:
                return await self._answer(event)
            case {"kind": "command"}:
                return await self._answer_privately(event)
            case {"kind": "edited"}:
                return await self._answer_anew(event)
            case {"kind": "deleted", "message": message}:
                await self._service.forget(message=message)
                receipt = await self._inbox.receipt(message)
                return Prepared([api_call("chat.delete", **receipt)] if receipt else [])
            case {"kind": "rated", "turn": turn, "helpful": helpful, "channel": channel, "user": user}:
                await self._service.rate(turn, helpful)
                text = _THANKS if helpful or not self._desk else _THANKS + _OFFER_STAFF
                return Prepared([api_call("chat.postEphemeral", optional=True, channel=channel, user=user, text=text)])
            case {"kind": "shared", "question": question, "text": text, "respond": url}:
                return Prepared([respond(url, response_type="in_channel", **blocks.shared_message(question, text))])
            case {"kind": "opened", "channel": channel, "thread": thread}:
                return Prepared(_greet(channel, thread))
            case {"kind": "home", "user": user}:
                return Prepared([api_call("views.publish", user_id=user, view=await self._home(event))])
        raise UndeliverableError(f"知らない種類です: {event.get('kind')}")

    async def _answer(self, event: Json) -> Prepared:
        place = _place(event)
        turn = await self._consider(event, grows=True)
        unread = _FILES if event.get("files") else ""
        if isinstance(turn, str):
            return Prepared([post(**place, text=blocks.escape(unread + turn))])
        message = self._shown(turn)
        answer = post(**place, **(blocks.led_by(unread, message) if unread else message))
        calls = [answer | {"respond": event.get("respond", ""), "grows": turn.key}]
        if event.get("pane"):
            title = blocks.clip(turn.question, 100)
            thread = {"channel_id": event["channel"], "thread_ts": event["thread"]}
            calls.append(api_call("assistant.threads.setTitle", optional=True, title=title, **thread))
        return Prepared(calls, turn)

    def _shown(self, turn: Turn, shareable: str = "") -> Json:
        service = self._service
        return blocks.answer_message(turn.answer, turn.key, service.programs, service.staff_label, shareable)

    async def _answer_privately(self, event: Json) -> Prepared:
        if not event["text"]:
            return Prepared([respond(event["respond"], text=_USAGE)])
        if event["text"].startswith(briefing.COMMAND) and (id := event.get("id")):
            told = await briefing.run_command(event["text"], id, self._service.briefings, self._service.settings)
            return Prepared([respond(event["respond"], text=told)])
        turn = await self._consider(event)
        if isinstance(turn, str):
            return Prepared([respond(event["respond"], text=blocks.escape(turn))])
        message = self._shown(turn, shareable=event["text"])
        return Prepared([respond(event["respond"], **message)], turn)

    async def _answer_anew(self, event: Json) -> Prepared:
        """The answer to an edited question takes the place of the earlier one."""
        receipt = await self._inbox.receipt(event["message"])
        if not receipt:
            return Prepared([])
        await self._service.forget(message=event["message"])
        turn = await self._consider(event)
        if isinstance(turn, str):
            return Prepared([api_call("chat.update", **receipt, text=blocks.escape(turn), blocks=[])])
        message = self._shown(turn)
        return Prepared([api_call("chat.update", **receipt, **message)], turn)

    async def _consider(self, event: Json, grows: bool = False) -> Turn | str:
        """The answer, or the words that refuse the message. One that `grows` waits for no chat model."""
        person = _person(event.get("user"))
        if not self._limit.allows(person or event["sender"], self._now()):
            self._service.metrics.count_refused(NAME)
            return TOO_MANY
        try:
            async with shown(lambda: self._show_status(event, _READING)):
                turns = self._service.considered(event["sender"], event["text"], event.get("message", ""), person)
                turn = await anext(turns)
                if grows:
                    self._growing[turn.key] = (turn, turns)
                    return turn
                return [turn, *[whole async for whole in turns]][-1]
        except MessageRefusedError as refusal:
            return str(refusal)
        except IndexMissingError as error:
            raise RetryLaterError(str(error)) from error

    async def _show_status(self, event: Json, status: str) -> None:
        """Shows what is being done where the workspace has that: in the assistant's pane; a posted message ends it."""
        if event.get("pane"):
            await self._client.assistant_threads_setStatus(
                channel_id=event["channel"], thread_ts=event["thread"], status=status
            )

    async def _home(self, event: Json) -> Json:
        calls = {}
        for program in self._service.programs.values():
            turn = await self._service.consider("slack:home", f"{program.name}は今申し込めますか")
            calls[program.id] = turn.answer.text.partition("\n\n")[0]
        view = blocks.home_view(self._service.programs.values(), calls, await self._service.index_status())
        if self._desk:
            listed, page = event.get("view", "waiting"), event.get("page", 0)
            ours = await self._desk.home(event["user"], listed, page)
            return view | {"blocks": [*ours, *view["blocks"]], "private_metadata": f"{listed}:{page}"}
        return view

    def apology(self, event: Json) -> list[Json]:
        """What tells the person that we failed, where an answer was waited for."""
        match event:
            case {"kind": "command", "respond": url}:
                return [respond(url, text=FAILED)]
            case {"kind": "question"}:
                return [post(**_place(event), text=FAILED)]
        return []

    async def send(self, event: Json, outgoing: list[Json], attempt: Attempt) -> Json | None:
        """Makes the calls, the one that matters first.

        What an earlier attempt may have posted is looked for before it is posted again.
        """
        receipt = None
        for number, call in enumerate(outgoing):
            grows = call.get("grows", "")
            delivery = f"{attempt.event_id}#{number}"
            try:
                receipt = await self._make(call, delivery, attempt.resumed, attempt.age) or receipt
            except (RetryLaterError, UndeliverableError) as error:
                if not isinstance(error, AskedToWaitError):
                    self._growing.pop(grows, None)
                if not call.get("optional"):
                    raise
                _log.info("%s was left out: %s", call["method"], error)
            begun = self._growing.pop(grows, None)
            if receipt and begun:
                growing = asyncio.create_task(self._grow(event, *begun, receipt))
                self._tasks.add(growing)
                growing.add_done_callback(self._tasks.discard)
        if self._desk:
            await self._desk.arrived(event)
        return receipt

    async def _grow(self, event: Json, first: Turn, turns: AsyncGenerator[Turn], receipt: Json) -> None:
        """Adds to the answer that is shown what the chat model chose; where that fails, it stays as it is.

        An answer that is not on record any more belongs to a question that was edited or deleted meanwhile.
        """
        last = first
        try:
            async with shown(lambda: self._show_status(event, _CHOOSING)):
                async for turn in turns:
                    if await self._service.answered(first.key) is None:
                        return
                    if turn.answer != last.answer:
                        await self._client.api_call("chat.update", json=receipt | self._shown(turn))
                        last = turn
            await self._show_status(event, "")  # which an update does not do
        except Exception as error:
            _log.warning("an answer could not grow: %s", type(error).__name__)
        if last is not first:
            await self._service.amend(last)

    async def _make(self, call: Json, delivery: str, resumed: bool, age: float) -> Json | None:
        method, arguments = call["method"], call["arguments"]
        if wait := self._turns.wait(_queue(call), delivery):
            raise AskedToWaitError(f"{method}: others wait in this channel", wait)
        try:
            if method == "respond":
                await _respond_to(call["url"], arguments)
                return None
            if method == "chat.postMessage":
                arguments = await self._addressed(arguments, delivery)
                if resumed and (found := await self._find(arguments, delivery, age)):
                    return found
            response = await self._client.api_call(method, json=arguments)
        except SlackApiError as error:
            return await self._refused(call, delivery, error)
        except (ClientError, TimeoutError) as error:
            raise RetryLaterError(f"{method}: {type(error).__name__}") from error
        if method in ("chat.postMessage", "chat.update"):
            return {"channel": response["channel"], "ts": response["ts"]}
        return None

    async def _refused(self, call: Json, delivery: str, error: SlackApiError) -> Json | None:
        """What a refusal means for the delivery; a message whose blocks are refused is posted as text."""
        status, headers, name = _read_error(error)
        problem = f"{call['method']}: {name or status}"
        if status == 429 or name == "ratelimited":
            asked = float(headers.get("retry-after", "1"))
            raise AskedToWaitError(problem, self._turns.refused(_queue(call), delivery, asked)) from error
        if name in _OF_THE_TOKEN:
            _log.error("SLACK_BOT_TOKEN is refused (%s): answers wait until the service has one that works", name)
            raise AskedToWaitError(problem, _TOKEN_WAIT) from error
        if status >= 500 or name in _PASSING or not name:  # without a name there was no JSON: it may be posted
            raise RetryLaterError(problem) from error
        if name in _GONE:
            return None
        if name in _NOT_OURS_TO_WRITE and call.get("respond"):
            await _respond_to(call["respond"], {"replace_original": False, "text": _INVITE})
            return None
        if name.startswith("invalid_blocks") and call["arguments"].get("blocks"):
            _log.error("Slack refused the blocks of a message, text is sent instead: %s", problem)
            plain = call | {"arguments": call["arguments"] | {"blocks": []}}
            return await self._make(plain, delivery, resumed=False, age=0)
        raise UndeliverableError(problem) from error

    async def _addressed(self, arguments: Json, delivery: str) -> Json:
        """A message to a person goes to their conversation with us, and carries by what it is found again."""
        metadata = {"event_type": _METADATA, "event_payload": {"delivery": delivery}}
        addressed = arguments | {"metadata": metadata}
        if arguments["channel"].startswith(("U", "W")):
            opened = await self._client.conversations_open(users=arguments["channel"])
            addressed["channel"] = opened["channel"]["id"]
        return addressed

    async def _find(self, arguments: Json, delivery: str, age: float) -> Json | None:
        """The message that an earlier attempt posted, known by its metadata; only what is younger is looked through."""
        channel, thread = arguments["channel"], arguments.get("thread_ts")
        oldest = f"{time.time() - age - _CLOCKS_APART:.6f}"
        page: Json = {"channel": channel, "include_all_metadata": True, "limit": 200, "oldest": oldest}
        while True:
            if thread:
                response = await self._client.conversations_replies(ts=thread, **page)
            else:
                response = await self._client.conversations_history(**page)
            for message in response["messages"]:
                payload = message.get("metadata", {}).get("event_payload", {})
                if payload.get("delivery") == delivery:
                    return {"channel": channel, "ts": message["ts"]}
            page["cursor"] = (response.get("response_metadata") or {}).get("next_cursor")
            if not page["cursor"]:
                return None


def _place(event: Json) -> Json:
    return {"channel": event["channel"]} | ({"thread_ts": event["thread"]} if event["thread"] else {})


def _queue(call: Json) -> str:
    """Where a call is counted by the platform: messages in their channel, the rest by method."""
    return str(call.get("arguments", {}).get("channel") or call["method"])


async def _respond_to(url: str, arguments: Json) -> None:
    """Answers through a response URL: five times within 30 minutes, wherever the person was."""
    response = await AsyncWebhookClient(url, timeout=_TIMEOUT_SECONDS, retry_handlers=[]).send_dict(arguments)
    if response.status_code == 429:
        headers = {name.lower(): value for name, value in response.headers.items()}
        raise AskedToWaitError("response_url: 429", float(headers.get("retry-after", "1")))
    if response.status_code >= 500:
        raise RetryLaterError(f"response_url: {response.status_code}")
    if response.status_code != 200:
        raise UndeliverableError(f"response_url: {response.status_code} {response.body[:100]}")


def _greet(channel: str, thread: str) -> list[Json]:
    place = {"channel_id": channel, "thread_ts": thread}
    prompts = [{"title": example, "message": example} for example in blocks.EXAMPLES]
    return [
        post(channel=channel, thread_ts=thread, text=_GREETING),
        api_call("assistant.threads.setSuggestedPrompts", optional=True, prompts=prompts, **place),
    ]


def _read_error(error: SlackApiError) -> tuple[int, Mapping[str, str], str]:
    """Status, headers in lower case, and Slack's name of the error; the SDK has three forms of a failed response."""
    response = error.response
    if isinstance(response, dict):  # a body that was to be JSON and is not
        status, headers, data = response.get("status_code", 0), response.get("headers", {}), {}
    else:
        status, headers, data = response.status_code, response.headers, response.data
    name = str(data.get("error", "")) if isinstance(data, dict) else ""
    return status, {header.lower(): str(value) for header, value in dict(headers).items()}, name


def reason(error: SlackApiError) -> str:
    """Slack's name of an error, or the status where it gave none."""
    status, _, name = _read_error(error)
    return name or str(status)


# --- what Slack sends ----------------------------------------------------------------------------------------------


def build_bolt(
    service: Service, inbox: Inbox, client: AsyncWebClient, signing_secret: str, desk: DeskInSlack | None
) -> AsyncApp:
    """The Bolt app: everything that is to be answered is stored before it is acknowledged.

    Only modals are handled at once, because a trigger lives for three seconds; who taps in vain taps again.
    """

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        # No auth.test here: it would put a call to Slack between a request and its acknowledgement.
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=client.token)

    quiet = logging.getLogger("slack_bolt")
    quiet.setLevel(logging.WARNING)  # below that it logs whole requests, and with them what people wrote
    bolt = AsyncApp(
        logger=quiet,
        name="madoguchi",
        signing_secret=signing_secret or "socket mode",
        authorize=authorize,
        client=AsyncWebClient(base_url=client.base_url, timeout=_TIMEOUT_SECONDS, retry_handlers=[]),
        process_before_response=True,  # else Bolt acknowledges an event before it is stored
    )
    _listen_to_events(bolt, service, inbox)
    _listen_to_people(bolt, inbox)
    _listen_in_modals(bolt, service, client)
    if desk:
        desk.listen(bolt)

    @bolt.error
    async def refuse(error: Exception, body: Json) -> BoltResponse | None:
        if isinstance(error, (KeyError, TypeError, ValueError, AttributeError, RecursionError)):
            _log.warning("a request of Slack's is of no known form: %s", type(error).__name__)
            return BoltResponse(status=400)
        _log.error("a request of Slack's failed", exc_info=error)
        return BoltResponse(status=500)

    return bolt


def _listen_to_events(bolt: AsyncApp, service: Service, inbox: Inbox) -> None:
    @bolt.event(re.compile(".*"))
    async def event(body: Json) -> None:
        if (arrival := _read_event(body)) and await _concerns_us(arrival, service, inbox):
            await inbox.put([arrival])


async def _concerns_us(arrival: Arrival, service: Service, inbox: Inbox) -> bool:
    """Edits, deletions and replies come for every message of a channel.

    They matter where the message was answered, and where the thread has been asked something by us.
    """
    match arrival.event:
        case {"kind": "edited" | "deleted", "message": message}:
            return await inbox.knows(message)
        case {"unasked": True, "sender": sender}:
            return await service.awaits(sender)
    return True


def _read_event(body: Json) -> Arrival | None:
    """An event that is for us; None for what nobody asked of us, and for what apps say."""
    event, id = body["event"], f"{NAME}:{body['event_id']}"
    match event:
        case {"bot_id": str()} | {"message": {"bot_id": str()}} | {"previous_message": {"bot_id": str()}}:
            return None
        case {"type": "app_mention", "channel": channel, "ts": ts, "text": text}:
            return _asked(_question(id, channel, event.get("thread_ts", ts), text, ts), event)
        case {"type": "message", "channel_type": "im", "channel": channel, "ts": ts, "text": text} if event.get(
            "subtype"
        ) in (None, "file_share"):
            thread = event.get("thread_ts", "")
            return _asked(_question(id, channel, thread, text, ts, pane=bool(thread)), event)
        case {"type": "message", "channel": channel, "thread_ts": thread, "ts": ts, "text": text} if (
            event.get("channel_type") != "im" and "subtype" not in event and "<@" not in text
        ):
            return _asked(_question(id, channel, thread, text, ts), event | {"unasked": True})
        case {"type": "message", "subtype": "message_changed", "message": {"subtype": "tombstone", "ts": str(ts)}}:
            return _deleted(id, event, ts)
        case {"type": "message", "subtype": "message_deleted", "deleted_ts": str(ts)}:
            return _deleted(id, event, ts)
        case {"type": "message", "subtype": "message_changed", "message": {"ts": str(ts), "text": text} as message} if (
            text != event.get("previous_message", {}).get("text")
        ):
            question = _question(id, event["channel"], _thread(event, message), text, ts)
            edited = question.event | {"kind": "edited", "user": message.get("user")}
            return Arrival(id, NAME, question.sender, edited, person=_person(message.get("user")))
        case {"type": "assistant_thread_started", "assistant_thread": {"channel_id": channel, "thread_ts": thread}}:
            return Arrival(id, NAME, _sender(channel, thread), {"kind": "opened", "channel": channel, "thread": thread})
        case {"type": "app_home_opened", "user": user, "tab": "home"}:
            return Arrival(id, NAME, f"{NAME}:home:{user}", {"kind": "home", "user": user})
    return None


def _asked(question: Arrival, event: Json) -> Arrival:
    """A question with what else its event says: who asks, whether files came along, and whether we were not asked."""
    also = {"user": event.get("user"), "files": bool(event.get("files")), "unasked": event.get("unasked", False)}
    return replace(question, event=question.event | also, person=_person(event.get("user")))


def _deleted(id: str, event: Json, ts: str) -> Arrival:
    """A message is gone: of one with replies, and ours always has one, a tombstone has taken its place."""
    sender = _sender(event["channel"], _thread(event, {"ts": ts} | event.get("previous_message", {})))
    return Arrival(id, NAME, sender, {"kind": "deleted", "message": _message(event["channel"], ts)})


def _question(id: str, channel: str, thread: str, text: str, ts: str, pane: bool = False) -> Arrival:
    sender, message = _sender(channel, thread), _message(channel, ts)
    event = {
        "kind": "question",
        "sender": sender,
        "channel": channel,
        "thread": thread,
        "text": mask(blocks.read_text(text)),
        "message": message,
        "pane": pane,
    }
    return Arrival(id, NAME, sender, event, message)


def _thread(event: Json, message: Json) -> str:
    """The thread in which a message was answered: its own in a channel, none in a direct message outside of one."""
    return str(message.get("thread_ts") or ("" if event.get("channel_type") == "im" else message["ts"]))


def _sender(channel: str, thread: str) -> str:
    """A thread is one matter, whoever writes in it."""
    return f"{NAME}:{channel}:{thread}"


def _person(user: str | None) -> str:
    """Who wrote, wherever that was; "" where Slack does not say."""
    return f"{NAME}:{user}" if user else ""


def _message(channel: str, ts: str) -> str:
    return f"{NAME}:{channel}:{ts}"


def _listen_to_people(bolt: AsyncApp, inbox: Inbox) -> None:
    @bolt.command("/madoguchi")
    async def command(ack: AsyncAck, body: Json) -> None:
        sender = f"{NAME}:command:{body['channel_id']}:{body['user_id']}"
        id = f"{NAME}:{body['trigger_id']}"
        event = {
            "kind": "command",
            "id": id,
            "sender": sender,
            "text": mask(blocks.read_text(body.get("text", ""))),
            "respond": body["response_url"],
            "user": body["user_id"],
        }
        await inbox.put([Arrival(id, NAME, sender, event, person=_person(body["user_id"]))])
        await ack()

    @bolt.shortcut("answer_message")
    async def shortcut(ack: AsyncAck, body: Json) -> None:
        message, channel = body["message"], body["channel"]["id"]
        thread = message.get("thread_ts", message["ts"])
        asked = _question(f"{NAME}:{body['trigger_id']}", channel, thread, message.get("text", ""), message["ts"])
        user = body["user"]["id"]
        event = asked.event | {"respond": body["response_url"], "user": user}
        await inbox.put([replace(asked, event=event, person=_person(user))])
        await ack()

    @bolt.action(re.compile(r"say_\w+"))
    async def say(ack: AsyncAck, body: Json, action: Json) -> None:
        container = body.get("container", {})
        user, said = body["user"]["id"], action.get("value") or action["selected_option"]["value"]
        channel = container.get("channel_id") or user  # from the home tab: as a direct message
        thread = container.get("thread_ts") or body.get("message", {}).get("thread_ts", "")
        id = f"{NAME}:{body['trigger_id']}"
        if body.get("response_url") and container.get("is_ephemeral"):
            sender = f"{NAME}:command:{channel}:{user}"
            asked = {"sender": sender, "text": said, "user": user}
            event = {"kind": "command", "respond": body["response_url"], **asked}
            await inbox.put([Arrival(id, NAME, sender, event, person=_person(user))])
        else:
            question = _question(id, channel, thread, "", "")
            event = question.event | {"text": said, "message": "", "user": user}
            await inbox.put([Arrival(id, NAME, question.sender, event, person=_person(user))])
        await ack()

    @bolt.action("rate")
    async def rate(ack: AsyncAck, body: Json, action: Json) -> None:
        turn, _, helpful = action["value"].partition(":")
        user, channel = body["user"]["id"], body["container"]["channel_id"]
        event = {"kind": "rated", "turn": turn, "helpful": helpful == "1", "channel": channel, "user": user}
        await inbox.put([Arrival(f"{NAME}:{body['trigger_id']}", NAME, f"{NAME}:rate:{user}", event)])
        await ack()

    @bolt.action("share")
    async def share(ack: AsyncAck, body: Json, action: Json) -> None:
        question, text = map(str, json.loads(action["value"]))
        event = {"kind": "shared", "question": question, "text": text, "respond": body["response_url"]}
        sender = f"{NAME}:share:{body['user']['id']}"
        await inbox.put([Arrival(f"{NAME}:{body['trigger_id']}", NAME, sender, event)])
        await ack()


def _listen_in_modals(bolt: AsyncApp, service: Service, client: AsyncWebClient) -> None:
    async def acknowledge(ack: AsyncAck) -> None:
        await ack()

    async def open_sources(body: Json, action: Json) -> None:
        answer = await service.answered(action["value"])
        view = blocks.sources_view(answer["citations"] if answer else ())
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    async def open_note(body: Json, action: Json) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=blocks.note_view(action["value"]))

    async def open_check(body: Json) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=blocks.program_view(service.programs.values()))

    bolt.action("sources")(ack=acknowledge, lazy=[open_sources])
    bolt.action("note")(ack=acknowledge, lazy=[open_note])
    bolt.action("check")(ack=acknowledge, lazy=[open_check])

    @bolt.view("note")
    async def note(ack: AsyncAck, view: Json) -> None:
        await service.note(view["private_metadata"], view["state"]["values"]["note"]["text"]["value"] or "")
        await ack()

    @bolt.view("check")
    async def check(ack: AsyncAck, body: Json, view: Json) -> None:
        state = json.loads(view["private_metadata"])
        chosen = view["state"]["values"]["step"]["choice"]["selected_option"]["value"]
        facts = state.get("facts", {}) | ({state["asks"]: chosen} if "asks" in state else {})
        program = state["program"] or chosen
        try:
            answer = (await service.check_eligibility(f"{NAME}:check:{body['user']['id']}", program, facts)).answer
        except UnknownFactsError:
            await ack(response_action="update", view=blocks.outdated_view())
            return
        if answer.status is AnswerStatus.NEEDS_INFO:
            following = blocks.question_view(service.programs[program], facts, answer)
        else:
            following = blocks.outcome_view(answer, service.programs)
        await ack(response_action="update", view=following)


def connect(token: str, base_url: str) -> AsyncWebClient:
    """The Web API. Its own retries are off: a repeated post would be a second message."""
    return AsyncWebClient(token=token, base_url=base_url, timeout=_TIMEOUT_SECONDS, retry_handlers=[])


def routes(bolt: AsyncApp) -> APIRouter:
    """`POST /slack/events`: events, commands and taps, verified by Bolt on the raw body."""
    router = APIRouter()
    handler = AsyncSlackRequestHandler(bolt)

    @router.post("/slack/events")
    async def events(request: Request) -> Response:
        timestamp, signature = (
            request.headers.get(f"x-slack-{name}", "") for name in ("request-timestamp", "signature")
        )
        if not timestamp.isdecimal() or not signature.isascii():  # Bolt would fail on these
            return Response(status_code=401)
        try:
            return await handler.handle(request)
        except (ValueError, RecursionError, AttributeError):  # neither text nor JSON, or JSON of no known form
            return Response(status_code=400)

    return router


@asynccontextmanager
async def socket_mode(bolt: AsyncApp, app_token: str, client: AsyncWebClient) -> AsyncIterator[None]:
    """Receives over a connection of our own instead of HTTP, and keeps trying where that cannot be opened."""
    handler = AsyncSocketModeHandler(bolt, app_token, web_client=client)

    async def keep_connecting() -> None:
        while True:
            try:
                await handler.connect_async()  # type: ignore[no-untyped-call]
            except (SlackApiError, ClientError, TimeoutError, OSError) as error:
                _log.error("Socket Mode cannot be opened, trying again: %s", type(error).__name__)
                await asyncio.sleep(_RECONNECT_SECONDS)
            else:
                return  # from here on the SDK reconnects by itself

    connecting = asyncio.create_task(keep_connecting())
    try:
        yield
    finally:
        connecting.cancel()
        with suppress(asyncio.CancelledError):
            await connecting
        await handler.close_async()  # type: ignore[no-untyped-call]
