"""The desk in Slack: what officials are shown, and what they do. Only members of a desk's channel may do anything."""

import json
import logging
import re
import secrets
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime

from aiohttp import ClientError
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.channels import slack_blocks as blocks
from bot.channels.slack_calls import api_call, post, respond
from bot.delivery import Arrival, Inbox, Prepared, RetryLaterError
from bot.desk import cards
from bot.desk.desk import Desk
from bot.desk.faq import Candidate, StaffAnswer
from bot.desk.reporting import Group
from bot.desk.sentences import SOLVED, reply_text, taps_below, title
from bot.desk.types import Case, Json, Kind, Reply, State, View
from bot.settings import storable
from knowledge.watching import Change

NAME = "slack"

_LISTED = 10
_KINDS: Mapping[str, Kind] = {"case_answer": "answer", "case_return": "return", "case_correct": "correction"}

_MEMBERS_ONLY = "この操作は、職員の窓口のチャンネルのメンバーだけができます。"
_ANSWERED = "この受付は、すでに回答しているか、終了しています。"
_NO_ANSWER = "FAQ候補にできる回答がありません。"
_PROPOSED = "この受付の回答は、すでにFAQ候補になっています。"
_ANOTHER = "承認できるのは、候補にした人とは別のメンバーです。すでに決まっている場合もあります。"
_NO_THREAD = "受付のカードのスレッドに書いた文だけを、質問者に送れます。"
_FAILED = "Slackに確かめられませんでした。もう一度お試しください。"

_OF_A_CASE = re.compile(r"case:(\d+):")
"""The id of the event that a card was posted for."""

_log = logging.getLogger(__name__)


