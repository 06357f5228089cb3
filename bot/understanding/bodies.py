"""The bodies that a message speaks of: their kind, whose they are, and what part each plays.

A town that recommends, invests, is consulted or is the place of the work is no applicant, whatever else is said of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from bot.types import Whose
from bot.understanding.message import Clause, Message
from knowledge.figures import Dimension, Figure
from knowledge.lexicon import Mention, Token
from knowledge.municipalities.places import Place

_IN_PLACE_OF = ("ではなく", "ではなくて", "じゃなく", "じゃなくて", "でなく")

_KINDS = (
    "support_provider",
    "unincorporated",
    "regional_bureau",
    "national_agency",
    "local_government_association",
    "special_ward",
    "invested_corporation",
    "cooperative",
    "nonprofit",
    "voluntary_group",
    "company",
    "individual",
    "prefecture",
    "municipality",
)
"""Concepts that are kinds of bodies; of a word that says two, the first counts."""

GOVERNMENTS = frozenset({"prefecture", "municipality", "special_ward", "local_government_association"})
_GIVING = GOVERNMENTS | {"regional_bureau"}
"""Whose recommendation counts. Of other bodies it must be plain that they do and are not the ones that apply."""


class Part(StrEnum):
    """What part a body plays in the matter of a message."""

    APPLICANT = "applicant"
    RECOMMENDER = "recommender"
    INVESTOR = "investor"
    PARTNER = "partner"
    CHANNEL = "channel"
    CONSULTED = "consulted"
    CONTAINER = "container"
    OWNER = "owner"
    PLACE = "place"
    MEMBER = "member"
    SOUGHT = "sought"


@dataclass(frozen=True)
class Body:
    """A body that is spoken of.

    `plainly` tells that it is said to be the writer, `applies` that it is said to apply, `topic` that the clause is
    about it. `name` tells bodies of one kind apart (a市, 隣, 飯南町), "" where nothing does.
    """

    kind: str
    start: int
    end: int
    clause: Clause
    whose: Whose
    part: Part
    plainly: bool
    topic: bool
    applies: bool
    name: str
    place: Place | None = None


def find_bodies(message: Message) -> tuple[Body, ...]:
    """The bodies of a message in order. Counted ones (12市町村) are figures and none of these."""
    found = []
    named = {place.end: place for place in message.places}
    for mention in message.mentions:
        kind = next((kind for kind in _KINDS if kind in mention.concepts), "")
        if kind and not _is_part_of_a_name(message, mention):
            found.append(_read_body(message, kind, mention.start, mention.end, mention, None))
    for place in named.values():
        if not message.text[place.end : place.end + 1] or not _names_a_body(message, place):
            kind = {"prefecture": "prefecture", "special_ward": "special_ward"}.get(
                place.candidates[0].kind, "municipality"
            )
            found.append(_read_body(message, kind, place.start, place.end, None, place))
    found.sort(key=lambda body: body.start)
    found = _with_the_recommended(message, [_within_its_owner(message, found, at) for at in range(len(found))])
    for at in range(len(found) - 1, 0, -1):
        body, following = found[at - 1], found[at]
        between = message.text[body.end : following.start]
        alike = {body.kind, following.kind} <= GOVERNMENTS
        goes_with = between in _IN_PLACE_OF or (alike and between in ("や", "・", "、", "と", "及び", "および", "か"))
        if goes_with and body.part is Part.APPLICANT and not body.plainly:
            found[at - 1] = replace(body, part=following.part, whose=following.whose, topic=following.topic)
    return tuple(found)


def _within_its_owner(message: Message, bodies: list[Body], at: int) -> Body:
    """An office of a local government is that local government: 県の出先機関."""
    body, owner = bodies[at], bodies[max(at - 1, 0)]
    owned = owner.part is Part.OWNER and owner.kind in GOVERNMENTS and message.text[owner.end : body.start] == "の"
    return replace(body, kind=owner.kind) if owned and body.kind == "national_agency" else body


def _with_the_recommended(message: Message, bodies: list[Body]) -> list[Body]:
    """Of 大学の推薦 alone it is open who recommends: only beside another body that applies it is the university."""
    able = {message.text[b.start : b.end] for b in bodies if b.kind not in _GIVING and b.part is Part.APPLICANT}
    return [
        replace(b, part=Part.APPLICANT, whose=Whose.WRITER)
        if b.part is Part.RECOMMENDER and b.kind not in _GIVING and not able - {message.text[b.start : b.end]}
        else b
        for b in bodies
    ]


def _is_part_of_a_name(message: Message, mention: Mention) -> bool:
    """Whether a kind of body only begins a longer word: for another (町商工会) or an office (住民課, 市町村課)."""
    after = message.tokens_between(mention.end, mention.end + 2)[:1]
    if (
        _kind_of(mention) in ("individual", "municipality")
        and after
        and after[0].surface in ("課", "係", "室", "部", "局", "班")
    ):
        return True
    following = message.saying(*_KINDS, start=mention.end, end=mention.end + 12)
    return bool(following) and following[0].start == mention.end and _kind_of(mention) in (*GOVERNMENTS, "individual")


def _names_a_body(message: Message, place: Place) -> bool:
    """Whether a named place begins the name of a body (飯南町社会福祉協議会)."""
    return any(m.start == place.end for m in message.saying(*_KINDS, start=place.end))


def _kind_of(mention: Mention) -> str:
    return next((kind for kind in _KINDS if kind in mention.concepts), "")


@dataclass(frozen=True)
class Surroundings:
    """What stands around a body in its clause."""

    message: Message
    clause: Clause
    start: int
    end: int
    before: tuple[Mention, ...]
    after: tuple[Token, ...]
    next: tuple[Mention, ...]

    @property
    def particle(self) -> str:
        """The particles right after the body, together (からは, との)."""
        joined = ""
        if [token.surface for token in self.after[:2]] in (["と", "し"], ["と", "して"]):
            return "として"
        for token in self.after:
            if token.pos != "助詞" and token.surface not in ("で", "に") and token.key != "様":
                break
            joined += token.surface
        return joined

    @property
    def next_text(self) -> str:
        """What stands after the next mention."""
        return self.message.text[self.next[0].end : self.clause.end] if self.next else ""

    @property
    def in_focus(self) -> bool:
        """Whether the clause sets the body in focus: 応募するのは町です."""
        return self.message.told_of(self.start) is not None

    def is_told(self, *concepts: str) -> bool:
        """Whether the body is in focus, and one of these concepts is said of it."""
        told = self.message.told_of(self.start)
        return told is not None and self.message.says(*concepts, start=told[0], end=told[1])

    def is_acted_on(self, kind: str) -> bool:
        """Whether a body in focus is the one to whom it is done: 推薦をもらったのは大学, 町が出資するのは公社."""
        start, end = self.message.told_of(self.start) or (self.start, self.start)
        receives = any(token.key in _RECEIVING for token in self.message.tokens_between(start, end))
        return (receives and kind not in _GIVING) or self.message.says(*_KINDS, start=start, end=end)

    def next_says(self, *concepts: str, within: int = 1) -> bool:
        """Whether one of the next mentions says one of these concepts."""
        return any(m.concepts & set(concepts) for m in self.next[:within])


_RECEIVING = frozenset(("貰う", "受ける", "頂く", "得る", "取る", "入る", "有る", "される"))
"""Verbs of the one who is recommended or invested in; of the one who does it, くれる and 下さる are said."""

_SKIPPED = frozenset(
    {"側", "さん", "様", "等", "など", "とか", "役所", "役場", "長", "自体", "自身", "達", "ら", ")", "」"}
)


def surroundings(message: Message, start: int, end: int) -> Surroundings:
    """What stands around a body between two characters."""
    clause = message.clause_at(start)
    after = [token for token in message.tokens_between(end, clause.end) if token.pos != "空白"]
    while after and (after[0].surface in _SKIPPED or after[0].detail == "数詞"):
        after.pop(0)
    mentions = [m for m in message.mentions if clause.start <= m.start < clause.end]
    before = tuple(
        m
        for m in mentions
        if m.end <= start and len(message.text[m.end : start]) <= 5 and _joined(message, m.end, start)
    )
    following = tuple(m for m in mentions if m.start >= end)
    return Surroundings(message, clause, start, end, before, tuple(after), following)


def _joined(message: Message, start: int, end: int) -> bool:
    """Whether nothing but の, な and adjectives stand between two words."""
    return all(
        token.surface in ("の", "な", "、", "「", "は", "(", ")")
        or token.pos in ("形容詞", "連体詞", "形状詞", "接頭辞", "接尾辞", "動詞")
        for token in message.tokens_between(start, end)
    )


def _read_body(message: Message, kind: str, start: int, end: int, mention: Mention | None, place: Place | None) -> Body:
    around = surroundings(message, start, end)
    own = mention.concepts if mention else frozenset[str]()
    said_before = own.union(*(m.concepts for m in around.before)) if around.before else own
    part = next((part for part, plays in _PARTS if plays(around, kind)), Part.APPLICANT)
    letter = _letter_before(message, start)
    whose = _whose(part, own, said_before, letter, around)
    applies = part is Part.APPLICANT and _is_said_to_apply(around, whose)
    plainly = part is Part.APPLICANT and (
        applies or (whose is Whose.WRITER and "self" in said_before) or _is_said_to_be(around)
    )
    if plainly and whose is not Whose.MEMBER:
        whose = Whose.WRITER
    topic = part is Part.APPLICANT and _is_topic(around)
    name = (
        letter
        or (message.text[place.start : place.end] if place else "")
        or _other_word(message, around, own, start, end)
    )
    return Body(kind, start, end, around.clause, whose, part, plainly, topic, applies, name, place)


def _whose(part: Part, own: frozenset[str], said_before: frozenset[str], letter: str, around: Surroundings) -> Whose:
    if part is Part.PLACE:
        return Whose.PLACE
    nearest = next(
        (c for c in (own, *(m.concepts for m in reversed(around.before))) if c & {"self", "other"}), said_before
    )
    if "self" in nearest and "other" not in nearest:
        return Whose.WRITER
    if part is Part.MEMBER or "member" in said_before:
        return Whose.MEMBER
    if letter or said_before & {"other", "anaphor", "within"}:
        return Whose.ANOTHER
    return Whose.WRITER if part is Part.APPLICANT else Whose.ANOTHER


def _letter_before(message: Message, start: int) -> str:
    """The letter that stands for a name (a市, 〇町), or ""."""
    letter = message.text[start - 1 : start]
    alone = not (message.text[start - 2 : start - 1].isascii() and message.text[start - 2 : start - 1].isalpha())
    return letter if start and alone and (letter in "〇○△□×甲乙丙" or (letter.isascii() and letter.isalpha())) else ""


def _other_word(message: Message, around: Surroundings, own: frozenset[str], start: int, end: int) -> str:
    """The word that makes a body another than others of its kind (隣, 別), or ""."""
    if "other" in own:
        return message.text[start:end]
    return next((message.text[m.start : m.end] for m in around.before if "other" in m.concepts), "")


_SAID_TO_BE = frozenset(
    {"です", "だ", "やねん", "でして", "として", "べ", "じゃ", "者", "なん", "なの", "ね", "よ", "どす", "っす"}
)
_OFFICES = frozenset(
    {
        "職員",
        "担当",
        "担当者",
        "者",
        "事務局",
        "課",
        "室",
        "係",
        "主査",
        "係長",
        "課長",
        "部長",
        "社長",
        "代表",
        "理事",
        "理事長",
        "会長",
        "局長",
        "役員",
        "部",
        "局",
        "代表者",
        "人",
        "中の人",
        "窓口",
        "所属",
        "勤め",
    }
)


def _is_said_to_be(around: Surroundings) -> bool:
    """Whether the body is said to be the writer: 市です, 県だけど, 町役場の職員ですが, 村として."""
    if around.in_focus:
        return around.is_told("self") and not around.is_told("recommend", "invest", "together", "index")
    if _is_told_of_another_thing(around):
        return False
    after = around.after
    nouns = 0
    while nouns < len(after) and (after[nouns].pos in ("名詞", "接尾辞") or after[nouns].surface == "の"):
        nouns += 1
    staffed = 0 < nouns <= 9 and after[nouns - 1].surface.endswith(tuple(_OFFICES))
    following = list(after[nouns if staffed else 0 :][:2])
    if not following:
        return staffed
    first = following[0]
    if _becomes(around):
        return True
    if first.surface == "な" and len(following) > 1 and following[1].surface in ("ん", "の"):
        return True
    if first.surface == "と" and len(following) > 1 and following[1].surface in ("し", "して"):
        return True
    if first.surface == "や":
        return len(following) > 1 and following[1].surface in ("けど", "から", "で", "し", "ねん", "けんど", "さかい")
    if _works_there(around):
        return True
    if first.surface == "で" and len(following) > 1 and following[1].key == "有る":
        return not around.message.saying(*_KINDS, start=following[1].end, end=following[1].end + 1)
    if first.key == "だ" and first.surface in ("だ", "で", "じゃ"):
        return first.surface == "だ" or (first.pos == "助動詞" and not _then_denied(following))
    return first.surface in _SAID_TO_BE and not _then_denied(following)


_APPLYING = "申応出手エ"
"""How the words for applying begin that say no more than that (not 頼む, 呼ぶ, 受ける)."""


def _is_said_to_apply(around: Surroundings, whose: Whose) -> bool:
    """Whether the body is said to apply: 応募するのは町です, 会社が応募して, 県の名義で."""
    text = around.message.text
    if around.in_focus:
        return around.is_told("apply") and not around.is_told("recommend", "invest", "together", "index")
    if text[around.end :].startswith(("の名義で", "名義で", "の名前で", "の名で")):
        return True
    if around.particle != "が" or around.clause.number in around.message.asking:
        return False
    if whose is Whose.ANOTHER and (around.message.says("self") or not around.message.in_clause(around.clause, "want")):
        return False  # of another body it is told that it applied; 管内の町が応募したい asks for it
    said = [m for m in around.next if "apply" in m.concepts and text[m.start] in _APPLYING][:1]
    if not said or around.message.says(*_KINDS, "before", start=around.end, end=said[0].start):
        return False
    after = around.message.tokens_between(said[0].end, around.clause.end)
    of_a_noun = any(
        verb.surface.endswith(("る", "た", "す", "う")) and noun.pos == "名詞" for verb, noun in pairwise(after[:4])
    )
    for_us = any(token.key in ("呉れる", "下さる") for token in after[:4])
    return not of_a_noun and not for_us  # 県が申請する事業 tells of the project; 県が出してくれる of a favour


_SPEAKERS = frozenset(
    ("申請者", "応募者", "主体", "申込者", "者", "私", "の", "立場", "所属", "側", "名義", "種別", "区分")
)
"""Nouns of which a body is said that applies (申請者は県です, 応募するのは町です)."""


def _is_told_of_another_thing(around: Surroundings) -> bool:
    """Whether the clause says of something else that it is the body: 推薦元は市です, 実施先は村です."""
    before = around.message.tokens_between(around.clause.start, around.start)
    topics = [at for at, token in enumerate(before) if token.detail == "係助詞" and token.surface == "は" and at]
    if not topics:
        return False
    noun = before[topics[-1] - 1]
    own = around.message.says("self", "apply", start=around.clause.start, end=before[topics[-1]].start)
    return noun.pos in ("名詞", "接尾辞") and noun.surface not in _SPEAKERS and not own


def _works_there(around: Surroundings) -> bool:
    """Whether the writer belongs to it or runs it: 会社に勤めています, NPOをやってます."""
    rest = "".join(token.surface for token in around.after[:5])
    return rest.startswith(
        (
            "をやっ",
            "をやり",
            "をしてい",
            "をしてま",
            "を営",
            "を経営",
            "を運営",
            "に勤め",
            "に所属",
            "に在籍",
            "で働",
            "の者",
        )
    )


def _then_denied(following: list[Token]) -> bool:
    return len(following) > 1 and following[1].key in ("は", "無い", "も")


def _is_topic(around: Surroundings) -> bool:
    """Whether the clause is about the body: 町は, NPOでも, 会社が."""
    return around.particle.startswith(
        ("は", "が", "も", "って", "でも", "なら", "だけで", "のみで", "では", "には", "で")
    ) or (
        bool(around.after)
        and around.after[0].surface in ("なら", "だけ", "のみ", "って", "でも", "だと", "だったら", "単独", "単独で")
    )


def _recommends(around: Surroundings, kind: str) -> bool:
    if around.is_told("recommend"):
        return not around.is_acted_on(kind)
    if _owns(around, kind):
        return False  # 推薦は県の商工会から
    if kind not in _GIVING:
        return _plainly_recommends(around)
    particle = around.particle
    told = around.message.saying("recommend", start=around.clause.start, end=around.start)
    joint = around.message.text[around.start - 1]
    if told and joint in "は(" and around.start - told[-1].end <= 8:
        return True
    recommended = around.next_says("recommend", within=2)
    if particle == "に" and around.next_says("lose"):
        return True
    if particle.startswith(("から", "より")):
        return bool(told) or recommended or around.next_says("get", "lose", "pending", "deny", within=2)
    if particle.startswith("の") or not particle:
        return bool(around.next) and "recommend" in around.next[0].concepts and _near(around, 4)
    if particle == "は" and around.next_says("recommend") and not around.message.in_clause(around.clause, "self"):
        return around.next_text.startswith(_REFUSES)  # 自治体は推薦しないそう
    if particle in ("が", "も") and around.next_says("recommend") and around.next_text[:1] in ("し", "す", "を"):
        return True
    return (
        particle in ("が", "に", "も", "にも") and recommended and around.next_says("get", "lose", "pending", within=4)
    )


_REFUSES = ("しな", "しませ", "できな", "できませ", "出さな", "をくれな", "してくれな", "してくれませ")


def _plainly_recommends(around: Surroundings) -> bool:
    """Whether a body of whatever kind is said to recommend: 銀行から推薦, 推薦は会議所だけ, 大学が推薦してくれた."""
    particle = around.particle.removeprefix("だけ").removeprefix("のみ")
    told = around.message.says("recommend", start=around.clause.start, end=around.start)
    recommended = around.next_says("recommend")
    if particle.startswith(("から", "より")):
        return (told or recommended) and not around.message.says("requested", start=around.end, end=around.clause.end)
    if particle.startswith("の"):
        between = around.message.text[around.end : around.next[0].start] if around.next else ""
        of_its_head = between.endswith(("が", "から", "の")) and len(between) <= _AN_OFFICE  # 会議所の会頭が推薦する
        return recommended and (_near(around, 3) or of_its_head)
    if particle in ("が", "も"):
        rest = around.message.tokens_between(around.end, around.clause.end)
        return (
            recommended
            and around.next_text.startswith(("し", "す", "を出", "を書", "をく", "状を"))
            and not any(token.key in _RECEIVING for token in rest)
        )
    return told and particle != around.particle


_AN_OFFICE = 6
"""Characters of a body's head with の before and a particle behind."""


