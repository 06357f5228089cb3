"""A message that asks the same of several bodies, as one message for each of them: 市は0.8、町は1.1、それぞれ対象?"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bot.understanding.bodies import GOVERNMENTS, Body, Part, find_bodies
from bot.understanding.message import Message
from knowledge.figures import Dimension
from knowledge.lexicon import Token

MOST_BODIES = 6
"""Of more bodies of one message than this it is not told one by one."""

_COMMAS = frozenset("、。")
_JOINTS = frozenset({"と", "や", "・", "/", "か", "及び", "および", " "})
_NO_MODIFIER = frozenset(
    {"、", "。", " ", "?", ":", "は", "も", "で", "に", "を", "と", "や", "あと", "また", "について"}
)
"""What no words that tell of a body reach across (指数0.5の町, 去年選ばれた県)."""

_TRAILING = "、。 とや・/"

_WHICH = re.compile(
    r"^(?:の?うち)?[のはもがで、]*(?:それぞれ|各々|両方とも|両方|どれが|どれも|どちらが|どちらも|どっちが|どっちも|誰が)?[、はがも]*"
    r"|それぞれ(?:の|について)?|(?:の|なの)は(?:どれ|どちら|どっち|誰)(?=で|か|だ|\?|。|$)"
)
"""What tells that each of them is meant: asked of one alone it is left out."""


_WHERE = re.compile(r"(?:の(?:中|区域|域内|地域)?)?(?:だけ)?で(?![すしあは、。 ])")
"""How it goes on where a government is only the place of what others do: 0.4の町で実証をする大学."""


@dataclass(frozen=True)
class OfBody:
    """A message that is asked of one body of several, and what the asker calls that body."""

    text: str
    name: str


def of_each_body(message: Message) -> tuple[OfBody, ...]:
    """The message for each body that it is asked of, without what is said of the others; none where it is of one."""
    bodies = [body for body in find_bodies(message) if body.part is Part.APPLICANT][: MOST_BODIES + 1]
    if any(body.kind not in GOVERNMENTS for body in bodies):
        bodies = [body for body in bodies if not _WHERE.match(message.text, body.end) or body.kind not in GOVERNMENTS]
    if not 2 <= len(bodies) <= MOST_BODIES:
        return ()
    edges = [_start_of(message, bodies[0]), *(_between(message, *pair) for pair in pairwise(bodies))]
    stretches = list(pairwise([*edges, _end_of(message, bodies[-1])]))
    if not _are_each_meant(message, bodies, stretches):
        return ()
    before, after = message.text[: edges[0]], _WHICH.sub("", message.text[stretches[-1][1] :])
    return tuple(
        OfBody(f"{before}{_own_words(message, body, *stretch)}、{after}", _name_of(message, body, stretch[0]))
        for body, stretch in zip(bodies, stretches, strict=True)
    )


def _are_each_meant(message: Message, bodies: Sequence[Body], stretches: Sequence[tuple[int, int]]) -> bool:
    """Whether something is asked of each body: it is said so, three are listed, or each has an amount of its own."""
    areas = message.says("across") and any(body.kind in GOVERNMENTS for body in bodies)
    if areas or message.says("together") or not _are_different(message, bodies, stretches):
        return False
    end = stretches[-1][1]
    if message.says("each") or message.says("which", start=end):
        return True
    amounts = [f for f in message.figures if f.dimension is Dimension.YEN]
    until = [*(end for _, end in stretches[:-1]), len(message.text)]
    each_has_one = all(
        sum(start <= f.start < last for f in amounts) == 1 for (start, _), last in zip(stretches, until, strict=True)
    )
    listed = all(end - body.end <= 1 for body, (_, end) in zip(bodies[:-1], stretches, strict=False))
    return (each_has_one or (listed and len(bodies) > 2)) and message.says(
        "can", "eligible", "asks", start=bodies[0].end
    )


def _are_different(message: Message, bodies: Sequence[Body], stretches: Sequence[tuple[int, int]]) -> bool:
    said = [
        (body.kind, body.name, tuple(f.value for f in message.figures if start <= f.start < end))
        for body, (start, end) in zip(bodies, stretches, strict=True)
    ]
    return len(set(said)) == len(said)


def _start_of(message: Message, body: Body, after: int = 0) -> int:
    """Where the words begin that tell of a body, after some character."""
    start = body.start
    for token in reversed(message.tokens_between(after, body.start)):
        if token.surface in _NO_MODIFIER:
            break
        start = token.start
    return start


def _between(message: Message, body: Body, following: Body) -> int:
    """Where what is said of the following body begins: after the last comma between them, else after と or や."""
    tokens = message.tokens_between(body.end, following.start)
    return _after(tokens, _COMMAS) or _after(tokens, _JOINTS) or body.end


def _after(tokens: Sequence[Token], joints: frozenset[str]) -> int:
    return next((token.end for token in reversed(tokens) if token.surface in joints), 0)


def _end_of(message: Message, body: Body) -> int:
    """Where what is said of the last body ends: at the next comma, or after its figure, before anything is asked."""
    asking = message.saying("can", "eligible", "asks", "which", "each", start=body.end)
    until = asking[0].start if asking else len(message.text)
    tokens = message.tokens_between(body.end, until)
    figures = [figure.end for figure in message.figures if body.end <= figure.start < until]
    comma = next((token.end for token in tokens if token.surface in _COMMAS), 0)
    return comma or max(figures, default=body.end)


def _own_words(message: Message, body: Body, start: int, end: int) -> str:
    """What is said of a body, as it would say it of itself: 隣の町は1.1, 隣町は1.1 as 町は1.1."""
    if any("other" in m.concepts for m in message.saying("other", start=body.start, end=body.end)):
        return message.text[body.end - 1 : end].rstrip(_TRAILING)
    words = message.text[start : body.start - (body.name == message.text[body.start - 1 : body.start] != "")]
    for mention in reversed(message.saying("self", "other", "anaphor", start=start, end=body.start)):
        words = f"{words[: mention.start - start]}{words[mention.end - start :].removeprefix('の')}"
    return (words + message.text[body.start : end]).rstrip(_TRAILING)


def _name_of(message: Message, body: Body, start: int) -> str:
    first, last = message.span_of(_start_of(message, body, start), body.end)
    return message.original[first:last].strip()