class DeskInSlack:
    """Prepares what Slack is to show of cases, and takes what officials tap and write."""

    def __init__(self, desk: Desk, inbox: Inbox, client: AsyncWebClient, now: Callable[[], datetime]) -> None:
        """Works for one desk.

        Args:
            desk: the cases.
            inbox: takes what officials tap.
            client: the Web API.
            now: the clock, in Japan's time.
        """
        self._desk = desk
        self._cases = desk.cases
        self._inbox = inbox
        self._client = client
        self._now = now

    async def prepare(self, event: Json) -> Prepared | None:
        """The calls for an event of the desk's; None for all others."""
        match event:
            case {"kind": "case_card", "case": number}:
                case = await self._known(number)
                return Prepared([post(channel=case.slack_channel, **await self._card(case))])
            case {"kind": "case_changed"}:
                return await self._change(event)
            case {"kind": "staff_reply", "reply": id, "id": event_id}:
                return await self._bring(id, event_id)
            case {"kind": "case_take"}:
                return await self._take(event)
            case {"kind": "case_drop", "user": user, "channel": channel, "case": number}:
                case = await self._known(number)
                if not await self._may(user, case.slack_channel):
                    return _whisper(channel, user, _MEMBERS_ONLY)
                return Prepared([]) if await self._cases.drop(number, user) else _whisper(channel, user, _ANSWERED)
            case {"kind": "case_digest", "channel": channel}:
                return Prepared([post(channel=channel, **await self._digest(channel))])
            case {"kind": "page_changed", "channel": channel, "changes": changes}:
                message = cards.changes_message([Change(**change) for change in changes])
                return Prepared([post(channel=channel, **message)])
            case {"kind": "faq_propose"}:
                return await self._propose(event)
            case {"kind": "faq_offered"}:
                return await self._offered(event)
            case {"kind": "faq_decide"}:
                return await self._decide(event)
            case {"kind": "command", "text": text, "user": user, "respond": url} if text in cards.LISTS:
                return Prepared([respond(url, **await self._list(user, text))])
            case {"kind": "list", "text": text, "user": user, "respond": url}:
                listed = respond(url, replace_original=True, **await self._list(user, text))
                return Prepared([listed | {"optional": True}])  # its address is good for half an hour
        return None

    async def _known(self, number: int) -> Case:
        case = await self._cases.case(number)
        assert case, number
        return case

    async def _card(self, case: Case) -> Json:
        return cards.case_message(case, await self._cases.replies(case.number), self._desk.programs)

    async def _change(self, event: Json) -> Prepared:
        """The card as it now stands, and in its thread what calls for attention."""
        number = event["case"]
        receipt = await self._inbox.receipt(f"{NAME}:case:{number}")
        if receipt is None:
            raise RetryLaterError("the card is not posted yet")
        case = await self._known(number)
        calls = [api_call("chat.update", **receipt, **await self._card(case))]
        if text := cards.note(event["what"], case):
            calls.append(post(channel=receipt["channel"], thread_ts=receipt["ts"], text=text))
        return Prepared(calls)

    async def _bring(self, id: int, event_id: str) -> Prepared:
        """What an official wrote, to whoever asked in Slack."""
        carried = await self._cases.carry(id, event_id)
        if not carried:
            return Prepared([])
        reply, sender = carried
        return Prepared([post(**_place(sender), **_reply_message(reply))])

    async def arrived(self, event: Json) -> None:
        """What was prepared for an event has been posted."""
        if event.get("kind") == "staff_reply":
            await self._cases.arrived(event["id"])

    async def _take(self, event: Json) -> Prepared:
        user, channel = event["user"], event["channel"]
        case = await self._known(event["case"])
        if not await self._may(user, case.slack_channel):
            text = _MEMBERS_ONLY
        else:
            taken = await self._cases.take(case.number, user, over=event["over"])
            assert taken
            text = _refusal(taken, user)
        if not text:
            return Prepared([])
        return _whisper(channel, user, text)

    # --- the FAQ -----------------------------------------------------------------------------------------------

    async def _propose(self, event: Json) -> Prepared:
        """Makes the newest answer of a case a candidate, and has another official look at it in the thread."""
        user, channel = event["user"], event["channel"]
        case = await self._known(event["case"])
        if not await self._may(user, case.slack_channel):
            return _whisper(channel, user, _MEMBERS_ONLY)
        answers = [reply for reply in await self._cases.replies(case.number) if reply.kind == "answer"]
        receipt = await self._inbox.receipt(f"{NAME}:case:{case.number}")
        if not answers or not receipt:
            return _whisper(channel, user, _NO_ANSWER)
        reply = answers[-1]
        known = (case.program, case.question, reply.text, reply.signed, reply.written_at.date(), case.number)
        entry, is_new = await self._desk.staff_answers.propose(
            Candidate(f"case-{case.number}", *known), user, event["id"]
        )
        if not is_new:
            return _whisper(channel, user, _PROPOSED)
        return Prepared([post(channel=receipt["channel"], thread_ts=receipt["ts"], **await self._candidate(entry))])

    async def _offered(self, event: Json) -> Prepared:
        """An answer of a briefing's host, as a candidate before the officials."""
        given = event["candidate"]
        candidate = Candidate(**given | {"answered_on": date.fromisoformat(given["answered_on"])})
        entry, _ = await self._desk.staff_answers.propose(candidate, "", event["id"])
        return Prepared([post(channel=event["channel"], **await self._candidate(entry))])

    async def _candidate(self, entry: StaffAnswer) -> Json:
        warnings = await self._desk.warnings(entry.answer, entry.question, entry.program)
        return cards.candidate_message(entry, warnings)

    async def _decide(self, event: Json) -> Prepared:
        user, channel = event["user"], event["channel"]
        if not await self._may(user, channel):
            return _whisper(channel, user, _MEMBERS_ONLY)
        entry = await self._desk.staff_answers.decide(event["entry"], user, event["approve"], self._now())
        if entry is None or entry.state == "proposed":
            return _whisper(channel, user, _ANOTHER)
        message = cards.candidate_message(entry, ())
        return Prepared([api_call("chat.update", channel=channel, ts=event["ts"], **message)])

    async def _digest(self, channel: str) -> Json:
        counts = {name: (await self._cases.listed(name, "", (channel,), 0))[1] for name in cards.VIEWS}
        return cards.digest_message(counts, await self._unanswered((channel,)), self._desk.programs)

    async def _unanswered(self, channels: Collection[str]) -> list[Group]:
        """What was not answered of the programs whose officials are in some channels."""
        groups = await self._desk.unanswered(self._now())
        return [group for group in groups if self._desk.slack_channel(group.program) in channels]

    # --- lists -------------------------------------------------------------------------------------------------

    async def _list(self, user: str, wanted: str) -> Json:
        channels = await self._channels_of(user)
        if not channels:
            return {"text": _MEMBERS_ONLY}
        cases, count = await self._cases.listed(cards.LISTS[wanted], user, channels, _LISTED)
        return cards.list_message(wanted, cases, count, self._desk.programs, self._now())

    async def home(self, user: str, view: View, page: int) -> list[Json]:
        """The officials' part of the home tab; nothing for others."""
        channels = await self._channels_of(user)
        if not channels:
            return []
        counts = {name: (await self._cases.listed(name, user, channels, 0))[1] for name in cards.VIEWS}
        cases, _ = await self._cases.listed(view, user, channels, cards.PAGE, page * cards.PAGE)
        groups, programs = await self._unanswered(channels), self._desk.programs
        return cards.home_blocks(view, cases, counts, page, await self._quota(), groups, programs, self._now())

    async def _quota(self) -> str:
        if self._desk.quota_left is None:
            return ""
        try:
            left = await self._desk.quota_left()
        except RetryLaterError:
            return "LINEで今月送れる残りの通数は、確かめられませんでした。"
        return "LINEで送れる通数に上限はありません。" if left is None else f"LINEで今月送れる残り: {left:,}通"

    # --- who may -----------------------------------------------------------------------------------------------

    async def _channels_of(self, user: str) -> list[str]:
        """The officials' channels that somebody is in; none for others."""
        return [channel for channel in sorted(self._desk.slack_channels) if await self._may(user, channel)]

    async def _may(self, user: str, channel: str) -> bool:
        """Whether somebody is a member of a channel now.

        Raises:
            RetryLaterError: Slack does not tell.
        """
        cursor = None
        try:
            while True:
                page = await self._client.conversations_members(channel=channel, limit=1000, cursor=cursor)
                if user in page["members"]:
                    return True
                cursor = (page.get("response_metadata") or {}).get("next_cursor")
                if not cursor:
                    return False
        except (SlackApiError, ClientError, TimeoutError) as error:
            _log.error("the members of %s could not be read: %s", channel, type(error).__name__)
            raise RetryLaterError(f"conversations.members: {type(error).__name__}") from error

    # --- what officials tap and write --------------------------------------------------------------------------

    def listen(self, bolt: AsyncApp) -> None:
        """Takes taps and modals. A tap is stored before it is acknowledged; a modal is answered at once."""

        async def put(body: Json, event: Json) -> None:
            """Stores a tap, and behind it the list as it stands then, where it was tapped in one."""
            user, id = body["user"]["id"], f"{NAME}:{body['trigger_id']}"
            tapped = event | {"user": user, "channel": body["container"].get("channel_id", ""), "id": id}
            arrivals = [Arrival(id, NAME, f"{NAME}:desk:{user}", tapped)]
            if shown := _list_shown(body):
                arrivals.append(_shown_again(user, shown, id))
            await self._inbox.put(arrivals)

        @bolt.action(re.compile(r"case_take(_over)?"))
        async def take(ack: AsyncAck, body: Json, action: Json) -> None:
            over = action["action_id"] == "case_take_over"
            await put(body, {"kind": "case_take", "case": int(action["value"]), "over": over})
            await ack()

        @bolt.action("case_drop")
        async def drop(ack: AsyncAck, body: Json, action: Json) -> None:
            await put(body, {"kind": "case_drop", "case": int(action["value"])})
            await ack()

        @bolt.action("case_faq")
        async def propose(ack: AsyncAck, body: Json, action: Json) -> None:
            await put(body, {"kind": "faq_propose", "case": int(action["value"])})
            await ack()

        @bolt.action(re.compile(r"faq_(approve|decline)"))
        async def decide(ack: AsyncAck, body: Json, action: Json) -> None:
            decided = {"entry": int(action["value"]), "approve": action["action_id"] == "faq_approve"}
            await put(body, {"kind": "faq_decide", "ts": body["container"]["message_ts"], **decided})
            await ack()

        @bolt.action(re.compile(r"home_\w+"))
        async def turn(ack: AsyncAck, body: Json, action: Json) -> None:
            await self._inbox.put([_shown_again(body["user"]["id"], action["value"], f"{NAME}:{body['trigger_id']}")])
            await ack()

        async def acknowledge(ack: AsyncAck) -> None:
            await ack()

        async def open_writing(body: Json, action: Json) -> None:
            kind = _KINDS[action["action_id"]]
            shown = _list_shown(body)
            case, view = await self._writing(int(action["value"]), body["user"]["id"], kind, shown)
            opened = await self._client.views_open(trigger_id=body["trigger_id"], view=view)
            if case and kind == "answer":
                await self._add_sources(case, shown, opened["view"])

        async def use_draft(body: Json, action: Json) -> None:
            view = cards.using_draft(body["view"], action["value"])
            await self._client.views_update(view_id=body["view"]["id"], view=view)

        async def open_preview(body: Json) -> None:
            view = await self._preview_of_message(body["channel"]["id"], body["message"], body["user"]["id"])
            await self._client.views_open(trigger_id=body["trigger_id"], view=view)

        bolt.action("case_draft")(ack=acknowledge, lazy=[use_draft])
        bolt.shortcut("send_to_asker")(ack=acknowledge, lazy=[open_preview])
        bolt.action("case_answer")(ack=acknowledge, lazy=[open_writing])
        bolt.action("case_return")(ack=acknowledge, lazy=[open_writing])
        bolt.action("case_correct")(ack=acknowledge, lazy=[open_writing])

        @bolt.view("case_write")
        async def preview(ack: AsyncAck, view: Json) -> None:
            state, written = json.loads(view["private_metadata"]), view["state"]["values"]
            text = next(field for name, field in written.items() if name.startswith(cards.WRITTEN))
            shown = await self._preview(**state, text=_typed(text), name=_typed(written["name"]))
            await ack(response_action="push", view=shown)

        @bolt.view("case_send")
        async def send(ack: AsyncAck, body: Json, view: Json) -> None:
            user, written = body["user"]["id"], json.loads(view["private_metadata"])
            if problem := await self._send(user, written):
                await ack(response_action="update", view=cards.notice_view(view["title"]["text"], problem))
                return
            if written["shown"]:
                await self._inbox.put([_shown_again(user, written["shown"], f"{NAME}:sent:{written['key']}")])
            await ack(response_action="clear")

    async def _take_to_write(self, number: int, user: str) -> Case | str:
        """Whoever begins to write takes the case, so that nobody else does at the same time; or what is in the way."""
        try:
            case = await self._known(number)
            if not await self._may(user, case.slack_channel):
                return _MEMBERS_ONLY
        except RetryLaterError:
            return _FAILED
        taken = await self._cases.take(number, user)
        assert taken
        return _refusal(taken, user) or taken

    async def _writing(self, number: int, user: str, kind: Kind, shown: str) -> tuple[Case | None, Json]:
        """The modal to write in, and the case where it can be written to; `shown` is the list that it opens from."""
        taken = await self._take_to_write(number, user)
        if isinstance(taken, str):
            return None, cards.notice_view(f"受付{number}", taken)
        if kind == "return":
            return taken, cards.writing_view(taken, kind, shown, "", ())
        if kind == "correction":
            asked = [turn.question for turn in await self._desk.corrected(taken)]
            return taken, cards.writing_view(taken, kind, shown, self._desk.draft(taken), cards.examples(asked))
        return taken, cards.writing_view(taken, kind, shown, self._desk.draft(taken), None)

    async def _add_sources(self, case: Case, shown: str, opened: Json) -> None:
        """Shows in the modal what may help, as soon as it is there; what was typed meanwhile stays.

        It is opened before, as Slack lets us do so for three seconds after the tap only.
        """
        draft, related = self._desk.draft(case), await self._desk.related(case)
        try:
            view = cards.writing_view(case, "answer", shown, draft, related)
            now_open = await self._client.views_update(view_id=opened["id"], hash=opened["hash"], view=view)
            if worded := await self._desk.worded(case):
                view = cards.writing_view(case, "answer", shown, draft, related, worded)
                await self._client.views_update(view_id=opened["id"], hash=now_open["view"]["hash"], view=view)
        except SlackApiError as error:  # closed meanwhile, or begun from a passage
            _log.info("sources were not shown: %s", error.response["error"])

    async def _preview_of_message(self, channel: str, message: Json, user: str) -> Json:
        """The preview of what an official wrote in the thread of a card, which goes nowhere before they send it."""
        found = _OF_A_CASE.match(await self._inbox.posted(channel, message.get("thread_ts", "")))
        text = storable(blocks.read_text(message.get("text", "")))
        if found is None or message.get("bot_id") or not text:
            return cards.notice_view("質問者に送る", _NO_THREAD)
        if len(text) > cards.LONGEST_REPLY:
            return cards.notice_view("質問者に送る", f"{cards.LONGEST_REPLY:,}文字までの文にしてから送ってください。")
        taken = await self._take_to_write(int(found[1]), user)
        if isinstance(taken, str):
            return cards.notice_view("質問者に送る", taken)
        return await self._preview(taken.number, "answer", "", text, "")

    async def _preview(self, case: int, kind: Kind, shown: str, text: str, name: str) -> Json:
        known = await self._known(case)
        signed = f"{self._desk.office(known.program)} {name}".strip()
        question = "" if kind == "correction" else known.question
        reply = Reply(0, case, question, kind, text, signed, "", self._now(), False)
        metadata = {
            "case": case,
            "kind": kind,
            "shown": shown,
            "text": text,
            "signed": signed,
            "key": secrets.token_hex(16),
        }
        warnings = await self._desk.warnings(text, known.question, known.program)
        to = f"{len(await self._desk.corrected(known))}件の質問の" if kind == "correction" else ""
        return cards.preview_view(cards.writing_title(case, kind), reply_text(reply), to, warnings, metadata)

    async def _send(self, user: str, written: Json) -> str:
        """Sends what was previewed; returns what is in the way of that."""
        number = written["case"]
        try:
            case = await self._known(number)
            if not await self._may(user, case.slack_channel):
                return _MEMBERS_ONLY
        except RetryLaterError:
            return _FAILED
        corrects = await self._desk.corrected(case) if written["kind"] == "correction" else ()
        text, signed = written["text"], written["signed"]
        sent = await self._cases.reply(
            number, user, written["kind"], text, signed, key=written["key"], corrects=corrects
        )
        assert sent
        case, first = sent
        return "" if first else _refusal(case, user) or _ANSWERED