def _near(around: Surroundings, characters: int) -> bool:
    """Whether the next mention begins within so many characters."""
    return bool(around.next) and around.next[0].start - around.end <= characters


def _invests(around: Surroundings, kind: str) -> bool:
    if around.is_told("invest"):
        return not around.is_acted_on(kind)
    if kind not in GOVERNMENTS:
        return around.particle.startswith(("が", "から", "による")) and around.next_says("invest")
    if not around.particle:
        return around.next_says("invest") and _near(around, 1)
    return around.next_says("invest", within=2) and around.particle.startswith(
        ("が", "の", "も", "から", "より", "による", "に")
    )


def _joins(around: Surroundings, kind: str) -> bool:
    if around.is_told("together"):
        return kind in GOVERNMENTS and not around.is_acted_on(kind)
    told = around.message.saying("together", start=around.clause.start, end=around.start)
    if told and around.particle == "と":
        return True
    return (
        around.particle.startswith(("と", "とも", "との"))
        and not around.particle.startswith(("として", "とし", "という"))
        and around.next_says("together", "joins", "project", within=2)
    )


def _leads(around: Surroundings, kind: str) -> bool:
    """Whether somebody goes through the body: 県を通じて, 県経由で, 県の申請に加わる."""
    if kind == "prefecture" and not around.particle and around.next_says("through") and _near(around, 1):
        return True
    return (
        around.particle.startswith(("を", "に", "の", "が"))
        and kind == "prefecture"
        and around.next_says("through", within=4)
        and (around.particle.startswith(("を", "に")) or around.next_says("apply", "through", within=1))
    )


