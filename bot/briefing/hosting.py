"""What hosts do with the matters of a session. Two of them at once do not overwrite each other, and each act is undone.

An act names the version of each matter that its host has seen; where somebody has changed one meanwhile, nothing is
done. What a question's asker is told is kept with the question: it follows no question that joined the matter later.

What a host leaves for later waits for a case of the desk, by the key that its questions keep. Whenever such questions
become more or fewer, an event says so, and whoever takes it brings the case into line with them.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.briefing.asking import open_matter
from bot.briefing.sessions import NAME, Briefing, Sessions
from bot.briefing.tables import changes, matters, questions
from bot.delivery import Arrival, Inbox

_CHANGES_KEPT = 200
"""Of a session: further back nobody undoes."""

_KEPT_OF_MATTER = ("wording", "state", "released", "hidden", "pinned", "answer")
_KEPT_OF_QUESTION = ("matter", "reply", "told", "case_key")


class ChangedMeanwhileError(Exception):
    """Somebody else has changed a matter since this host saw it; nothing was done."""


class ActRefusedError(Exception):
    """An act that makes no sense here; the text is for the host."""


@dataclass(frozen=True)
class Act:
    """What a host does.

    `seen` are the numbers of the matters that it changes, each with the version that the host has seen, the one acted
    on first. `questions` are ids of questions that stood listed, `text` is what the host wrote.
    """

    name: str
    seen: Mapping[int, int]
    text: str = ""
    questions: tuple[int, ...] = ()


_FLAGS: Mapping[str, Mapping[str, Any]] = {
    "release": {"released": True, "hidden": False},
    "withdraw": {"released": False},
    "hide": {"hidden": True, "released": False, "pinned": False},
    "show": {"hidden": False},
    "pin": {"pinned": True},
    "unpin": {"pinned": False},
    "take": {"state": "answering"},
    "reopen": {"state": "open"},
}
"""Acts that only set something of a matter."""

_ENDS_WAITING = frozenset({"take", "reopen", "answer", "aloud"})
"""Acts after which the questions of a matter wait for the desk no more."""

_Image = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class LeftOpen:
    """A matter that a host has left to the desk, as its case is to say it."""

    question: str
    program: str
    found: dict[str, Any] | None


class Hosting:
    """The acts of hosts."""

    def __init__(self, sessions: Sessions, inbox: Inbox) -> None:
        """Belongs to the database of the sessions, which the inbox shares."""
        self._sessions = sessions
        self._inbox = inbox
        self._acts: Mapping[str, Callable[[_Doing], Awaitable[None]]] = {
            **dict.fromkeys(_FLAGS, _set_flags),
            "reword": _reword,
            "later": _leave_for_later,
            "answer": _answer,
            "aloud": _answer_aloud,
            "merge": _merge,
            "split": _split,
        }

    async def do(self, briefing: Briefing, act: Act) -> None:
        """Does an act, and keeps what undoes it.

        Raises:
            ChangedMeanwhileError: somebody was there before.
            ActRefusedError: of an unknown act, or one that makes no sense.
        """
        if act.name not in self._acts or not act.seen:
            raise ActRefusedError("この操作には対応していません。画面を読み込み直してください。")
        async with self._sessions.writing(briefing) as connection:
            rows = await _matters(connection, briefing, act.seen)
            before = await _image(connection, [row.id for row in rows])
            doing = _Doing(connection, briefing, act, rows)
            await self._acts[act.name](doing)
            if act.name in _ENDS_WAITING:
                of_matter = sa.update(questions).where(questions.c.matter == rows[0].id)
                await connection.execute(of_matter.values(case_key=None))
            await self._keep_change(connection, briefing, act.name, before, doing.opened)
        self._inbox.arrived.set()

    async def undo(self, briefing: Briefing, change: int) -> None:
        """Takes back the last act, which the host has seen as such. Raises as `do` does."""
        newest = sa.select(changes).where(changes.c.briefing == briefing.id).order_by(changes.c.id.desc()).limit(1)
        async with self._sessions.writing(briefing) as connection:
            last = (await connection.execute(newest)).first()
            if last is None:
                raise ActRefusedError("取り消せる操作はありません。")
            if last.id != change:
                raise ChangedMeanwhileError
            undone = await _image(connection, [int(id) for id in last.before["matters"]])
            for id, image in last.before["matters"].items():
                values = {**image, "version": matters.c.version + 1}
                await connection.execute(sa.update(matters).where(matters.c.id == int(id)).values(**values))
            for id, image in last.before["questions"].items():
                await connection.execute(sa.update(questions).where(questions.c.id == int(id)).values(**image))
            if last.opened:  # who joined what a split had opened goes back with the rest
                (source,) = (int(id) for id in last.before["matters"])
                back = sa.update(questions).where(questions.c.matter == last.opened).values(matter=source)
                await connection.execute(back)
            await connection.execute(sa.delete(changes).where(changes.c.id == last.id))
            await self._tell_desk(connection, briefing, undone, f"{last.id}:undone")
        self._inbox.arrived.set()

    async def _keep_change(
        self, connection: AsyncConnection, briefing: Briefing, act: str, before: _Image, opened: int | None = None
    ) -> None:
        """Keeps what undoes an act, and tells of the questions that wait for the desk since, or do so no more."""
        touched = [*map(int, before["matters"]), opened]
        bump = sa.update(matters).where(matters.c.id.in_(touched)).values(version=matters.c.version + 1)
        await connection.execute(bump)
        change = {"briefing": briefing.id, "act": act, "before": before, "opened": opened}
        new = sa.insert(changes).values(**change).returning(changes.c.id)
        id = (await connection.execute(new)).scalar_one()
        await _forget_oldest(connection, briefing)
        await self._tell_desk(connection, briefing, before, f"{id}")

    async def _tell_desk(self, connection: AsyncConnection, briefing: Briefing, before: _Image, change: str) -> None:
        if briefing.test:
            return
        ids = [int(id) for id in before["questions"]]
        waiting = sa.select(questions.c.case_key).where(questions.c.id.in_(ids))
        now = set((await connection.execute(waiting)).scalars())
        changed = (now ^ {image["case_key"] for image in before["questions"].values()}) - {None}
        told = [
            Arrival(f"{key}:{change}", NAME, f"{NAME}:{key}", {"kind": "deferral", "code": briefing.code, "key": key})
            for key in sorted(changed)
        ]
        if told:
            await self._inbox.add(connection, told)

    # --- what is left to the desk ------------------------------------------------------------------------------

    async def left_open(self, key: str) -> LeftOpen | None:
        """What questions wait for a case of this key; None where none does any more."""
        waits = sa.select(questions, matters.c.wording).join(matters, matters.c.id == questions.c.matter)
        async with self._sessions.engine.connect() as connection:
            found = (await connection.execute(waits.where(questions.c.case_key == key).order_by(questions.c.id))).all()
        if not found:
            return None
        own = next((question for question in found if question.answer), None)
        return LeftOpen(found[0].wording, program_of(found), own.answer if own else None)

    async def bring(self, code: str, key: str, written: str) -> None:
        """The desk has answered: its words go to the questions that wait for them. Done again, it changes nothing.

        Raises:
            BriefingMissingError: the session is wiped.
        """
        briefing = await self._sessions.find(code)
        async with self._sessions.writing(briefing) as connection:
            waits = questions.c.case_key == key
            ids = (await connection.execute(sa.select(questions.c.matter).where(waits).distinct())).scalars().all()
            if not ids:
                return
            before = await _image(connection, ids)
            later = sa.update(matters).where(matters.c.id.in_(ids), matters.c.state == "later")
            await connection.execute(later.values(state="desk", answer=written))
            brought = {"reply": written, "told": False, "case_key": None}
            await connection.execute(sa.update(questions).where(waits).values(**brought))
            await self._keep_change(connection, briefing, "desk", before)


def program_of(asked: Sequence[Any]) -> str:
    """The one program that questions are about; "" where there are several or none."""
    programs = {program for question in asked if question.meaning for program in question.meaning["programs"]}
    return programs.pop() if len(programs) == 1 else ""


@dataclass
class _Doing:
    """An act under way: its matters, the one acted on first; `opened` is the id of a matter that it opens."""

    connection: AsyncConnection
    briefing: Briefing
    act: Act
    rows: Sequence[Any]
    opened: int | None = None

    async def set(self, **values: Any) -> None:
        """Sets something of the matter acted on."""
        await self.connection.execute(sa.update(matters).where(matters.c.id == self.rows[0].id).values(**values))

    def text(self, what: str, longest: int) -> str:
        """What the host wrote, refused where it is empty or too long."""
        written = self.act.text.strip()
        if not written or len(written) > longest:
            raise ActRefusedError(f"{what}は1文字から{longest:,}文字までで書いてください(今は{len(written):,}文字)。")
        return written


async def _set_flags(doing: _Doing) -> None:
    await doing.set(**_FLAGS[doing.act.name])


async def _reword(doing: _Doing) -> None:
    await doing.set(wording=doing.text("言い換え", 300))


async def _leave_for_later(doing: _Doing) -> None:
    """Left to the desk: the questions that the host has seen listed wait for what it writes."""
    matter = doing.rows[0]
    await doing.set(state="later")
    seen = sa.and_(questions.c.matter == matter.id, questions.c.id.in_(doing.act.questions))
    key = f"{NAME}-{matter.id}-{matter.version}"
    await doing.connection.execute(sa.update(questions).where(seen).values(case_key=key))


async def _answer(doing: _Doing) -> None:
    """A written answer, to those whose questions the host has seen listed."""
    written = doing.text("回答", 2000)
    await doing.set(state="written", answer=written)
    seen = sa.and_(questions.c.matter == doing.rows[0].id, questions.c.id.in_(doing.act.questions))
    await doing.connection.execute(sa.update(questions).where(seen).values(reply=written, told=False))


async def _answer_aloud(doing: _Doing) -> None:
    await doing.set(state="aloud", answer=doing.text("回答のメモ", 2000) if doing.act.text.strip() else "")


async def _merge(doing: _Doing) -> None:
    """The questions of all matters become those of the first."""
    into, *others = doing.rows
    if not others:
        raise ActRefusedError("まとめる質問を2つ以上選んでください。")
    moved = sa.update(questions).where(questions.c.matter.in_([row.id for row in others])).values(matter=into.id)
    await doing.connection.execute(moved)


async def _split(doing: _Doing) -> None:
    """Some questions of a matter become one of their own."""
    source = doing.rows[0]
    of_matter = sa.select(questions.c.id, questions.c.text).where(questions.c.matter == source.id, ~questions.c.wanted)
    listed = {row.id: row.text for row in await doing.connection.execute(of_matter)}
    chosen = [id for id in doing.act.questions if id in listed]
    if not chosen or len(chosen) == len(listed):
        raise ActRefusedError("分ける質問を、全部ではなく一部だけ選んでください。")
    doing.opened = await open_matter(doing.connection, doing.briefing, listed[chosen[0]])
    moved = sa.update(questions).where(questions.c.id.in_(chosen)).values(matter=doing.opened)
    await doing.connection.execute(moved)


async def _matters(connection: AsyncConnection, briefing: Briefing, seen: Mapping[int, int]) -> list[Any]:
    of_session = sa.and_(matters.c.briefing == briefing.id, matters.c.number.in_(tuple(seen)))
    found = {row.number: row for row in await connection.execute(sa.select(matters).where(of_session))}
    if found.keys() != seen.keys():
        raise ActRefusedError("この質問はもうありません。画面を読み込み直してください。")
    if any(found[number].version != version for number, version in seen.items()):
        raise ChangedMeanwhileError
    return [found[number] for number in seen]


async def _image(connection: AsyncConnection, ids: Sequence[int]) -> _Image:
    """What undoes an act on these matters."""
    rows = await connection.execute(sa.select(matters).where(matters.c.id.in_(ids)))
    of_matters = {str(row.id): {name: getattr(row, name) for name in _KEPT_OF_MATTER} for row in rows}
    asked = await connection.execute(sa.select(questions).where(questions.c.matter.in_(ids)))
    of_questions = {str(row.id): {name: getattr(row, name) for name in _KEPT_OF_QUESTION} for row in asked}
    return {"matters": of_matters, "questions": of_questions}


async def _forget_oldest(connection: AsyncConnection, briefing: Briefing) -> None:
    of_session = changes.c.briefing == briefing.id
    oldest_kept = sa.select(changes.c.id).where(of_session).order_by(changes.c.id.desc()).offset(_CHANGES_KEPT).limit(1)
    too_old = changes.c.id <= oldest_kept.scalar_subquery()
    await connection.execute(sa.delete(changes).where(of_session, too_old))
