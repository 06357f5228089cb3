"""Tells a case: chooses ways, order, turns and slips of typing, and varies a telling in one respect."""

from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random

from tests.compose.drawing import Clause, Drawn
from tests.compose.figures import wide
from tests.compose.wording import WORDS, Ways, carries_on, leads_on, pick, points_back, tells_whose

_TRIES = 40
_ASK_LAST = {"ask.use", "ask.amount", "ask.join"}


@dataclass(frozen=True)
class Spoken:
    """A clause and the way chosen for it."""

    clause: Clause
    way: str

    def text(self, words: dict[str, str]) -> str:
        return self.way.format_map({**words, **self.clause.values})


@dataclass(frozen=True)
class Telling:
    """A conversation before it is written out.

    Attributes:
        spoken: the clauses, in order.
        cuts: where a new turn begins, as positions in `spoken`.
        words: what is the same in the whole conversation (how the program is called, 町 or 市).
        joiner: what stands between two clauses.
        typo: a word and how it was typed.
        wide: digits are full-width.
    """

    spoken: tuple[Spoken, ...]
    cuts: tuple[int, ...]
    words: dict[str, str]
    joiner: str
    typo: tuple[str, str] | None = None
    wide: bool = False

    def turns(self) -> list[str]:
        """The texts, one for each turn."""
        edges = [0, *self.cuts, len(self.spoken)]
        texts = [self._turn(self.spoken[start:end]) for start, end in pairwise(edges)]
        if self.typo is not None:
            slip = next(place for place, text in enumerate(texts) if self.typo[0] in text)
            texts[slip] = texts[slip].replace(*self.typo, 1)
        return [wide(text) for text in texts] if self.wide else texts

    def _turn(self, spoken: tuple[Spoken, ...]) -> str:
        text = ""
        for number, one in enumerate(spoken):
            if number and not leads_on(text):
                # A third party's sentence stands by itself.
                apart = "third" in (one.clause.role, spoken[number - 1].clause.role)
                joiner = "。" if apart and self.joiner in "、 " else self.joiner
                text += "\n" if text.endswith("？") and joiner != " " else joiner
            text += one.text(self.words)
        return text


def tell(drawn: Drawn, ways: Ways, rng: Random, third: Clause | None, split: bool) -> Telling | None:
    """One telling of a case, or None where no order and choice of ways was found that reads well.

    Args:
        drawn: the case.
        ways: the ways to draw on.
        rng: decides.
        third: a third party's clause to add.
        split: whether to spread it over turns.
    """
    words = _words(drawn, rng)
    reply = next((clause for clause in drawn.clauses if clause.role == "reply"), None)
    for _ in range(_TRIES):
        clauses = _ordered(drawn, third, rng, in_order=reply is not None)
        spoken = _worded(clauses, ways, rng)
        if spoken is None:
            continue
        joiner = rng.choice(WORDS.joiners)
        telling = Telling(tuple(spoken), (), words, joiner)
        if reply is not None:
            if leads_on(spoken[-1].way):
                continue
            way = pick(ways, reply.part, rng)
            assert way is not None
            cut = len(spoken)
            return replace(telling, spoken=(*telling.spoken, Spoken(reply, way)), cuts=(cut,))
        if not split:
            return telling
        if (cut_up := _split(telling, rng)) is not None:
            return cut_up
    return None


def slipped(telling: Telling, rng: Random) -> Telling:
    """The same telling with one slip of typing, where there is a word to slip on."""
    text = "".join(telling.turns())
    choices = [slip for slip in WORDS.typos.items() if slip[0] in text]
    return replace(telling, typo=rng.choice(choices)) if choices else telling


def canonical(telling: Telling) -> bool:
    """Whether it is told in the plain order: who, what, and then the question."""
    told = [one.clause for one in telling.spoken if one.clause.role not in ("third", "open", "reply")]
    who = next((place for place, clause in enumerate(told) if clause.fact == "kind"), 0)
    return told[-1].role == "ask" and who == 0


# --- one respect varied -----------------------------------------------------------------------------------------------


def reordered(telling: Telling, rng: Random) -> Telling | None:
    """The same words in another order."""
    for _ in range(_TRIES):
        spoken = list(telling.spoken)
        rng.shuffle(spoken)
        if tuple(spoken) != telling.spoken and _reads_well(spoken):
            return replace(telling, spoken=tuple(spoken))
    return None


def with_third(telling: Telling, third: Clause, ways: Ways, rng: Random) -> Telling | None:
    """The same words and a third party's."""
    for _ in range(_TRIES):
        spoken = list(telling.spoken)
        way = pick(ways, third.part, rng)
        assert way is not None
        spoken.insert(rng.randrange(len(spoken)), Spoken(third, way))
        if _reads_well(spoken):
            return replace(telling, spoken=tuple(spoken))
    return None