def _is_place(around: Surroundings, kind: str) -> bool:
    if kind not in GOVERNMENTS:
        return False
    if any("place" in m.concepts or "work" in m.concepts for m in around.before):
        return True
    if _is_told_as(around, "place", "work"):
        return True
    if around.particle.startswith(("の", "")) and around.next_says("place") and _near(around, 2):
        return True
    return (
        around.particle in ("で", "では", "を", "での", "でも")
        and around.next_says("work", "project", "place", within=1)
        and _near(around, 6)
    )


def _is_told_as(around: Surroundings, *concepts: str) -> bool:
    """Whether it is said to be the place, or the seat: やるのは指数0.4の村, 実施地域:A町とB町, 本部は市ですが."""
    message = around.message
    sentence = [clause for clause in message.clauses if clause.sentence == around.clause.sentence]
    for mention in message.saying(*concepts, start=sentence[0].start, end=around.start):
        joint = message.text[mention.end : mention.end + 3]
        if (joint.startswith((":", "は", "が")) and "work" not in mention.concepts) or joint.startswith(
            ("のは", "るのは", "場所は", "するの")
        ):
            between = message.saying(*_KINDS, *_PLACES, start=mention.end, end=around.start)
            return all((_PLACES | set(_KINDS)) & m.concepts <= {"prefecture", "municipality"} for m in between)
    return False


