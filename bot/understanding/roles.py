"""Tells by what stands around it which part a body plays, where plain grammar does not: learnt of marked messages.

What is known of a body is put into signs (its kind, the particle behind it, the concepts before and behind it, the
other bodies, whether its clause asks), and weights for each are learnt (`python -m bot.understanding.learning`).
"""

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from bot.understanding.bodies import GOVERNMENTS, Body, Surroundings, surroundings
from bot.understanding.message import Message
from knowledge.bodies import LEARNT
from knowledge.classes.telling import SCALE, Matrix, softmax

APPLIES = "applies"

SURE = 0.8
"""From here on a body is taken for the one that applies, where the one that grammar chose is `UNLIKELY` to be."""

UNLIKELY = 0.2

_RELATIONS = ("recommend", "invest", "together", "hearsay", "requested", "joint_application", "support_provider")
_IN_SENTENCE = (*_RELATIONS, "apply", "asks", "place", "work", "other")


class Roles:
    """A linear classifier over signs of what stands around a body."""

    def __init__(self, signs: Sequence[str], roles: Sequence[str], weights: Matrix, biases: Matrix) -> None:
        """Takes the signs, the roles, and what was learnt: weights (signs, roles) and biases (roles,)."""
        self._at = {sign: at for at, sign in enumerate(signs)}
        self._applies = list(roles).index(APPLIES)
        self._weights, self._biases = weights, biases

    def applies(self, message: Message, bodies: Sequence[Body], body: Body) -> float:
        """How probable it is that a body is the one that applies (0–1)."""
        seen = [self._at[sign] for sign in signs_of(message, bodies, body) if sign in self._at]
        scores = self._weights[seen].sum(axis=0) * SCALE + self._biases
        return float(softmax(scores[np.newaxis])[0, self._applies])


@cache
def load_roles() -> Roles:
    """What was learnt of the marked messages."""
    with np.load(LEARNT) as learnt:
        return Roles([*map(str, learnt["signs"])], [*map(str, learnt["roles"])], learnt["weights"], learnt["biases"])


def correct_applicants(message: Message, bodies: Sequence[Body], chosen: tuple[Body, ...]) -> tuple[Body, ...]:
    """The bodies that surely apply, where those that grammar chose surely do not; else those that it chose."""
    if len(bodies) < 2 or any(body.applies for body in chosen):
        return chosen
    likely = {body: load_roles().applies(message, bodies, body) for body in bodies}
    sure = tuple(body for body in bodies if likely[body] >= SURE)
    doubted = all(likely[body] <= UNLIKELY for body in chosen)
    return sure if sure and doubted else chosen


def signs_of(message: Message, bodies: Sequence[Body], body: Body) -> frozenset[str]:
    """What is seen of a body in its message."""
    around = surroundings(message, body.start, body.end)
    others = [other for other in bodies if other is not body]
    return frozenset((*_near(around, body), *_in_clause(message, body), *_beside(message, body, others)))


def _sort(kind: str) -> str:
    return "government" if kind in GOVERNMENTS else kind


def _near(around: Surroundings, body: Body) -> Iterator[str]:
    """Its kind, what grammar takes it for, and the words next to it."""
    sort, particle = _sort(body.kind), around.particle
    yield from (f"kind {body.kind}", f"sort {sort}", f"part {body.part}", f"part {body.part} {sort}")
    yield from (f"whose {body.whose}", f"plainly {body.plainly}", f"topic {body.topic}")
    yield from (f"particle {particle}", f"particle {particle[:1]}", f"particle {sort} {particle[:2]}")
    for mention in around.before:
        yield from (f"before {concept}" for concept in sorted(mention.concepts))
    for at, mention in enumerate(around.next[:3]):
        for concept in sorted(mention.concepts):
            yield from (f"next {at} {concept}", f"next {concept}", f"next {sort} {concept}")
            if at == 0:
                yield f"next {particle[:1]} {concept}"
    for at, token in enumerate(around.after[:6]):
        yield f"after {token.key}"
        if at < 3:
            yield f"after {at} {token.key}"


def _in_clause(message: Message, body: Body) -> Iterator[str]:
    """What its clause and its sentence say, and where they stand."""
    clause, sort = body.clause, _sort(body.kind)
    yield from (f"asks {clause.number in message.asking}", f"ends {clause.ends}", f"first {clause.number == 0}")
    yield f"sentence {min(clause.sentence, 3)}"
    for mention in [m for m in message.mentions if clause.start <= m.start < body.start][-3:]:
        yield from (f"clause {concept}" for concept in sorted(mention.concepts))
    words = [t for t in message.tokens_between(clause.start, body.start) if t.pos != "空白"][-3:]
    yield from (f"behind {at} {token.key}" for at, token in enumerate(reversed(words)))
    sentence = [other for other in message.clauses if other.sentence == clause.sentence]
    for mention in message.saying(*_IN_SENTENCE, start=sentence[0].start, end=sentence[-1].end):
        yield from (f"says {concept}" for concept in sorted(mention.concepts))
    for mention in message.saying(*_RELATIONS):
        yield from (f"message {sort} {concept}" for concept in sorted(mention.concepts) if concept in _RELATIONS)


def _beside(message: Message, body: Body, others: Sequence[Body]) -> Iterator[str]:
    """The other bodies of the message."""
    sort = _sort(body.kind)
    for other in others:
        yield from (f"other {_sort(other.kind)}", f"other {sort} {_sort(other.kind)}")
        yield f"other {sort} {_sort(other.kind)} {other.part}"
        if message.text[other.start : other.end] == message.text[body.start : body.end]:
            yield f"again {other.part} {other.plainly}"
    outside = sum(other.kind not in GOVERNMENTS for other in others)
    yield from (f"others {min(len(others), 3)}", f"outside {min(outside, 2)}", f"outside {sort} {outside > 0}")
    yield from (f"earlier {min(sum(o.start < body.start for o in others), 3)}", f"self {message.says('self')}")
