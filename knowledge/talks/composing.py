"""Talks put together from clauses (`clauses/`), to be learnt from beside those that people wrote.

People seldom write what tells a reader most: whose a figure is, which of two years counts, what was put right. Here a
case is told by one clause for each fact, in any order, over one message or several, with clauses that tell of others,
of rules and of earlier years among them.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random

import yaml

from knowledge.catalog import load_catalog
from knowledge.talks.slots import PROGRAM, SLOTS, UNCLEAR, UNSAID, WANTED

CLAUSES = Path(__file__).parent / "clauses"
"""Clauses by what they say: of each fact (`examples/`, `aside` being those that say nothing of the asker's case), what
figures and names of programs in them are (`roles/`), what they ask (`asked.yaml`), and rules that somebody heard, and
what is told of others (`heard.yaml`)."""

FIGURE = "◎"
"""Stands in a clause for the figure, or the program's name, that it tells of."""

_OTHERS = (
    *(
        "隣の県",
        "近県",
        "よその市",
        "知り合いの会社",
        "別の団体",
        "友人のいる町",
        "親しい自治体",
        "近くの村",
        "ほかの県",
    ),
    *("ほかの県", "A社", "先輩の会社", "同じ県内の町", "ある市", "近隣の町", "取引先", "向かいの県", "姉妹都市"),
)
_ASIDE = "aside"

Told = dict[str, str]
"""The slots that are told of, with their values; of the others nothing is known."""

_MASKED: Mapping[str, tuple[str, ...]] = {
    "keikaku": ("amounts", "nonprofit", "invested", "with"),
    "suishin": ("amounts", "with", "nonprofit", "invested", "count"),
    "adviser": ("amounts", "nonprofit", "invested"),
}
"""Slots that clauses may tell of unsaid, so that nothing is learnt of them where no clause is chosen for them."""

_FACTS: Mapping[str, Mapping[str, str]] = {
    "keikaku": {"investment_or_nonprofit": "invested"},
    "suishin": {"past_selection": "selected", "partnership": "with", "municipality_count": "count"},
    "adviser": {
        "recommended_by_local_government": "recommended",
        "joint_project": "joint",
        "meeting_mode": "mode",
    },
}
"""The facts of clauses of which a talk of each program tells, with their slots."""

_ASKING: Mapping[str, Mapping[str, str]] = {
    "keikaku": {"eligibility": "eligibility", "cost": "none", "duration": "none", "content": "none"},
    "suishin": {"eligibility": "eligibility", "cost": "none", "content": "none", "procedure": "none"},
    "adviser": {"eligibility": "eligibility", "cost": "none", "procedure": "none", "content": "none"},
}
"""What clauses ask, with what the last message then wants."""

_BELOW = ("0.27", "0.3", "0.45", "0.52", "0.6", "0.74", "0.86", "0.98", "0.99")
_ABOVE = ("1.0", "1.00", "1.01", "1.05", "1.1", "1.2", "1.36", "1.51")
_BODIES = ("municipality", "municipality", "prefecture", "nonprofit", "company", "invested_corporation")
_KINDS = {"invested_corporation": "invested"}
_JOINTS = ("。", "。", "、", " ", "\n")


class Composer:
    """Puts talks together; the same number gives the same talk."""

    def __init__(self, means: Mapping[str, Mapping[str, Mapping[str, str]]]) -> None:
        """Takes what the values of clauses' facts come to: of each fact its slots, with values named otherwise."""
        self._means = means
        self._examples = {file.stem: _read(file) for file in sorted((CLAUSES / "examples").glob("*.yaml"))}
        self._roles = {file.stem: _read(file) for file in sorted((CLAUSES / "roles").glob("*.yaml"))}
        self._asked = _read(CLAUSES / "asked.yaml")
        heard = _read(CLAUSES / "heard.yaml")
        self._heard = [*heard["others"], *(way.format(rule) for way in heard["ways"][::4] for rule in heard["rules"])]
        self._programs = load_catalog().programs

    def compose(self, number: int) -> tuple[tuple[str, ...], Told]:
        """The messages of a talk, and what they tell."""
        rng = Random(number)
        program = rng.choice(tuple(_FACTS))
        told: Told = dict.fromkeys(SLOTS.keys() - set(_MASKED[program]) - {PROGRAM, WANTED, "applicant"}, UNSAID)
        clauses = [*self._body(program, told, rng)]
        groups = [[clause] for clause in clauses]
        if program == "keikaku":
            groups.append(self._index(told, rng))
        for fact, slot in _FACTS[program].items():
            if rng.random() < 0.5:
                groups.append([self._said(fact, slot, told, rng)])
        if program == "suishin" and told.get("count", UNSAID) == UNSAID and rng.random() < 0.5:
            groups.append(self._counts(told, rng))
        groups += self._beside(program, told, rng)
        asks = rng.choice(tuple(_ASKING[program]))
        if rng.random() < 0.8:
            told[WANTED] = _ASKING[program][asks]
            groups.append([rng.choice(self._asked[asks])])
        rng.shuffle(groups)
        if rng.random() < 0.7:
            told[PROGRAM] = program
            groups.insert(0, [self._named(program, "meant", rng)])
        return _told_over_turns(groups, rng), told

    def _body(self, program: str, told: Told, rng: Random) -> Iterator[str]:
        kinds = ("prefecture", "prefecture", "municipality") if program == "suishin" else _BODIES
        kind = rng.choice(kinds)
        told["applicant"] = _KINDS.get(kind, kind)
        yield rng.choice(self._examples["applicant_kind"][kind])

    def _said(self, fact: str, slot: str, told: Told, rng: Random) -> str:
        known = [value for value in self._examples[fact] if value not in (_ASIDE, "unknown")]
        value = rng.choice([value for value in known if self._value(fact, slot, value)])
        told[slot] = self._value(fact, slot, value)
        return rng.choice(self._examples[fact][value])

    def _value(self, fact: str, slot: str, value: str) -> str:
        meant = self._means[fact][slot].get(value, value)
        return meant if meant in SLOTS[slot] else ""

    def _index(self, told: Told, rng: Random) -> list[str]:
        """The index that counts, beside those of others, of earlier years, and one that is put right."""
        below = rng.random() < 0.5
        own, other = (_BELOW, _ABOVE) if below else (_ABOVE, _BELOW)
        told["index"] = "below" if below else "at_or_above"
        of_government = told["applicant"] in ("municipality", "prefecture")
        clause = self._figure("index", "own" if of_government else "place", own, rng)
        chance = rng.random()
        if chance < 0.25:
            return [self._figure("index", "own_before", other, rng), clause]
        if chance < 0.35:
            return [clause, self._figure("index", "own_before", other, rng)]
        if chance < 0.5:
            wrong = self._figure("index", "own" if of_government else "place", other, rng)
            return [wrong, self._figure("index", "own_after_correction", own, rng)]
        if chance < 0.6:
            told["index"] = UNCLEAR
            return [rng.choice(self._examples["fiscal_index"]["unknown"])]
        if chance < 0.75:
            whose = "prefecture" if told["applicant"] == "municipality" else "another"
            whose = whose if of_government else "seat"
            return rng.sample([clause, self._figure("index", whose, other, rng)], 2)
        return [clause]

    def _counts(self, told: Told, rng: Random) -> list[str]:
        before = rng.randint(2, 30)
        now = max(1, before + rng.choice((-3, -1, 0, 0, 1, 2, 5)))
        told["count"] = "more" if now > before else "same" if now == before else "fewer"
        told["with"] = "municipalities"
        clauses = [self._figure("count", "before", (str(before),), rng), self._figure("count", "now", (str(now),), rng)]
        if rng.random() < 0.3:
            clauses.append(self._figure("count", rng.choice(("another", "members")), (str(rng.randint(2, 60)),), rng))
        return rng.sample(clauses, len(clauses))

    def _beside(self, program: str, told: Told, rng: Random) -> Iterator[list[str]]:
        """What tells of others, of rules, and of other programs."""
        if rng.random() < 0.3:
            fact = rng.choice(tuple(_FACTS[program]))
            value = rng.choice([value for value in self._examples[fact] if value != _ASIDE])
            yield [f"{rng.choice(_OTHERS)}{rng.choice('はが')}{rng.choice(self._examples[fact][value])}"]
        if rng.random() < 0.2:
            yield [rng.choice(self._heard)]
        if rng.random() < 0.2:
            other = rng.choice([id for id in _FACTS if id != program])
            yield [self._named(other, "aside", rng)]

    def _figure(self, kind: str, role: str, figures: Sequence[str], rng: Random) -> str:
        return rng.choice(self._roles[kind][role]).replace(FIGURE, rng.choice(figures))

    def _named(self, program: str, role: str, rng: Random) -> str:
        one = self._programs[program]
        return rng.choice(self._roles["program"][role]).replace(FIGURE, rng.choice((one.name, one.short_name)))


def _told_over_turns(groups: Sequence[Sequence[str]], rng: Random) -> tuple[str, ...]:
    """The groups of clauses as messages: their clauses stay in order, and follow each other."""
    clauses = [clause.strip("。、 ") for group in groups for clause in group]
    cuts = sorted(rng.sample(range(1, len(clauses)), min(rng.choice((0, 0, 1, 1, 2)), len(clauses) - 1)))
    joint = rng.choice(_JOINTS)
    return tuple(joint.join(clauses[a:b]) for a, b in zip((0, *cuts), (*cuts, len(clauses)), strict=True))


def _read(file: Path) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return texts