def reworded(telling: Telling, ways: Ways, rng: Random) -> Telling | None:
    """One clause said in another way."""
    for _ in range(_TRIES):
        spoken = list(telling.spoken)
        place = rng.randrange(len(spoken))
        old = spoken[place]
        way = pick(ways, old.clause.part, rng, _names_it if "{p}" in old.way else lambda _: True)
        if way is None or way == old.way:
            continue
        spoken[place] = Spoken(old.clause, way)
        if _reads_well(spoken):
            return replace(telling, spoken=tuple(spoken))
    return None


def split_up(telling: Telling, rng: Random) -> Telling | None:
    """The same words over two or three turns."""
    for _ in range(_TRIES):
        if (cut_up := _split(telling, rng)) is not None:
            return cut_up
    return None


# --- how -------------------------------------------------------------------------------------------------------------


def _words(drawn: Drawn, rng: Random) -> dict[str, str]:
    own = rng.choice(["町", "村", "市"])
    prefecture = getattr(drawn.case, "kind", None) == "prefecture"
    return {
        "p": rng.choice(WORDS.programs[drawn.program]),
        "t": own,
        "office": {"町": "町役場", "村": "村役場", "市": "市役所"}[own],
        "own": "本県" if prefecture else f"本{own}",
    }


def _ordered(drawn: Drawn, third: Clause | None, rng: Random, in_order: bool) -> list[Clause]:
    facts = [clause for clause in drawn.clauses if clause.role == "fact"]
    if not in_order and rng.random() < 0.6:
        rng.shuffle(facts)
    clauses = [*facts, *(clause for clause in drawn.clauses if clause.role == "fix")]
    if third is not None:
        clauses.insert(rng.randint(0, len(clauses)), third)
    ask = Clause(drawn.ask, role="ask")
    place = rng.choices([len(clauses), 0, rng.randint(0, len(clauses))], [6, 2, 2])[0]
    clauses.insert(len(clauses) if drawn.ask in _ASK_LAST or in_order else place, ask)
    if rng.random() < 0.5:
        clauses.insert(0, Clause("open.program", role="open"))
    return clauses


def _worded(clauses: list[Clause], ways: Ways, rng: Random) -> list[Spoken] | None:
    opened = clauses[0].role == "open"
    spoken = []
    for clause in clauses:
        must_name = clause.role == "ask" and not opened
        way = pick(ways, clause.part, rng, _names_it if must_name else lambda _: True)
        if way is None:
            return None
        spoken.append(Spoken(clause, way))
    return spoken if _reads_well(spoken) else None


def _names_it(way: str) -> bool:
    return "{p}" in way


def _reads_well(spoken: list[Spoken]) -> bool:
    """Whether a careful reader understands it as meant: no half sentence at the end, no doubt whose a fact is."""
    roles = [one.clause.role for one in spoken]
    if leads_on(spoken[-1].way) or "open" in roles[1:] or carries_on(spoken[0].way):
        return False
    if "fix" in roles and any(role == "fact" for role in roles[roles.index("fix") :]):
        return False
    ask = roles.index("ask")
    if (points_back(spoken[ask].way) or spoken[ask].clause.part in _ASK_LAST) and ask != len(spoken) - 1:
        return False
    for one, following in pairwise(spoken):
        if one.clause.role == "third" and not (following.clause.role == "ask" or tells_whose(following.way)):
            return False
        # "Does this amount fit?" asks about what was said last.
        if one.clause.role == "third" and (points_back(following.way) or following.clause.part in _ASK_LAST):
            return False
        # A half sentence must not run into a third party's, a correction, or another half.
        halves = leads_on(one.way) and one.clause.role != "open"
        turns = following.clause.role in ("third", "fix") or following.clause.part.startswith("contrast.")
        if halves and (turns or leads_on(following.way)):
            return False
    return True


def _split(telling: Telling, rng: Random) -> Telling | None:
    """Cuts it into two or three turns: the program is named in the first, and none is a third party's alone."""
    spoken = telling.spoken
    named = next(place for place, one in enumerate(spoken) if _names_it(one.way))
    places = [place for place in range(named + 1, len(spoken)) if not leads_on(spoken[place - 1].way)]
    if not places:
        return None
    cuts = tuple(sorted(rng.sample(places, min(len(places), rng.choice([1, 1, 2])))))
    edges = [0, *cuts, len(spoken)]
    turns = [spoken[start:end] for start, end in pairwise(edges)]
    if any(all(one.clause.role == "third" for one in turn) for turn in turns):
        return None
    return replace(telling, cuts=cuts)
