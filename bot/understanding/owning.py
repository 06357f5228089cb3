"""Of whom, and of when, something is said: the owner and the time of any place in a message."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from bot.types import When, Whose
from bot.understanding.bodies import GOVERNMENTS, Body, Part
from bot.understanding.denying import taken_back
from bot.understanding.message import Clause, Message
from knowledge.figures import Figure
from knowledge.lexicon import Mention

_OWNS = frozenset(
    {Part.APPLICANT, Part.MEMBER, Part.PLACE, Part.CONTAINER, Part.PARTNER, Part.INVESTOR, Part.CONSULTED}
)


_FOCUSED = frozenset({Part.APPLICANT, Part.OWNER, Part.CONSULTED, Part.MEMBER})


@dataclass(frozen=True)
class Owner:
    """Whose a reading is, and the body where one is named. Nothing named: the one who asks."""

    whose: Whose = Whose.WRITER
    body: Body | None = None


@dataclass(frozen=True)
class Scene:
    """A message with its bodies, and the one that would apply: what readings are held against."""

    message: Message
    bodies: tuple[Body, ...]
    applicants: tuple[Body, ...]

    @cached_property
    def taken_back(self) -> frozenset[Figure]:
        """The figures of the message that it takes back for others."""
        return taken_back(self.message)

    @property
    def applicant(self) -> Body | None:
        """The body that would apply; None where none is named or several are."""
        return self.applicants[0] if len({(body.kind, body.name) for body in self.applicants}) == 1 else None

    def owner_at(self, start: int, end: int) -> Owner:
        """Whose what stands at these characters is: bound to the body after it (0.42の町) or the nearest before it."""
        clause = self.message.clause_at(start)
        return (
            self._bound_to(end, clause)
            or self._in_focus(start)
            or self._said_before(start, clause)
            or self._inherited(clause)
        )

    def _bound_to(self, end: int, clause: Clause) -> Owner | None:
        joint = self.message.text[end : end + 1]
        for body in self.bodies:
            begins = min(
                (m.start for m in self.message.saying("other", "self", "anaphor", start=end, end=body.start)),
                default=body.start,
            )
            if begins == end + 1 and joint == "の" and body.end <= clause.end:
                return Owner(body.whose, body)
        return None

    def _in_focus(self, start: int) -> Owner | None:
        """The one that is set in focus after what is said of it: 推薦をもらったのは親会社です."""
        focus = self.message.focus_after(start)
        told = self.message.told_of(focus) if focus else None
        if focus is None or told is None or self.message.says("self", start=told[0], end=focus):
            return None
        bodies = [b for b in self.bodies if b.part in _FOCUSED and self.message.told_of(b.start) == told]
        if bodies:
            return Owner(bodies[-1].whose, bodies[-1])
        words = self.message.saying("self", "other", start=focus, end=self.message.clause_at(start).end)
        return Owner(Whose.WRITER if "self" in words[-1].concepts else Whose.ANOTHER) if words else None

    def is_said_of_another_alone(self, start: int, owner: Owner) -> bool:
        """Whether it is said to hold of another body and so not of the applicant: 共同事業をしているのは親会社だけ."""
        only = self.message.in_clause(self.message.clause_at(start), "only")
        return bool(only) and owner == self._in_focus(start) and not self.is_the_applicants(owner)

    def _said_before(self, start: int, clause: Clause) -> Owner | None:
        """The nearest body or word for somebody (うち, 隣) that stands before a place in its clause."""
        bodies = [
            body for body in self.bodies if clause.start <= body.start and body.end <= start and body.part in _OWNS
        ]
        words = self.message.saying("self", "other", "member", "seat", "place", start=clause.start, end=start)
        bare = [
            m
            for m in words
            if not any(m.start <= b.start and self.message.text[m.end : b.start] in ("", "の") for b in self.bodies)
        ]
        if bare and (not bodies or bare[-1].start > bodies[-1].start):
            concepts = bare[-1].concepts
            if "other" in concepts and self._is_of_a_thing(bare[-1].end):
                return None  # 別の日に, 他の取り組み: another thing, and nobody else
            if "self" in concepts:
                return Owner(Whose.WRITER)
            if concepts & {"place"}:
                return Owner(Whose.PLACE)
            return Owner(Whose.MEMBER if "member" in concepts else Whose.ANOTHER)
        if not bodies:
            return None
        return Owner(bodies[-1].whose, bodies[-1])

    def _is_of_a_thing(self, end: int) -> bool:
        rest = self.message.text[end : end + 3].removeprefix("の")
        return rest.startswith(("日", "時", "機会", "回", "件", "月", "年")) or self.message.says(
            "project", "adviser_person", start=end, end=end + 6
        )

    def _inherited(self, clause: Clause) -> Owner:
        """What the clause before it was about, where the sentence only goes on (隣の市は町で、1.3です)."""
        if not clause.number:
            return Owner()
        before = self.message.clauses[clause.number - 1]
        anaphor = self.message.in_clause(clause, "anaphor")
        if before.sentence != clause.sentence and not anaphor:
            return Owner()
        if before.ends == "against" and not anaphor:
            return Owner()
        return self._said_before(before.end, before) or (
            self._inherited(before) if before.sentence == clause.sentence else Owner()
        )

    def is_the_applicants(self, owner: Owner) -> bool:
        """Whether what is said of this owner is said of the body that would apply."""
        applicant = self.applicant
        if owner.body is None or applicant is None:
            return owner.whose is Whose.WRITER
        if owner.body is applicant or (owner.body.kind, owner.body.name) == (applicant.kind, applicant.name):
            return True
        return (
            owner.whose is Whose.WRITER
            and applicant.whose is Whose.WRITER
            and owner.body.part is Part.APPLICANT
            and owner.body.kind == applicant.kind
        )

    def time_at(self, start: int, end: int) -> When:
        """Of when what stands there is said: the nearest word for a time in its clause, before it or bound to it."""
        clause = self.message.clause_at(start)
        words = self.message.saying("before", "now", "later", start=clause.start, end=start)
        years = [
            d
            for d in self.message.days
            if clause.start <= d.start and d.end <= start and d.precision in ("fiscal_year", "year")
        ]
        if noted := self._noted(end):
            return noted
        after = self.message.text[end : end + 8]
        bound = self.message.saying("before", start=end, end=end + 8)
        if bound and after.startswith(("だった", "の", "であった")) and bound[0].start - end <= 4:
            return When.BEFORE
        if self._is_dated_after(clause, end):
            return When.BEFORE
        if years and (not words or years[-1].start >= words[-1].start):
            return When.BEFORE if years[-1].last_on < self.message.as_of else When.NOW
        if not words:
            return When.BEFORE if self._is_told_of_then(clause, start) else When.NOW
        return _when(words[-1])

    def _noted(self, end: int) -> When | None:
        """Of when something is by the word in brackets behind it: 8(前回)、7(今回)."""
        words = self.message.saying("before", "now", "later", start=end + 1, end=end + 8)
        noted = words and self.message.text.startswith("(", end) and words[0].start == end + 1
        return _when(words[0]) if noted else None

    def _is_dated_after(self, clause: Clause, end: int) -> bool:
        """Whether the next clause says that this was of an earlier time: 0.4やったけど、それは令和6年度の話で."""
        following = self.message.clauses[clause.number + 1 : clause.number + 2]
        if not following or self.message.clause_at(end - 1) is not clause:
            return False
        then = following[0]
        refers = self.message.in_clause(then, "that")
        years = [d for d in self.message.days if then.start <= d.start < then.end and d.last_on < self.message.as_of]
        return bool(refers) and bool(years or self.message.in_clause(then, "before"))

    def _is_told_of_then(self, clause: Clause, start: int) -> bool:
        """Whether it is told of a time that is past: 受かったとき, 選ばれた時."""
        tokens = self.message.tokens_between(clause.start, start)
        return any(then.key in ("時", "際", "頃") and past.key == "た" for past, then in pairwise(tokens))


def _when(word: Mention) -> When:
    return When.BEFORE if "before" in word.concepts else When.LATER if "later" in word.concepts else When.NOW


def choose_applicants(message: Message, bodies: tuple[Body, ...], known: str) -> tuple[Body, ...]:
    """The bodies that would apply: those that are asked about, else the writer, else the only one that is left.

    `known` is the kind that the conversation knows to apply, or "": then only a body that is plainly put in its place
    counts.

    Several are given back where the message puts several forward with equal right.
    """
    able = [body for body in bodies if body.part is Part.APPLICANT and not _is_denied(message, body)]
    able = [body for body in able if not _is_no_longer(message, body, able)]
    corrected = len(able) < len([body for body in bodies if body.part is Part.APPLICANT])
    if known and not corrected:
        related = message.says("invest", "recommend", "together", "get", "lose")
        short = len(message.text) <= _A_TURN and not related
        able = [b for b in able if b.kind == known or not _is_told_beside(message, b)]
        able = [b for b in able if b.plainly or short or _is_put_in_place(message, b)]
    if any(body.kind == "unincorporated" for body in able):
        return tuple(body for body in able if body.kind == "unincorporated")[:1]
    providers = [body for body in able if body.kind == "support_provider" and _applies_as(message, body)]
    if providers:
        return (providers[0],)
    able = [body for body in able if body.kind != "support_provider"]
    if any(body.kind not in GOVERNMENTS and body.whose is Whose.WRITER for body in able):
        able = [body for body in able if body.kind not in GOVERNMENTS or body.plainly or body.topic]
    if any(not _is_any(message, body) for body in able):
        able = [
            body
            for body in able
            if not _is_any(message, body) or (body.plainly and body.whose is Whose.WRITER and not _as(message, body))
        ]
    asked = [body for body in able if body.topic and _is_asked_about(message, body)]
    own = [body for body in able if body.applies] or [body for body in able if body.plainly]
    if any(body.whose is Whose.WRITER for body in asked) or _speaks_of_itself(message):
        asked = [body for body in asked if body.whose is Whose.WRITER]
    if asked and own and all(body.whose is not Whose.WRITER or body.kind != own[-1].kind for body in asked):
        explicit = [
            body for body in asked if body.whose is Whose.ANOTHER or body.kind not in ("prefecture", "municipality")
        ]
        return tuple(explicit) or (own[-1],)
    if own:
        return (own[-1],)
    own = [body for body in able if body.whose is Whose.WRITER]
    alone = [body for body in able if body.topic] if len(able) == 1 and len(message.text) <= 2 * _A_TURN else []
    return _without_context(asked or own or alone)


def _is_told_beside(message: Message, body: Body) -> bool:
    """Whether a body is only set against the one of which it is asked: 県は1.1ですが、大丈夫?"""
    asked = any(number > body.clause.number for number in message.asking)
    pointed = message.says("anaphor", "that", start=body.clause.end)
    own = body.plainly or message.in_clause(body.clause, "self")
    return body.topic and body.clause.ends == "against" and asked and not (own or pointed)


def _is_put_in_place(message: Message, body: Body) -> bool:
    """Whether the question is turned to this body: では市が出資している第三セクターなら."""
    supposed = message.text.startswith(("なら", "だと", "だったら", "の場合"), body.end)
    return supposed or (body.topic and _is_asked_about(message, body))


def _is_any(message: Message, body: Body) -> bool:
    """Whether the word is for local governments at large, and for none of a kind of its own."""
    return message.text[body.start : body.end] in (
        "自治体",
        "地方公共団体",
        "市町村",
        "市区町村",
        "地方自治体",
        "都道府県",
    )


def _as(message: Message, body: Body) -> bool:
    return message.text[body.end : body.end + 3] == "として"


def _speaks_of_itself(message: Message) -> bool:
    """Whether the writer is set beside others as the one that the question is about (うちは, 当方も)."""
    return any(
        message.text[m.end : m.end + 1] in ("は", "も", "が", "、", "で", "って") or "municipality" in m.concepts
        for m in message.saying("self")
    )


def _without_context(bodies: list[Body]) -> tuple[Body, ...]:
    """Beside a body that is none, a local government is spoken of for its index or its area, and does not apply."""
    others = [body for body in bodies if body.kind not in GOVERNMENTS]
    return tuple(others or bodies)


_A_TURN = 16
"""A message of at most so many characters that names a body turns the question to it (NPOだと?)."""


def _is_denied(message: Message, body: Body) -> bool:
    """Whether it is said that this is not the body: 市ではなく県です."""
    after = [
        t
        for t in message.tokens_between(body.end, body.clause.end)
        if t.surface not in ("から", "と", "し", "て", "の")
    ][:4]
    keys = ["だ" if token.key == "や" else token.key for token in after]
    return keys[:1] == ["だ"] and "無い" in keys


def _is_no_longer(message: Message, body: Body, others: list[Body]) -> bool:
    """Whether the writer was this body once and is another now: 第三セクターでしたが、今は株式会社です."""
    was = message.text.startswith(("でしたが", "だったが", "でしたけど", "だったけど", "だったのですが"), body.end)
    return was and any(message.says("now", start=other.clause.start, end=other.start) for other in others)


def _applies_as(message: Message, body: Body) -> bool:
    """Whether it is the part of a 伴走支援事業者 that somebody wants to take."""
    after = message.tokens_between(body.end, body.clause.end)
    text = "".join(token.surface for token in after[:4])
    if text.startswith(("として", "に", "です", "だ", "側", "をやり", "を目指")):
        return True
    if message.text[body.end : body.end + 3].startswith(("の候補", "の公募", "の募集", "候補", "の立場")):
        return True
    return body.topic and message.says("apply", "can", "eligible", start=body.end, end=body.clause.end)


def _is_asked_about(message: Message, body: Body) -> bool:
    """Whether the sentence with the body asks whether something can be done, or nothing else is said of it."""
    sentence = [clause for clause in message.clauses if clause.sentence == body.clause.sentence]
    if message.asking:
        return any(clause.number in message.asking for clause in sentence)
    return message.says("can", "eligible", start=body.end, end=sentence[-1].end)
