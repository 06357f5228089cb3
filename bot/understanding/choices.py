"""Reads the facts that are one of a few: how one meets, together or alone, the same project or another, which year."""

from collections.abc import Iterator
from dataclasses import replace

from bot.types import Reading, When, Whose
from bot.understanding.bodies import Part
from bot.understanding.denying import denials, is_contrasted
from bot.understanding.message import Message
from bot.understanding.owning import Scene
from knowledge.figures import Day, fiscal_year_of, latest
from knowledge.lexicon import Mention
from knowledge.types import Fact


def read_choices(scene: Scene, asks_for_repeat: bool) -> Iterator[Reading]:
    """What the message says of the way of meeting, of applying together, and of an earlier dispatch."""
    for reading in (
        *_meeting_mode(scene),
        *_partnership(scene),
        *_same_project(scene),
        *_dispatch_year(scene, asks_for_repeat),
    ):
        owner = scene.owner_at(reading.start, reading.end)
        of_another = owner.whose is Whose.ANOTHER and (owner.body is None or owner.body.part is Part.APPLICANT)
        ours = scene.is_the_applicants(owner) or not of_another
        yield reading if ours else replace(reading, whose=Whose.ANOTHER)


def _reading(fact: Fact, value: str, start: int, end: int) -> Reading:
    return Reading(fact, value, start, end, by=f"facts.yaml: {fact}")


def _meeting_mode(scene: Scene) -> Iterator[Reading]:
    message = scene.message
    online, on_site = (
        [
            m
            for m in message.saying(concept)
            if scene.owner_at(m.start, m.end).whose is not Whose.ANOTHER
            or scene.is_the_applicants(scene.owner_at(m.start, m.end))
        ]
        for concept in ("online", "on_site")
    )
    if not online and not on_site:
        return
    denied = [m for m in on_site if denials(message, m.end, min(m.end + 8, message.clause_at(m.start).end)) % 2]
    if (
        online
        and any(message.text[m.end :].startswith(("も", "の場合も", "だと", "なら", "の場合は")) for m in online)
        and message.says("how_long")
    ):
        return
    if online:
        first = online[0]
        exclusive = any(
            message.says("only", start=m.end, end=m.end + 8)
            or message.says("all", start=max(0, m.start - 8), end=m.end + 8)
            for m in online
        )
        both = on_site and not denied
        if exclusive and not both:
            yield _reading(Fact.MEETING_MODE, "online", first.start, first.end)
            return
        if not both and (denied or any(f.dimension == "hour" for f in message.figures) or message.says("how_long")):
            yield _reading(Fact.MEETING_MODE, "online", first.start, first.end)
            return
        if both and not _asks_for_each(scene):
            yield _reading(Fact.MEETING_MODE, "on_site", on_site[0].start, on_site[0].end)
        return
    if on_site and not denied:
        yield _reading(Fact.MEETING_MODE, "on_site", on_site[0].start, on_site[0].end)


def _asks_for_each(scene: Scene) -> bool:
    """Whether it is asked what holds on site and what on line (現地なら何日、オンラインなら何時間)."""
    message = scene.message
    return message.says("how_long", "how_much", "difference", "which") or not any(
        f.dimension in ("day", "hour") for f in message.figures
    )


