"""The asker's own municipality or prefecture by its name, and the financial strength index that is published of it."""

import re
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from bot.types import Conversation, Inquiry, Reading, Whose
from bot.understanding.bodies import Body, Part
from bot.understanding.denying import denials
from bot.understanding.message import Clause, Message, read_message
from bot.understanding.owning import Scene
from knowledge.lexicon import Mention
from knowledge.municipalities.places import within_prefectures_of
from knowledge.municipalities.records import Municipality, PublishedIndex, municipality_of
from knowledge.types import ApplicantKind, Choice, Fact, Situation

BY_NAME = "municipalities.csv"
"""What knows a body that is called by its name (`Understood.by`)."""

TAKE_PUBLISHED = Choice("この値で", "published", "Use this value")
ANOTHER_INDEX = Choice("別の値", "another", "Another value")
INDEX_TAPS = (TAKE_PUBLISHED, ANOTHER_INDEX)
"""What is tapped where a published index was put forward."""

_TAKES_IT = re.compile(
    r"(?:はい|ええ|ok|(?:はい、?)?[こそ](?:の値|れ)で)(?:いい|良い|よい|結構|大丈夫|お願いし?ます|して(?:ください|下さい))?(?:です)?[。!]*",
    re.IGNORECASE,
)
"""A message that takes a published index which was put forward."""

_SHORT = 24
"""A message of at most so many characters may only tell which of several bodies of one name is meant."""

_BESIDE_A_NAME = " 、。!?"


def kind_of(body: Municipality) -> ApplicantKind:
    """What a body is as an applicant."""
    match body.kind:
        case "prefecture":
            return ApplicantKind.PREFECTURE
        case "special_ward":
            return ApplicantKind.SPECIAL_WARD
        case _:
            return ApplicantKind.MUNICIPALITY


def read_home(scene: Scene, before: Conversation) -> tuple[Municipality, ...]:
    """The body that is said to be the asker's own, now or earlier: several of one name (府中市), or none."""
    own = [body for body in _named(scene) if _is_said_to_be_ours(scene.message, body)]
    return _meant(own[-1], before) if own else _bodies(before.home)


def read_towns(scene: Scene, before: Conversation, *, asked_of_it: bool) -> tuple[Municipality, ...]:
    """The body that the case is of, where it is known by name: several of one name, or none.

    A body that is only named (飯南町の事例, たつの市は使った) is none. One that is not said to be the asker's own
    counts where it is `asked_of_it` whether it can apply or what its index is; うちは? turns back to the asker's own.
    """
    message, home = scene.message, read_home(scene, before)
    if any(_is_said_to_be_ours(message, body) for body in _named(scene)):
        return home
    if message.says("self"):
        return home or known_towns(before)
    if asked_of_it and (forward := [body for body in _named(scene) if _is_put_forward(message, body)]):
        return _meant(forward[-1], before)
    turned = any(body.place or body.whose is Whose.ANOTHER for body in scene.applicants)
    return () if turned else known_towns(before)


def known_towns(before: Conversation) -> tuple[Municipality, ...]:
    """The bodies that a conversation is of."""
    return _bodies(before.towns)


def _bodies(codes: Iterable[str]) -> tuple[Municipality, ...]:
    return tuple(body for code in codes if (body := municipality_of(code)))


def _named(scene: Scene) -> list[Body]:
    """The bodies that are called by name and may be the ones that apply."""
    return [body for body in scene.bodies if body.place and body.part is Part.APPLICANT and body.whose is Whose.WRITER]


def _meant(body: Body, before: Conversation) -> tuple[Municipality, ...]:
    """The bodies of a name, of these the one that was told apart before."""
    known = known_towns(before)
    return tuple(one for one in _candidates(body) if one in known) or _candidates(body)


def _candidates(body: Body) -> tuple[Municipality, ...]:
    return body.place.candidates if body.place else ()


def _is_said_to_be_ours(message: Message, body: Body) -> bool:
    """Whether it is the writer's own; 飯南町ですか asks which it is."""
    return body.plainly and not message.text.startswith(("ですか", "でしょうか"), body.end)


def _is_put_forward(message: Message, body: Body) -> bool:
    """Whether the message is about it (飯南町は…, 飯南町の財政力指数は…), or it stands by itself (飯南町、使える?)."""
    clause = message.text[body.clause.start : body.clause.end].strip(_BESIDE_A_NAME)
    alone = clause == message.text[body.start : body.end] and len(message.places) == 1
    return body.topic or alone or _tells_whose_index(message, body)