def _list_shown(body: Json) -> str:
    """The list in which something is tapped: a page of the home tab, or what a command listed; "" elsewhere."""
    view = body.get("view") or {}
    if view.get("type") == "home":
        return str(view.get("private_metadata", ""))
    wanted = cards.list_of(body["actions"][0]["block_id"])
    return f"{wanted}:{body['response_url']}" if wanted else ""


def _shown_again(user: str, shown: str, id: str) -> Arrival:
    """Has an official's list shown as it stands then; behind what they tapped before."""
    name, _, place = shown.partition(":")
    if name in cards.LISTS:
        event: Json = {"kind": "list", "text": name, "user": user, "respond": place}
    else:
        event = {"kind": "home", "user": user, "view": name, "page": int(place)}
    return Arrival(f"{id}:shown", NAME, f"{NAME}:desk:{user}", event)


def _typed(field: Json) -> str:
    return storable(field["text"].get("value") or "").strip()


def _refusal(case: Case, user: str) -> str:
    """Why an official cannot go on with a case that they tried to take; "" where it is theirs."""
    if case.state not in (State.OPEN, State.TAKEN):
        return _ANSWERED
    if case.assignee != user:
        return f"<@{case.assignee}>さんが対応中です。代わって対応するときは、「担当を代わる」を押してください。"
    return ""


