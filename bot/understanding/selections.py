"""Reads whether the applicant was selected before, applied and was not, or never did (T30)."""

from collections.abc import Iterator

from bot.types import Reading, When
from bot.understanding.denying import is_denied
from bot.understanding.message import Clause
from bot.understanding.owning import Scene
from bot.understanding.standing import Held, Holding, Relation, Standing
from knowledge.figures import Dimension
from knowledge.lexicon import Mention
from knowledge.types import Fact

_SELECTED = Relation("selection", ("get",), awaited=False)

_NOT_ONCE = ("一度も", "1度も", "一回も", "1回も", "一切")
_NO_EVENT = ("率", "方", "基", "結", "通", "時期", "の方", "の基", "者", "団体数")
_DONE = ("た", "て", "れ", "さ", "済", "ず")
_PLAINLY_REJECTED = ("不採択", "落選", "不選定", "選外")
_A_VERB = 6
_THIRD = 3
_OTHERS = (Dimension.OTHER, Dimension.CASE, Dimension.PEOPLE)


class SelectionReader:
    """Reads the earlier selections that one message tells of, of whomever."""

    def __init__(self, scene: Scene) -> None:
        """Takes a message with its bodies."""
        self._message = scene.message
        self._bodies = scene.bodies
        self._standing = Standing(scene)

    def read(self) -> Iterator[Reading]:
        """Every earlier selection, rejection or first time that the message states."""
        yield from self._first_times()
        yield from self._later_times()
        yield from self._selections()
        yield from self._applications()
        yield from self._carried_out()
        yield from self._rejections()
        yield from self._years_in_a_row()

    def _event(self, value: str, start: int, end: int) -> Reading:
        return self._standing.reading(Fact.PAST_SELECTION, value, start, end, When.BEFORE)

    def _words(self, mention: Mention) -> str:
        return self._message.text[mention.start : mention.end]

    def _first_times(self) -> Iterator[Reading]:
        """初めて, 初応募; 初めてではない is a selection, かもしれない leaves it open."""
        for mention in self._message.saying("first_time"):
            clause = self._message.clause_at(mention.start)
            of_another = self._message.in_clause(clause, "selection", "rejected", "passed") and "初" not in self._words(
                mention
            )
            if of_another or self._words(mention) in _NOT_ONCE:
                continue
            if self._is_of_another_thing(mention) or self._is_counted(mention):
                continue
            doubtful = self._message.says("perhaps", "unknown", start=mention.end, end=clause.end)
            denied = is_denied(self._message, mention.end, clause.end) and "deny" not in mention.concepts
            yield self._event("unknown" if doubtful else "selected" if denied else "never", mention.start, mention.end)

    def _later_times(self) -> Iterator[Reading]:
        """2回目の県だったら: of a body that applies again it is not told whether it was selected (T30)."""
        for mention in self._message.saying("again"):
            of_a_body = any(0 <= body.start - mention.end <= 1 for body in self._bodies)
            if self._words(mention).endswith("目") and of_a_body:
                yield self._event("unknown", mention.start, mention.end)

    def _is_of_another_thing(self, mention: Mention) -> bool:
        """Whether something else is done for the first time than to apply: 初めて調べています."""
        following = self._message.tokens_between(mention.end, mention.end + _A_VERB)[:1]
        applies = self._message.says(
            "applied", "apply", "passed", "selection", start=mention.end, end=mention.end + _A_VERB
        )
        return bool(following) and following[0].pos == "動詞" and not applies

    def _is_counted(self, mention: Mention) -> bool:
        """Whether it is told how many there were at the first time of several: 初回が9、次は13."""
        return any(mention.end < figure.start <= mention.end + 1 for figure in self._message.figures)

    def _selections(self) -> Iterator[Reading]:
        for held in self._standing.held(_SELECTED):
            clause = self._message.clause_at(held.mention.start)
            if self._is_no_event(held, clause) or self._is_to_come(held, clause):
                continue
            value = {Holding.DENIED: "never", Holding.UNKNOWN: "unknown", Holding.AWAITED: "unknown"}
            yield self._event(value.get(held.holding, "selected"), held.mention.start, held.end)

    def _is_no_event(self, held: Held, clause: Clause) -> bool:
        """Whether selection is only spoken of (採択率), or told of others by their number (選ばれた7都道府県)."""
        end = held.mention.end
        after = self._message.text[end : end + 2]
        counted = any(end <= f.start <= end + 2 and f.dimension in _OTHERS for f in self._message.figures)
        if after.startswith(_NO_EVENT) or counted or self._message.in_clause(clause, "asks_open"):
            return True
        earlier = self._standing.is_of_before(held.mention.start)
        told = after.startswith(_DONE) or self._standing.is_past(end, held.end) or earlier
        return held.holding is Holding.SILENT and not told

    def _is_to_come(self, held: Held, clause: Clause) -> bool:
        """Whether it is asked how one is selected, not told that one was (選ばれるには, 採択されたら, 選ばれたい)."""
        following = self._message.tokens_between(held.mention.end, held.end)
        if any(token.key == "たい" for token in following[:3]):
            return True
        if any(token.key == "た" for token in following):
            return False
        after = self._message.text[held.mention.end : held.mention.end + 4]
        if "歴" in self._words(held.mention) or after.startswith(("実績", "経験", "歴")):
            return False
        if any(form in after for form in ("たら", "れば", "ると", "た後", "たあと")):
            return not self._message.says("before", start=clause.start, end=held.mention.start)
        done = any(form in after for form in ("た", "て", "済", "あり"))
        return (
            not done
            and not self._message.in_clause(clause, "before")
            and not self._standing.is_of_before(held.mention.start)
        )

    def _applications(self) -> Iterator[Reading]:
        """一回も出したことがない; 応募したけどだめだった."""
        for mention in self._message.saying("applied", "passed"):
            clause = self._message.clause_at(mention.start)
            following = [t.key for t in self._message.tokens_between(mention.end, mention.end + 4)]
            if "た" not in following:
                continue
            ever = "こと" in following or self._message.says("first_time", start=clause.start, end=mention.start)
            if ever and is_denied(self._message, mention.end, clause.end):
                yield self._event("never", mention.start, mention.end)
            failed = self._message.saying("failed", start=mention.end, end=self._end_of_sentence(clause))
            if "applied" in mention.concepts and failed and self._standing.is_past(failed[0].end, failed[0].end + 4):
                yield self._event("applied_not_selected", mention.start, failed[0].end)

    def _carried_out(self) -> Iterator[Reading]:
        """Who did it before with so many municipalities was selected: 前回20市町村でやった."""
        for figure in self._message.figures:
            clause = self._message.clause_at(figure.start)
            told = self._message.says("before", start=clause.start, end=figure.start)
            if figure.dimension is not Dimension.MUNICIPALITY or not told:
                continue
            for done in self._message.saying("work", start=figure.end, end=clause.end):
                with_them = self._message.text[figure.end : done.start] in ("で", "と", "で事業を", "と事業を")
                if with_them and self._standing.is_past(done.end, done.end + 2):
                    yield self._event("selected", figure.start, done.end)

    def _end_of_sentence(self, clause: Clause) -> int:
        following = self._message.clauses[clause.number + 1 : clause.number + 2]
        return following[0].end if following and following[0].sentence == clause.sentence else clause.end

    def _years_in_a_row(self) -> Iterator[Reading]:
        """A third year or a later one, of which the documents do not speak (T19): 3年目, 3年連続で, 三年続けて."""
        for figure in self._message.figures:
            written = self._message.text[figure.start : figure.end]
            running = self._message.text.startswith(("連続", "続"), figure.end) and "年" in written
            years = figure.value / 12 if figure.dimension is Dimension.MONTH else figure.value
            if (running or written.endswith("年目")) and years >= _THIRD:
                by = f"facts.yaml: {Fact.YEARS_IN_A_ROW}"
                yield Reading(Fact.YEARS_IN_A_ROW, "third", figure.start, figure.end, by=by)

    def _rejections(self) -> Iterator[Reading]:
        for mention in self._message.saying("rejected"):
            clause = self._message.clause_at(mention.start)
            start = max(0, clause.start - 12)
            about = self._message.says("apply", "selection", "before", start=start, end=clause.end)
            if about or self._words(mention) in _PLAINLY_REJECTED:
                yield self._event("applied_not_selected", mention.start, mention.end)
