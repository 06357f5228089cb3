"""The desk: what askers say to it, what is proposed to them, and what time brings. Slack's side is slack.py."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from bot import replies as bot_replies
from bot.answerer import Answerer
from bot.conversations import Conversations, RecordedTurn, RuledTurn
from bot.delivery import Arrival, Inbox
from bot.desk import sentences
from bot.desk.cases import Cases
from bot.desk.corrections import LOOKED_BACK, outdated
from bot.desk.faq import Candidate, StaffAnswer, StaffAnswers
from bot.desk.hours import OfficeHours
from bot.desk.reporting import Group, unanswered
from bot.desk.types import CORRECTION, Case, Json, Reply, State
from bot.settings import Settings
from bot.types import Answer, AnswerStatus, Citation, Conversation, Inquiry, seen_by_many
from bot.worker import AnswererProcess
from knowledge.types import Choice, IndexMissingError, Program
from knowledge.watching import Change

if TYPE_CHECKING:
    from bot.drafting import Draft

_QUOTED = 200
"""Characters of the bot's answer that are shown before it is sent to an official."""

_LISTED = 5
"""Cases of an asker that are told of at once, the newest first."""

_GIVEN_UP_FOR = 3600
"""Seconds after which a card or an answer that a platform did not take for long is sent again: none is ever lost."""