def _whisper(channel: str, user: str, text: str) -> Prepared:
    """Tells one official alone: where they tapped, or, from the home tab, by a direct message."""
    if not channel:
        return Prepared([post(channel=user, text=text)])
    return Prepared([api_call("chat.postEphemeral", optional=True, channel=channel, user=user, text=text)])


def _place(sender: str) -> Json:
    """Where an asker reads us: `slack:channel:thread`, or `slack:command:channel:user`, who is written to alone."""
    _, channel, *rest = sender.split(":")
    if channel == "command":
        return {"channel": rest[1]}
    return {"channel": channel} | ({"thread_ts": rest[0]} if rest and rest[0] else {})


def _reply_message(reply: Reply) -> Json:
    heading = title(reply) if reply.kind == "correction" else f"{title(reply)}(受付番号{reply.number})"
    return {
        "text": blocks.clip(blocks.escape(reply_text(reply)), blocks.SECTION_LIMIT),
        "blocks": [
            {"type": "header", "text": blocks.plain(heading)},
            blocks.context([f"ご質問: {blocks.escape(blocks.clip(reply.question, 1800))}"]),
            blocks.plain_section(reply.text),
            blocks.context([blocks.escape(reply.signed)]),
            *([blocks.plain_section(SOLVED)] if reply.kind == "answer" else ()),
            blocks.actions([blocks.button(tap, f"say_{n}", tap) for n, tap in enumerate(taps_below(reply))]),
        ],
    }
