"""Sessions in LINE: joining by a code, asking, and what hosts wrote, which comes with the next reply."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.briefing.asking import Asking, Tap
from bot.briefing.hearing import Hearing
from bot.briefing.links import JOIN
from bot.briefing.sessions import Briefing, BriefingMissingError, Sessions
from bot.briefing.views import board, look
from bot.channels import line_messages as messages
from bot.delivery import Json, Prepared
from bot.desk.sentences import ASK_STAFF
from bot.replies import ASK_CONTACT
from bot.service import Service
from bot.types import Turn

LEAVE = "退出"
_ASK_HOST = "説明者に聞く"

_JOINS = re.compile(rf"{JOIN}\s*([0-9A-Za-z]{{4}})")
_NUMBER = re.compile(r"[Qq]\s*(\d{1,4})")
_REPLIES_TOLD = 3
"""At once: a reply holds five messages."""

_NO_SESSION = "この番号の説明会はありません。スクリーンの番号を確かめてください。"
_ENDED = "この説明会の質問の受付は終わりました。"
_LEFT = "説明会から退出しました。ここからは、ふだんの窓口としてお答えします。"
_TO_HOST = "説明者に届けました。回答があると、次にメッセージを送ったときにお知らせします。"
_SETTLED = "解決済みにしました。ほかにもあれば、そのままお送りください。"
_NOT_THERE = "その質問は見つかりません。もう一度、文字でお送りください。"
_NO_ANSWER_YET = "この質問には、まだ回答がありません。"
_STATES = {"aloud": "会場で口頭で回答しました。", "later": "後日回答します。"}

_TAPS: Sequence[tuple[str, Tap]] = (("これで分かった", "settled"), (_ASK_HOST, "asked"), ("役に立たない", "unhelpful"))


class LineSessions:
    """What people who have joined a session say and tap in their chat with the account."""

    def __init__(self, service: Service, hearing: Hearing, asking: Asking) -> None:
        """Answers by the service; what it records goes with the delivery."""
        self._sessions: Sessions = service.briefings
        self._programs = service.programs
        self._hearing = hearing
        self._asking = asking

    async def said(self, sender: str, text: str) -> Prepared | Briefing | None:
        """What answers a message that is no question; else the session that it is asked in, where there is one."""
        words = unicodedata.normalize("NFKC", text).strip()
        if found := _JOINS.fullmatch(words):
            return await self._join(sender, found[1])
        briefing = await self._sessions.joined(sender)
        if briefing is None:
            return None
        match words:
            case word if word == LEAVE:
                await self._sessions.leave(sender)
                return _say(_LEFT)
            case word if word in (_ASK_HOST, ASK_STAFF, ASK_CONTACT):
                return await self.tapped(sender, "", "asked")
            case word if found := _NUMBER.fullmatch(word):
                return await self._tell_answer(briefing, int(found[1]))
        return briefing

    async def _join(self, sender: str, code: str) -> Prepared:
        try:
            briefing = await self._sessions.find(code)
        except BriefingMissingError:
            return _say(_NO_SESSION)
        if briefing.ended_at:
            return _say(_ENDED)
        await self._sessions.join(briefing, sender)
        return _say(
            f"「{briefing.title}」に参加しました。質問をそのままお送りください。すぐに、あなただけにお答えします。"
            f"資料にないことは、匿名で説明者に届きます。「{LEAVE}」と送ると、ふだんの窓口に戻ります。"
        )

    async def _tell_answer(self, briefing: Briefing, number: int) -> Prepared:
        """The answer to a question of the board, for who sends its number."""
        shown = board(await look(self._sessions, briefing))["matters"]
        matter = next((matter for matter in shown if matter["number"] == number), None)
        if matter is None:
            return _say(_NOT_THERE)
        answer = matter["answer"] or _STATES.get(matter["state"], _NO_ANSWER_YET)
        return _say(f"Q{number} {matter['wording']}\n\n{answer}")

    async def asked(self, briefing: Briefing, sender: str, text: str, message: str) -> Prepared:
        """Answers a question in a session. Raises as `Service.consider` does."""
        turn, asked = await self._hearing.hear(briefing, sender, text, message)
        outgoing = messages.answer_messages(turn.answer, turn.key, self._programs, _ASK_HOST, rateable=False)
        if turn.own:
            return Prepared(outgoing, turn)
        if asked.meaning is None:
            return self._hearing.prepared(outgoing, turn, asked)
        taps = [_tap_item(label, turn, tap) for label, tap in _TAPS]
        last = outgoing[-1]
        if asked.unanswered:
            last = messages.text_message(_TO_HOST)
            outgoing.append(last)
            taps = taps[:1]
        offered = last.get("quickReply", {}).get("items", [])
        outgoing[-1] = messages.with_quick_replies(last, [*taps, *offered])
        return self._hearing.prepared(outgoing, turn, asked)

    async def tapped(self, sender: str, turn: str, tap: Tap) -> Prepared:
        """Somebody says what an answer was worth; without a turn, the last one."""
        briefing = await self._sessions.joined(sender)
        if briefing is None or not await self._asking.tap(briefing, sender, tap, turn=turn):
            return _say(_NOT_THERE)
        return _say(_SETTLED if tap == "settled" else _TO_HOST)

    async def with_replies(self, sender: str, prepared: Prepared) -> Prepared:
        """What is sent, led by what hosts have written to this person since: a reply costs nothing, a push would."""
        untold = await self._asking.untold(sender, _REPLIES_TOLD)
        if not untold or not prepared.outgoing:
            return prepared
        before = prepared.record

        async def record(connection: Any) -> None:
            if before:
                await before(connection)
            await self._asking.mark_told(connection, [question.id for question in untold])

        told = [messages.text_message(f"説明者からの回答です。\n「{q.text}」\n\n{q.reply}") for q in untold]
        return replace(prepared, outgoing=[*told, *prepared.outgoing][-5:], record=record)


def _tap_item(label: str, turn: Turn, tap: Tap) -> Json:
    return messages.postback_item(label, {"briefing": turn.key, "tap": tap})


def _say(text: str) -> Prepared:
    return Prepared([messages.text_message(text)])