_NOON = 12
"""The hour from which on a morning's digest is not posted any more."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Matter:
    """What a case is opened for: the question, what the bot had answered, and the program, "" where that is open.

    `message` and `person` are the keyed hashes of the message that asked and of who did.
    """

    key: str
    question: str
    found: Json | None
    program: str
    message: str | None = None
    person: str | None = None


def is_staffed(settings: Settings, programs: Mapping[str, Program]) -> bool:
    """Whether there are officials who answer: Slack, and a channel of theirs in it."""
    channels = [settings.slack_desk_channel, *(program.desk_channel for program in programs.values())]
    return bool(settings.slack_bot_token) and any(channels)


def staff_label(staffed: bool) -> str:
    """What leads to people is called by what it does: asks officials, or says whom to ask."""
    return sentences.ASK_STAFF if staffed else bot_replies.ASK_CONTACT


class Desk:
    """Takes questions for people. There is one only where officials are there to answer, in a channel of Slack."""

    def __init__(
        self,
        cases: Cases,
        staff_answers: StaffAnswers,
        inbox: Inbox,
        conversations: Conversations,
        answerer: Answerer | AnswererProcess,
        hours: OfficeHours,
        programs: Mapping[str, Program],
        slack_channel: str,
        now: Callable[[], datetime],
    ) -> None:
        """Uses a database whose tables are there.

        Args:
            cases: the table of them.
            staff_answers: those of officials that others may be offered.
            inbox: takes the digest of the morning.
            conversations: what was asked and answered.
            answerer: knows the documents.
            hours: when officials answer.
            programs: by id; each may have a channel of its own.
            slack_channel: that of all other questions; "" where there is none.
            now: the clock, in Japan's time.
        """
        self.cases = cases
        self.staff_answers = staff_answers
        self.hours = hours
        self.programs = programs
        self._inbox = inbox
        self._digested: date | None = None
        self._compared: date | None = None
        self._conversations = conversations
        self._answerer = answerer
        self._slack_channel = slack_channel
        self._now = now
        self.quota_left: Callable[[], Awaitable[int | None]] | None = None

    @property
    def slack_channels(self) -> frozenset[str]:
        """Every channel in which officials answer."""
        own = {program.desk_channel for program in self.programs.values()}
        return frozenset(filter(None, own | {self._slack_channel}))

    def slack_channel(self, program: str) -> str:
        """Where the officials of a program are, or those of all; "" where nobody is."""
        own = self.programs[program].desk_channel if program in self.programs else ""
        return own or self._slack_channel

    def office(self, program: str) -> str:
        """Who signs an answer."""
        if program in self.programs:
            return self.programs[program].contact
        return "、".join(dict.fromkeys(known.contact for known in self.programs.values()))

    async def open_case(
        self, question: str, *, key: str, sender: str, program: str = "", found: Json | None = None
    ) -> Case | None:
        """Hands a question to people that no conversation asked, such as one that a briefing left open.

        Args:
            question: as the official will read it; masked already.
            key: names what is asked: of one key there is one case, however often this is called.
            sender: channel and id to which the answer goes back: `line:U…`, `slack:C…:ts`, or any other
                `channel:id`, whose answers are asked for by `cases.by_key(key)` and `cases.replies(number)`.
            program: its id; "" where that is open.
            found: what the bot had answered, in its JSON form.

        Returns:
            The case; None where no officials are there for this program.
        """
        return await self._open(sender, Matter(key, question, found, program))

    async def hear(self, sender: str, text: str, before: Conversation) -> tuple[Answer, Conversation] | None:
        """The answer to what an asker says to the desk, and how the conversation goes on; None for all else."""
        if before.desk == "proposed":
            if sentences.says_yes(text):
                return await self._send(sender, before)
            if sentences.says_no(text):
                return Answer(sentences.KEPT, AnswerStatus.ANSWERED), replace(before, desk="")
        elif sentences.taps_send(text) and (case := await self.cases.by_key(before.turn)):  # once more
            return self._telling(case, await self._state(case)), before
        if sentences.fetches(text):
            return await self._tell_all(sender), before
        if (number := sentences.looks_at(text)) is not None and (offered := await self._look_at(number, before)):
            return offered
        return await self._about_a_case(sender, text, before)

    async def _send(self, sender: str, before: Conversation) -> tuple[Answer, Conversation]:
        after = replace(before, desk="")
        turn = await self._conversations.turn(before.turn)
        if turn is None:
            return Answer(sentences.NO_LONGER, AnswerStatus.ANSWERED), after
        matter = _matter(turn)
        case = await self._open(sender, matter)
        if case is None:
            return Answer(bot_replies.hand_over([self.office(matter.program)]), AnswerStatus.ANSWERED), after
        if case.state is not State.OPEN:  # it was sent before
            return self._telling(case, await self._state(case)), after
        return self._telling(case, sentences.receipt(case, self.hours, self._now())), after

    async def _open(self, sender: str, matter: Matter) -> Case | None:
        channel = self.slack_channel(matter.program)
        if not channel:
            return None
        case, _ = await self.cases.open(
            matter.question,
            key=matter.key,
            program=matter.program,
            slack_channel=channel,
            sender=sender,
            message=matter.message,
            person=matter.person,
            found=matter.found,
        )
        return case

    async def _tell_all(self, sender: str) -> Answer:
        """How the questions of an asker stand; what waits for them comes along with any answer."""
        cases = (await self.cases.of_asker(sender))[:_LISTED]
        offered = tuple(offer for case in cases for offer in sentences.offers(case))
        return Answer(sentences.listed(cases), AnswerStatus.ANSWERED, suggestions=offered)

    async def _about_a_case(self, sender: str, text: str, before: Conversation) -> tuple[Answer, Conversation] | None:
        asked = sentences.asks_status(text, named=before.asked_for is not None)
        solved, unsolved = sentences.says_solved(text), sentences.says_unsolved(text)
        withdraws, named = sentences.withdraws(text)
        number = asked or solved or unsolved or named
        if number is None and not withdraws:
            return None
        mine = {case.number: case for case in await self.cases.of_asker(sender)}
        if number is None:
            waiting = [case for case in mine.values() if case.waits]
            if len(waiting) != 1:
                return (Answer(sentences.WHICH, AnswerStatus.ANSWERED), before) if waiting else None
            number = waiting[0].number
        if number not in mine:
            return None
        case = mine[number]
        if withdraws:
            case = await self.cases.withdraw(number, sender) or case
            done = case.ended == "withdrawn"
            return self._telling(case, sentences.withdrawn(number) if done else await self._state(case)), before
        if solved:
            case = await self.cases.solve(number, sender) or case
            done = case.ended == "solved"
            return self._telling(case, sentences.solved(number) if done else await self._state(case)), before
        if unsolved:
            case = await self.cases.reopen(number, sender) or case
            done = case.waits
            text = sentences.reopened(case, self.hours, self._now()) if done else await self._state(case)
            return self._telling(case, text), before
        return self._telling(case, await self._state(case)), before

    async def _state(self, case: Case) -> str:
        return sentences.state(case, await self.cases.replies(case.number), self.hours, self._now())

    def _telling(self, case: Case, text: str) -> Answer:
        return Answer(text, AnswerStatus.ANSWERED, suggestions=sentences.offers(case), case=case.key)

    async def consider(
        self, sender: str, text: str, key: str, answer: Answer, before: Conversation, after: Conversation
    ) -> tuple[Answer, Conversation]:
        """What becomes of an answer of the bot's where people are there: the offer, or the proposal, to ask them."""
        if answer.for_staff:
            if not self.slack_channel(after.program):
                return answer, after
            if after.turn == key:  # the wish for a person and the question came in one message
                return self._propose(sender, text, ""), replace(after, desk="proposed")
            turn = await self._conversations.turn(after.turn) if after.turn else None
            if turn is None:
                return Answer(sentences.AWAITED, AnswerStatus.NEEDS_INFO, for_staff=True), replace(
                    after, desk="awaited"
                )
            matter = _matter(turn)
            return self._propose(sender, matter.question, _answered(matter)), replace(after, desk="proposed")
        if not self.slack_channel(after.program):
            return answer, after
        if before.desk == "awaited":
            after = replace(after, turn=key)
            proposed = self._propose(sender, text, "")
            if answer.status in (AnswerStatus.OFFTOPIC, AnswerStatus.ERROR):
                return proposed, replace(after, desk="proposed")
            text = f"{answer.text}\n\n{proposed.text}"
            return replace(answer, text=text, choices=proposed.choices, suggestions=()), replace(after, desk="proposed")
        if answer.status is AnswerStatus.UNKNOWN:
            return await self._offer(text, answer, after), after
        return answer, after

    async def _offer(self, text: str, answer: Answer, after: Conversation) -> Answer:
        """What the documents are silent about, with an official's answer to the same question, and officials to ask."""
        suggestions = (sentences.ASK_STAFF, *answer.suggestions)
        known = await self.staff_answers.offered(after.program, self._now().date())
        place = await self._answerer.nearest(text, [entry.question for entry in known]) if known else None
        if place is None:
            return replace(answer, suggestions=suggestions)
        near = known[place]
        said = f"{answer.text}\n\n{sentences.near(near.id, near.question)}"
        return replace(answer, text=said, suggestions=(sentences.look_at(near.id), *suggestions))

    async def _look_at(self, id: int, before: Conversation) -> tuple[Answer, Conversation] | None:
        """An official's answer that was offered, with its question."""
        known = await self.staff_answers.offered("", self._now().date())
        entry = next((entry for entry in known if entry.id == id), None)
        return (_as_answer(entry), before) if entry else None

    def _propose(self, sender: str, question: str, answered: str) -> Answer:
        choices = tuple(Choice(label, label) for label in (sentences.SEND, sentences.KEEP))
        text = sentences.proposal(question, answered, seen_by_many(sender))
        return Answer(text, AnswerStatus.NEEDS_INFO, choices=choices, for_staff=True)

    async def told(self, key: str) -> Json | None:
        """How the case that a key names stands, for the page of its asker, who has seen it then; None without one."""
        case = await self.cases.by_key(key)
        if case is None or not case.question:
            return None
        replies = await self.cases.replies(case.number)
        if not all(reply.arrived for reply in replies):
            await self.cases.fetched(case.number)
        return {
            "number": case.number,
            "state": case.state,
            "text": sentences.state(case, (), self.hours, self._now()),
            "question": case.question,
            "replies": [_as_json(reply) for reply in replies],
            "suggestions": list(sentences.offers(case)),
        }

    async def related(self, case: Case) -> tuple[tuple[str, str], ...]:
        """Passages that may help an official to answer, each with its place; none where there is no index."""
        try:
            return await self._answerer.related(case.question, case.program)
        except IndexMissingError:
            return ()

    def draft(self, case: Case) -> str:
        """What an official may start from: what the bot had answered from the sources; "" where these say nothing."""
        if case.corrects and case.found:
            return str(case.found["draft"])
        if case.found and case.found["status"] == AnswerStatus.ANSWERED:
            return str(case.found["text"]).partition(bot_replies.SOURCES)[0]
        return ""

    async def worded(self, case: Case) -> "Draft | None":
        """What a chat model would write to a case, for officials alone; None without a model, or in vain."""
        asked = Inquiry(case.question, self._now().date(), Conversation(program=case.program))
        try:
            return await self._answerer.draft(asked)
        except IndexMissingError:
            return None

    async def warnings(self, text: str, question: str, program: str) -> tuple[str, ...]:
        """What an official should look at again before an answer is sent."""
        try:
            unheld = await self._answerer.unheld_figures(text, question, program, self._now().date())
        except IndexMissingError:
            return ()
        return (sentences.unheld(unheld),) if unheld else ()

    def offering(self, candidate: Candidate) -> Arrival:
        """The event by which a host's answer becomes a candidate for the FAQ, before the officials of its program."""
        event = asdict(candidate) | {"answered_on": candidate.answered_on.isoformat()}
        id = f"faq:{candidate.key}"
        channel = self.slack_channel(candidate.program)
        told = {"kind": "faq_offered", "channel": channel, "candidate": event, "id": id}
        return Arrival(id, "slack", f"slack:{id}", told)

    async def unanswered(self, moment: datetime) -> tuple[Group, ...]:
        """What was not answered since the office day before; nothing where there is no index."""
        try:
            return await unanswered(self._conversations, self._answerer, _since(moment, self.hours))
        except IndexMissingError:
            return ()

    async def told_right(self, keys: Sequence[str]) -> list[Json]:
        """What puts answers right, for the page on which they were given: by the keys of their turns."""
        replies = await self.cases.corrections(keys)
        return [{"turn": key, "question": reply.question, **_as_json(reply)} for key, reply in replies.items()]

    async def corrected(self, case: Case) -> tuple[RuledTurn, ...]:
        """The answers that the correction of a case puts right."""
        moment = self._now()
        turns = [turn async for turn in self._conversations.ruled(moment - LOOKED_BACK)]
        groups = outdated(turns, self.programs, moment.date())
        keys = {key for found in groups if found.key == case.key for key in found.turns}
        return tuple(turn for turn in turns if turn.key in keys)

    async def _look_for_changes(self) -> None:
        """Opens a case for each value that has changed under answers of the last weeks, once; looks once a day."""
        moment = self._now()
        if self._compared == moment.date():
            return
        turns = [turn async for turn in self._conversations.ruled(moment - LOOKED_BACK)]
        for found in outdated(turns, self.programs, moment.date()):
            if channel := self.slack_channel(found.program):
                await self.cases.open(
                    sentences.outdated(found),
                    key=found.key,
                    program=found.program,
                    slack_channel=channel,
                    sender=f"{CORRECTION}:{found.key}",
                    found={"draft": sentences.correction(found)},
                )
        self._compared = moment.date()

    async def _digest(self) -> None:
        """Has each channel told of the morning, once on each day that the office is open."""
        moment = self._now()
        late = moment.time() >= self.hours.digest_at and moment.hour < _NOON
        if self._digested == moment.date() or not (late and self.hours.works_on(moment.date())):
            return
        digests = [
            Arrival(
                f"digest:{moment:%Y-%m-%d}:{channel}",
                "slack",
                f"slack:digest:{channel}",
                {"kind": "case_digest", "channel": channel},
            )
            for channel in sorted(self.slack_channels)
        ]
        await self._inbox.put(digests)
        self._digested = moment.date()

    async def tell_of_changes(self, changes: Sequence[Change]) -> None:
        """Has the officials of a program told of the figures that its watched page changed, once."""
        programs = {program.document.url: program.id for program in self.programs.values()}
        told: dict[str, list[Change]] = {}
        for change in changes:
            if channel := self.slack_channel(programs.get(change.url, "")):
                told.setdefault(channel, []).append(change)
        arrivals = []
        for channel, of_channel in told.items():
            content = [asdict(change) for change in of_channel]
            named = sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]
            event = {"kind": "page_changed", "channel": channel, "changes": content}
            arrivals.append(Arrival(f"watch:{named}:{channel}", "slack", f"slack:watch:{channel}", event))
        await self._inbox.put(arrivals)

    async def look_after(self) -> None:
        """What time brings: reminders, escalation, closing, the digest of the morning, and what was given up before."""
        await self.cases.free()
        if again := await self._inbox.replay_own("case:", _GIVEN_UP_FOR):
            _log.warning("%d messages of the desk's that were given up are tried again", again)
        await self._look_for_changes()
        await self._digest()
        if moved := await self.cases.climb():
            _log.info("%d cases were reminded of, escalated or closed", moved)