def tells_apart(inquiry: Inquiry) -> Inquiry:
    """The question before, where a message only tells which of several bodies of one name is meant (広島のほうです)."""
    before = inquiry.conversation
    known = known_towns(before)
    message = read_message(inquiry.text, inquiry.as_of)
    if len(known) < 2 or len(message.text) > _SHORT or message.figures or message.asking:
        return inquiry
    meant = within_prefectures_of(known, message.text)
    if len(meant) != 1:
        return inquiry
    town = (meant[0].code,)
    home = town if before.home == before.towns else before.home
    return Inquiry(before.question, inquiry.as_of, replace(before, towns=town, home=home, asked_for=None, told=""))


def namesake_choices(towns: tuple[Municipality, ...]) -> tuple[Choice, ...]:
    """What is tapped to tell bodies of one name apart."""
    return tuple(Choice(body.full_name, body.code) for body in towns) if len(towns) > 1 else ()


# --- the index --------------------------------------------------------------------------------------------------------


def offered(
    towns: tuple[Municipality, ...], situation: Situation, readings: Iterable[Reading]
) -> PublishedIndex | None:
    """The published index of the body of the case that may be put forward, as none was said.

    None where the case is of another body (a company of the town), and of a special ward (T18).
    """
    told = any(reading.slot == Fact.FISCAL_INDEX and reading.whose is Whose.WRITER for reading in readings)
    if len(towns) != 1 or told or Fact.FISCAL_INDEX in situation.facts:
        return None
    is_the_case = situation.facts.get(Fact.APPLICANT_KIND) == kind_of(towns[0])
    return towns[0].published if is_the_case else None


def told_by_name(before: Conversation) -> frozenset[Fact]:
    """What is known of a case by the name of its body: the kind, and the index where it is the published one."""
    known, index = known_towns(before), before.facts.get(Fact.FISCAL_INDEX)
    kinds = {kind_of(body) for body in known}
    by_name = {Fact.APPLICANT_KIND} if before.facts.get(Fact.APPLICANT_KIND) in kinds else set[Fact]()
    if index is not None and any(body.published and body.published.value == Decimal(index) for body in known):
        by_name.add(Fact.FISCAL_INDEX)
    return frozenset(by_name)


def take_published(text: str, before: Conversation) -> str:
    """The published index that was put forward, where a message takes it (この値で); else ""."""
    towns = known_towns(before)
    published = towns[0].published if len(towns) == 1 else None
    return str(published.value) if published and _TAKES_IT.fullmatch(text.strip()) else ""


def index_asked_of(scene: Scene, towns: tuple[Municipality, ...]) -> tuple[PublishedIndex, ...]:
    """The published indices of which one is asked for: 飯南町の財政力指数は?, うちの指数はいくつですか."""
    mention = asks_for_index(scene.message)
    if mention is None:
        return ()
    owner = scene.owner_at(mention.start, mention.end)
    named = _candidates(owner.body) if owner.body else ()
    asked = tuple(one for one in named if one in towns) or named or (towns if owner.whose is Whose.WRITER else ())
    if len(asked) > 1 and asked != towns:
        return ()  # of another's namesakes it is not asked which is meant
    return tuple(published for one in asked if (published := one.published))


def asks_for_index(message: Message) -> Mention | None:
    """The word for the index in a clause that asks for somebody's and says nothing else of it; None where none does."""
    for mention in message.saying("index"):
        clause = message.clause_at(mention.start)
        rest = message.tokens_between(mention.end, clause.end)
        words = [token.key for token in rest if token.pos in _CONTENT]
        how_high = message.says("what", "how_much", start=mention.end, end=clause.end)
        owned = _is_owned(message, mention, clause)
        denied = denials(message, mention.end, clause.end) % 2 and clause.number not in message.asking
        if (owned or how_high) and _ASKS_A_VALUE.issuperset(words) and not denied:
            return mention
    return None


_CONTENT = frozenset({"名詞", "動詞", "形容詞", "形状詞", "副詞", "代名詞"})
_ASKS_A_VALUE = frozenset(
    (
        *("幾", "幾ら", "何", "どれ", "値", "数値", "数字", "今", "現在", "度", "程", "存知"),
        *("教える", "知る", "分かる", "聞く", "伺う", "尋ねる", "調べる", "確認", "下さる", "頂く", "貰う", "願う"),
        *("為る", "成る", "有る", "居る", "言う", "出来る"),
    )
)
"""Words with which a value is asked for, and nothing else of it."""


def _is_owned(message: Message, mention: Mention, clause: Clause) -> bool:
    """Whether it is said whose index is meant: うちの財政力指数, 飯南町の財政力指数."""
    named = any(clause.start <= place.start and place.end <= mention.start for place in message.places)
    return named or message.says("self", start=clause.start, end=mention.start)


def _tells_whose_index(message: Message, body: Body) -> bool:
    mention = asks_for_index(message)
    return mention is not None and message.text[body.end : mention.start] == "の"