def _partnership(scene: Scene) -> Iterator[Reading]:
    message = scene.message
    for mention in message.saying("alone"):
        clause = message.clause_at(mention.start)
        if denials(message, mention.end, min(mention.end + 6, clause.end)) % 2 == 0:
            yield _reading(Fact.PARTNERSHIP, "alone", mention.start, mention.end)
    for mention in message.saying("only"):
        before = [b for b in scene.bodies if b.end <= mention.start and mention.start - b.end <= 1]
        own = message.saying("self", start=max(0, mention.start - 3), end=mention.start)
        after = message.text[mention.end : mention.end + 3]
        if (
            (before or own)
            and not after.startswith(("じゃ", "でな", "では", "でも"))
            and not message.says("online", start=max(0, mention.start - 8), end=mention.start)
        ):
            yield _reading(Fact.PARTNERSHIP, "alone", mention.start, mention.end)
    joins = message.saying("through")
    if (
        joins
        and any(b.kind == "prefecture" and b.part is not Part.CHANNEL for b in scene.bodies)
        and scene.applicant
        and scene.applicant.kind in ("municipality", "special_ward")
    ):
        yield _reading(Fact.PARTNERSHIP, "joint", joins[0].start, joins[0].end)
    for body in scene.bodies:
        if body.kind == "prefecture" and message.text[body.end : body.end + 2] in ("抜き", "なし", "ぬき"):
            yield _reading(Fact.PARTNERSHIP, "alone", body.start, body.end + 2)
        if body.part is Part.CHANNEL:
            denied = denials(message, body.end, body.clause.end) % 2
            yield _reading(Fact.PARTNERSHIP, "alone" if denied else "joint", body.start, body.end)
    for mention in message.saying("together", "joins"):
        clause = message.clause_at(mention.start)
        with_somebody = (
            any(
                b.part is Part.PARTNER
                and b.clause.number == clause.number
                and b.end <= mention.start
                and b.kind in ("prefecture", "municipality")
                for b in scene.bodies
            )
            or message.says("through", start=mention.end, end=clause.end)
            or any(
                f.dimension == "municipality" and f.end <= mention.start and f.start >= clause.start
                for f in message.figures
            )
        )
        asked = [
            m for m in message.saying("apply", "can", start=mention.end, end=clause.end) if "joins" not in m.concepts
        ]
        denied = denials(message, mention.end, asked[0].start if asked else clause.end) % 2
        nobody = denied and message.says("partners", start=clause.start, end=mention.start)  # どの市町村とも連携しない
        if with_somebody or nobody:
            yield _reading(Fact.PARTNERSHIP, "alone" if denied else "joint", mention.start, mention.end)


def _same_project(scene: Scene) -> Iterator[Reading]:
    message = scene.message
    kinds: dict[str, tuple[int, int]] = {}
    for clause in message.clauses:
        for mention in message.in_clause(clause, "same", "different", "together"):
            word = message.text[mention.start : mention.end]
            if word in ("別件", "別個"):
                kinds.setdefault("other_project", (mention.start, mention.end))
                continue
            if word in ("他", "ほか", "外の") and not message.says(
                "adviser_person", "project", start=mention.end, end=mention.end + 8
            ):
                continue
            if mention.concepts.isdisjoint(("same", "different")):
                thing = _said_of(message, mention)
            elif word.startswith(("変", "替", "違", "異")):
                before = message.saying(
                    "adviser_person", "project", start=max(clause.start, mention.start - 14), end=mention.start
                )
                after = message.saying("adviser_person", "project", start=mention.end, end=mention.end + 5)
                thing = before if before and mention.start - before[-1].end <= 2 else after[:1]
            else:
                goes_on = message.text.startswith("、", mention.end)  # 前回と同じ、防災アプリの件です
                end = len(message.text) if goes_on else clause.end
                thing = message.saying("adviser_person", "project", start=mention.end, end=min(mention.end + 10, end))[
                    :1
                ] or _said_of(message, mention)
                thing = () if thing and any(mention.end <= b.start < thing[0].start for b in scene.bodies) else thing
            for found in thing:
                who = "adviser" if "adviser_person" in found.concepts else "project"
                how = "other" if "different" in mention.concepts else "same"
                if is_contrasted(message, found.end):
                    continue
                changed = word.startswith(("変", "替", "違"))
                is_not = message.text.startswith(("ではな", "ではあり", "じゃな", "じゃあり"), found.end)
                if (changed or is_not) and denials(message, mention.end, clause.end) % 2:
                    how = "other" if how == "same" else "same"
                kinds.setdefault(f"{how}_{who}", (min(mention.start, found.start), max(mention.end, found.end)))
    for who in ("adviser", "project"):
        _keep_the_last(kinds, f"same_{who}", f"other_{who}")
    if one := message.saying("one_project"):
        kinds.setdefault("same_project", (one[0].start, one[0].end))
    if "other_project" in kinds:
        yield _reading(Fact.SAME_PROJECT, "other_project", *kinds["other_project"])
    elif "other_adviser" in kinds:
        yield _reading(Fact.SAME_PROJECT, "other_adviser", *kinds["other_adviser"])
    elif "same_project" in kinds and ("same_adviser" in kinds or _is_the_adviser_again(scene)):
        yield _reading(Fact.SAME_PROJECT, "same", *kinds["same_project"])
    elif one_of_both := kinds.get("same_adviser") or kinds.get("same_project"):
        yield _reading(Fact.SAME_PROJECT, "unknown", *one_of_both)