_PLACES = frozenset({"place", "seat"})


def _contains(around: Surroundings, kind: str) -> bool:
    if kind not in GOVERNMENTS or not around.particle.startswith(("に", "の")) or not around.next_says("belongs"):
        return False
    following = around.message.saying(*_KINDS, start=around.next[0].end)
    return bool(following) and (following[0].start < around.clause.end or around.next[0].end >= around.clause.end - 2)


def _owns(around: Surroundings, kind: str) -> bool:
    """Whether the body only tells whose another one is: 町のNPO, 県の外郭団体."""
    return (
        around.particle == "の"
        and bool(around.next)
        and bool(set(_KINDS) & around.next[0].concepts)
        and _near(around, 8)
    )


def _becomes(around: Surroundings) -> bool:
    """Whether somebody is said to be the body in the polite way: 主体は町になります."""
    return [token.key for token in around.after[:2]] == ["に", "成る"]


def _is_consulted(around: Surroundings, kind: str) -> bool:
    if _works_there(around) or _becomes(around):
        return False
    if kind != "support_provider" and around.particle in ("に", "へ", "を", "から", "より", "まで", "からの", "への"):
        return True
    return around.particle.startswith(("から", "に", "へ", "より", "にも")) and around.next_says(
        "hearsay", "asks", "claim", "requirement", within=2
    )


