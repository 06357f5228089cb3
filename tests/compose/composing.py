"""Conversations by number: each is drawn, told and, now and then, varied in one respect, by its own random numbers."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from tests.compose import telling as told
from tests.compose.cases import Case
from tests.compose.drawing import Drawn, answered, corrected, draw
from tests.compose.oracle import Outcome, outcome
from tests.compose.telling import Telling, slipped, tell
from tests.compose.wording import Ways

_TRIES = 50


@dataclass(frozen=True)
class Conversation:
    """One conversation and what may be answered to its last turn.

    Attributes:
        name: unique in a run.
        turns: the texts.
        today: the day on which it is asked (ISO).
        case: what it tells.
        outcome: what may be answered.
        tags: what is hard in it; the report counts by them.
        varies: the name of the conversation that this is a variation of, and in which respect.
    """

    name: str
    turns: tuple[str, ...]
    today: str
    case: Case
    outcome: Outcome
    tags: frozenset[str]
    varies: tuple[str, str] | None = None


def compose(number: int, seed: int, ways: Ways) -> list[Conversation]:
    """The conversation of this number, and one that varies it in one respect where it can be varied.

    Args:
        number: its number in the run.
        seed: the seed of the run.
        ways: the ways to draw on.

    Returns:
        One conversation, or two: the second tells the same case in another order, with a third party's values, with
        another way to say one thing, or over several turns.
    """
    rng = Random(f"{seed}:{number}")
    for _ in range(_TRIES):
        drawn = _drawn(rng)
        third = rng.choice(drawn.third) if rng.random() < 0.35 else None
        telling = tell(drawn, ways, rng, third, split=rng.random() < 0.25)
        if telling is None:
            continue
        name = f"c{number:05d}"
        made = [_conversation(name, drawn, _dressed(telling, rng))]
        varied = _varied(drawn, telling, ways, rng) if made[0].turns == tuple(telling.turns()) else None
        if varied is not None:
            respect, other = varied
            made.append(replace(_conversation(f"{name}v", drawn, other), varies=(name, respect)))
        return made
    raise RuntimeError(f"no conversation could be told for number {number} of seed {seed}")


def compose_all(n: int, seed: int, ways: Ways) -> Iterator[Conversation]:
    """All conversations of a run: `n` numbers, and the variations of those that can be varied."""
    for number in range(n):
        yield from compose(number, seed, ways)


def _drawn(rng: Random) -> Drawn:
    drawn = draw(rng)
    chance = rng.random()
    change = answered if chance < 0.12 else corrected if chance < 0.25 else None
    if change is None:
        return drawn
    for _ in range(_TRIES):
        if (changed := change(drawn, rng)) is not None:
            return changed
        drawn = draw(rng)
    return drawn


def _dressed(telling: Telling, rng: Random) -> Telling:
    chance = rng.random()
    if chance < 0.08:
        return slipped(telling, rng)
    return replace(telling, wide=True) if chance < 0.13 else telling


def _varied(drawn: Drawn, telling: Telling, ways: Ways, rng: Random) -> tuple[str, Telling] | None:
    if telling.cuts:
        return None
    has_third = any(one.clause.role == "third" for one in telling.spoken)
    respects = ["reordered", "reworded", "split", *([] if has_third else ["third party"])]
    match respect := rng.choice(respects):
        case "reordered":
            other = told.reordered(telling, rng)
        case "reworded":
            other = told.reworded(telling, ways, rng)
        case "split":
            other = told.split_up(telling, rng)
        case _:
            other = told.with_third(telling, rng.choice(drawn.third), ways, rng)
    return None if other is None else (respect, other)


_TAGS_OF_THIRD = {"rule": "quoted", "before": "time", "other": "owner"}


def _conversation(name: str, drawn: Drawn, telling: Telling) -> Conversation:
    tags = set(drawn.tags)
    for one in telling.spoken:
        if one.clause.part == "other.program":
            tags.add("other program")
        elif one.clause.role == "third":
            tags.add(_TAGS_OF_THIRD[one.clause.part.partition(".")[0]])
    marks = {
        "turns": bool(telling.cuts) and "reply" not in tags,
        "order": not told.canonical(telling),
        "typing": telling.typo is not None or telling.wide,
    }
    tags |= {mark for mark, holds in marks.items() if holds}
    if not any(": " not in tag for tag in tags):
        tags.add("plain")
    return Conversation(
        name, tuple(telling.turns()), drawn.today.isoformat(), drawn.case, outcome(drawn.case), frozenset(tags)
    )