def _since(moment: datetime, hours: OfficeHours) -> datetime:
    """The morning of the office day before, from which on a digest tells."""
    day = moment.date() - timedelta(days=1)
    while not hours.works_on(day):
        day -= timedelta(days=1)
    return datetime.combine(day, hours.digest_at, moment.tzinfo)


def _as_answer(entry: StaffAnswer) -> Answer:
    said = f"ご質問: 「{entry.question}」\n\n{entry.answer}\n\n{entry.signed}"
    citation = Citation(entry.program, entry.source, entry.source, "")
    text = f"{said}{bot_replies.SOURCES}{entry.source}"
    return Answer(text, AnswerStatus.ANSWERED, citations=(citation,), suggestions=(sentences.ASK_STAFF,))


def _as_json(reply: Reply) -> Json:
    return {
        "id": reply.id,
        "kind": reply.kind,
        "text": reply.text,
        "signed": reply.signed,
        "written_at": reply.written_at.isoformat(timespec="minutes"),
    }


def _matter(turn: RecordedTurn) -> Matter:
    """What a recorded turn asked: its message, behind the question that it replied to."""
    asked = [turn.conversation.question, turn.question]
    question = "\n".join(dict.fromkeys(filter(None, asked)))
    found: Json | None = dict(turn.answer)
    if turn.conversation.desk:  # the answer is the proposal itself, or ends in it
        said = turn.answer["text"].partition(sentences.SEND_IT)[0].strip()
        found = {**turn.answer, "text": said} if said else None
    if found and turn.helpful is False:
        found["helpful"] = False
    return Matter(turn.key, question, found, turn.program, turn.message, turn.person)


def _answered(matter: Matter) -> str:
    said = matter.found["text"].partition(bot_replies.SOURCES)[0] if matter.found else ""
    return said if len(said) <= _QUOTED else f"{said[: _QUOTED - 1]}…"