def _counts_bodies(figure: Figure) -> bool:
    """Whether a figure may be the number of the bodies before it (市町村は16), and no index of theirs."""
    return figure.dimension in (Dimension.OTHER, Dimension.MUNICIPALITY) or (
        figure.dimension is Dimension.NUMBER and figure.value == figure.value.to_integral_value() and figure.value > 1
    )


def _is_member(around: Surroundings, kind: str) -> bool:
    if any("member" in m.concepts for m in around.before):
        return True
    if kind in GOVERNMENTS and (any("seat" in m.concepts for m in around.before) or _is_told_as(around, "seat")):
        return True
    following = around.message.text[around.end : around.end + 2]
    if kind == "municipality" and (following.startswith("数") or following == "の数"):
        return True
    counted = [
        f
        for f in around.message.figures
        if around.end <= f.start <= around.end + 2
        and " " not in around.message.text[around.end : f.start]
        and _counts_bodies(f)
    ]
    if kind == "municipality" and counted:
        return True
    if (
        kind == "municipality"
        and around.next_says("more_than", "fewer_than", "same", within=2)
        and around.particle.startswith(("は", "を", "の", "が", "も"))
    ):
        return around.message.says("before", "more_than", "fewer_than")
    joining = around.message.saying("joins", start=around.start - 6, end=around.start)
    return (
        kind == "municipality"
        and bool(joining)
        and joining[-1].end == around.start
        and "within" not in joining[-1].concepts
    )


_WHICH = ("どこの", "どの", "何", "いくつの", "どんな", "どういう", "どのような", "なに")


def _is_sought(around: Surroundings, kind: str) -> bool:
    """Whether it is asked which bodies these are: どこの市, 何県, 自治体はどこ."""
    text = around.message.text
    if around.particle.startswith(("とも", "も", "でも", "にも", "からも")):
        return False
    words = {token.start for token in around.message.tokens}  # the end of ちょうどの asks for nothing
    asked = any(text.startswith(word, at) and at in words for word in _WHICH if (at := around.start - len(word)) >= 0)
    return asked or (around.particle == "は" and text[around.end + 1 : around.end + 3] in ("どこ", "どれ"))


_PARTS: tuple[tuple[Part, Callable[[Surroundings, str], bool]], ...] = (
    (Part.SOUGHT, _is_sought),
    (Part.RECOMMENDER, _recommends),
    (Part.INVESTOR, _invests),
    (Part.CHANNEL, _leads),
    (Part.PARTNER, _joins),
    (Part.MEMBER, _is_member),
    (Part.CONTAINER, _contains),
    (Part.PLACE, _is_place),
    (Part.OWNER, _owns),
    (Part.CONSULTED, _is_consulted),
)
