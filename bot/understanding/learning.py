"""`python -m bot.understanding.learning`: learns which part bodies play from marked messages, and prints how well.

`knowledge/bodies/examples.jsonl` has messages with their bodies marked `[word](role)`. A fifth of the messages is held
out, what was learnt of the others is measured on it by role, and then all are learnt of. The same examples give the
same weights.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from random import Random

import numpy as np

from bot.understanding.bodies import find_bodies
from bot.understanding.message import read_message
from bot.understanding.roles import signs_of
from knowledge.bodies import EXAMPLES, LEARNT, examples_digest
from knowledge.classes.learning import learn_classes
from knowledge.classes.telling import SCALE, Matrix

_MARKED = re.compile(r"\[([^\]]+)\]\((\w+)\)")
_SEEN_BY_CHANCE = 3
"""A sign that is seen fewer times is left out."""
_PENALTY = 0.1
_HELD_OUT = 5
_AS_OF = date(2026, 1, 1)

Example = tuple[int, frozenset[str], str]
"""The number of a message, the signs of one of its bodies, and its role."""


def examples() -> Iterator[Example]:
    """Every marked body that is found as one."""
    for number, line in enumerate(EXAMPLES.read_text(encoding="utf-8").splitlines()):
        marked = json.loads(line)["text"]
        message = read_message(_MARKED.sub(r"\1", marked), _AS_OF)
        bodies = find_bodies(message)
        shift = 0
        for mark in _MARKED.finditer(marked):
            start = mark.start() - shift
            end = start + len(mark[1])
            shift += len(mark[0]) - len(mark[1])
            found = [body for body in bodies if body.start < end and start < body.end]
            if found:
                yield number, signs_of(message, bodies, found[0]), mark[2]


def learn(learnt_of: Sequence[Example]) -> tuple[list[str], list[str], Matrix, Matrix]:
    """The signs, the roles, and what was learnt: weights (signs, roles) and biases (roles,)."""
    seen = Counter(sign for _, signs, _ in learnt_of for sign in signs)
    signs = sorted(sign for sign, times in seen.items() if times >= _SEEN_BY_CHANCE)
    roles, weights, biases = learn_classes([r for *_, r in learnt_of], _rows(learnt_of, signs), penalty=_PENALTY)
    return signs, roles, weights, biases


def _rows(of: Sequence[Example], signs: Sequence[str]) -> Matrix:
    at = {sign: column for column, sign in enumerate(signs)}
    rows = np.zeros((len(of), len(signs)), dtype=np.float32)
    for row, (_, seen, _) in zip(rows, of, strict=True):
        row[[at[sign] for sign in seen if sign in at]] = 1
    return rows


def _measure(told_of: Sequence[Example], held: Sequence[Example]) -> None:
    signs, roles, weights, biases = learn(told_of)
    told = [roles[at] for at in (_rows(held, signs) @ weights * SCALE + biases).argmax(axis=1)]
    pairs = list(zip((role for *_, role in held), told, strict=True))
    print(f"held out: {sum(a == b for a, b in pairs)} of {len(pairs)} right")
    for role in roles:
        right = sum(a == b == role for a, b in pairs)
        there, said = (sum(pair[side] == role for pair in pairs) for side in (0, 1))
        print(f"{role}: found {right} of {there}, told {said} times")


def main() -> None:
    """Measures on a fifth, learns of all, and writes `learnt.npz`."""
    every = list(examples())
    numbers = sorted({number for number, *_ in every})
    held = set(Random(5).sample(numbers, len(numbers) // _HELD_OUT))
    _measure([e for e in every if e[0] not in held], [e for e in every if e[0] in held])
    signs, roles, weights, biases = learn(every)
    np.savez_compressed(
        LEARNT,
        allow_pickle=False,
        signs=np.array(signs),
        roles=np.array(roles),
        weights=weights,
        biases=biases,
        examples=np.array(examples_digest()),
    )


if __name__ == "__main__":
    main()