def _said_of(message: Message, mention: Mention) -> tuple[Mention, ...]:
    """The thing of which it is said at the end of a clause that it is the same: 先生は一緒, 案件も同じです."""
    clause = message.clause_at(mention.start)
    things = message.saying("adviser_person", "project", start=clause.start, end=mention.start)[-1:]
    ends = len(message.text[mention.end : clause.end].rstrip("。、?")) <= _AN_ENDING
    return things if ends and things and message.text[things[0].end : mention.start] in ("は", "も", "が") else ()


_AN_ENDING = 4
"""Characters of a verb that ends a clause: です, でした, だよ."""


def _keep_the_last(kinds: dict[str, tuple[int, int]], one: str, other: str) -> None:
    """Of two that cannot both be, what was said last is meant: 別の人と思ったら同じ先生でした."""
    if one in kinds and other in kinds:
        del kinds[min(one, other, key=lambda kind: kinds[kind])]


def _is_the_adviser_again(scene: Scene) -> bool:
    """Whether an adviser is to come again: 来てもらった先生にもう一回. The name of the program names none."""
    message = scene.message
    persons = [m for m in message.saying("adviser_person") if not message.text.startswith(_OF_THE_PROGRAM, m.end)]
    again = {message.clause_at(mention.start).sentence for mention in message.saying("again")}
    return any(message.clause_at(person.start).sentence in again for person in persons)


_OF_THE_PROGRAM = ("派遣", "制度", "事業")


def _is_past(scene: Scene, day: Day) -> bool:
    """Whether a month or day is over: by its year where that is said (昨年12月), else by the words before it."""
    if day.every is None:
        return day.last_on < scene.message.as_of
    return scene.time_at(day.start, day.end) is When.BEFORE


def _dispatch_year(scene: Scene, asks_for_repeat: bool) -> Iterator[Reading]:
    message = scene.message
    months = [d for d in message.days if d.precision in ("day", "month")]
    earlier = [d for d in months if _is_past(scene, d)] or months[:1]
    told = bool(earlier) and (len(months) > 1 or _is_past(scene, earlier[0]))
    if earlier and told and message.says("same", "again", "project"):
        then = [d for d in months if d.start > earlier[0].start]
        last = earlier[0] if then else latest(earlier[0], message.as_of)
        year = fiscal_year_of(then[-1].first_on if then else message.as_of)
        same = fiscal_year_of(last.last_on) == year
        yield _reading(Fact.DISPATCH_YEAR, "same" if same else "later", earlier[0].start, earlier[0].end)
        return
    if not asks_for_repeat and not (
        message.says("again", "same") and message.says("adviser_person", "dispatch", "on_site", "project")
    ):
        return
    for concept, value in (("next_year", "later"), ("within_year", "same")):
        found = [m for m in message.saying(concept) if not any(d.start <= m.start < d.end for d in months)]
        if found:  # 来年2月 may be of this fiscal year: a calendar tells it
            yield _reading(Fact.DISPATCH_YEAR, value, found[0].start, found[0].end)
            return
    last_year = [d for d in message.days if d.precision in ("fiscal_year", "year") and d.last_on < message.as_of]
    often = [f for f in message.figures if f.dimension == "time" and f.value > 1 and message.says("apply")]
    if often and message.says("per_year", "within_year") and not last_year:
        yield _reading(Fact.DISPATCH_YEAR, "same", often[0].start, often[0].end)
        return
    this_year = [
        d for d in message.days if d.precision in ("fiscal_year", "year") and d.first_on <= message.as_of <= d.last_on
    ]
    if last_year and message.says("again", "same"):
        yield _reading(Fact.DISPATCH_YEAR, "later", last_year[0].start, last_year[0].end)
    elif this_year and message.says("again"):
        yield _reading(Fact.DISPATCH_YEAR, "same", this_year[0].start, this_year[0].end)
