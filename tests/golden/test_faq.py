"""New wordings of what the FAQ answers, typed with their program named: how many are answered by their own matter.

`wordings.yaml` was written by somebody who saw the guides and the entries' names, and no wording of qa.yaml or of
knowledge/matters; none of it may be learnt from.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import yaml

from bot.answering import Knowledge
from bot.deciding import decide_all
from bot.finding import find
from bot.types import Findings, Inquiry
from bot.understanding import understand
from knowledge.catalog import load_catalog
from knowledge.encoder.encoding import load_encoder
from knowledge.figures import normalize
from knowledge.matters.classifying import LEARNT
from knowledge.matters.learning import load_wordings, wordings_digest
from knowledge.types import FaqEntry, Program, Ruling, Subject

AS_OF = date(2025, 6, 10)
REACHED = {"adviser": 0.76, "keikaku": 0.88, "suishin": 0.84}
"""The share that is answered by its own entry, as measured. Rules decide more than half of the others rightly."""
DECIDED = 0.02
"""The share of wordings that get a verdict on what is not stated, as measured; none is wanted."""

WORDINGS = yaml.safe_load((Path(__file__).parent / "wordings.yaml").read_text(encoding="utf-8"))
CATALOG = load_catalog()

SAME_MATTER = {subject: {Subject.WINDOW, Subject.DEADLINE} for subject in (Subject.WINDOW, Subject.DEADLINE)}
"""Subjects that answer each other's questions: whether there is still time hangs on both."""


@dataclass(frozen=True)
class Asked:
    """A wording of an entry, and what the bot made of it."""

    wording: str
    entry: FaqEntry
    findings: Findings
    rulings: tuple[Ruling, ...]

    @property
    def answered(self) -> bool:
        """Whether the entry's own matter is answered: its section or silence, or by a rule what a rule decides."""
        found = self.findings
        if self.entry.case_of in {ruling.subject for ruling in self.rulings if ruling.verdict}:
            return True
        if self.entry.not_stated:
            return self.entry.not_stated in {entry.not_stated for entry in found.silences}
        if self.entry.rule:
            return bool(SAME_MATTER.get(self.entry.rule, {self.entry.rule}) & set(found.subjects))
        return any(chunk.headings[-1:] == (self.entry.section,) for chunk in found.passages)


def typed(wording: str, program: Program) -> str:
    """The wording, with its program's name where it does not show the program."""
    shown = program.id in understand(Inquiry(wording, AS_OF), CATALOG).programs
    return wording if shown else f"{program.short_name}: {wording}"


def ask_all(program: Program, knowledge: Knowledge) -> Iterator[Asked]:
    entries = {entry.id: entry for entry in CATALOG.faq[program.id]}
    for row in WORDINGS[program.id]:
        wording, entry = row["asks"], entries[row["for"]]
        inquiry = Inquiry(typed(wording, program), AS_OF)
        understanding = understand(inquiry, CATALOG)
        findings = find(understanding, inquiry, CATALOG, knowledge.searcher, documents_only=False)
        understanding = replace(understanding, subjects=findings.subjects, programs=findings.programs)
        rulings = () if findings.silences else decide_all(understanding, findings.programs, inquiry, CATALOG)
        yield Asked(wording, entry, findings, rulings)


@pytest.fixture(scope="module", params=list(CATALOG.programs.values()), ids=list(CATALOG.programs))
def asked(request: pytest.FixtureRequest, knowledge: Knowledge) -> tuple[Asked, ...]:
    return tuple(ask_all(request.param, knowledge))


def test_no_wording_was_learnt() -> None:
    known = {text for program in WORDINGS for _, text in load_wordings(program)}
    assert not known & {normalize(row["asks"]) for rows in WORDINGS.values() for row in rows}


def test_what_was_learnt_is_of_these_wordings_and_this_encoder() -> None:
    with np.load(LEARNT) as learnt:
        assert str(learnt["wordings"]) == wordings_digest(), "the wordings have changed: make matters"
        assert str(learnt["encoder"]) == load_encoder().name, "the encoder has changed: make matters"


def test_wordings_are_answered_by_their_own_entry(asked: tuple[Asked, ...], request: pytest.FixtureRequest) -> None:
    missed = [f"{one.wording} ({one.entry.id})" for one in asked if not one.answered]
    print(f"\n{len(missed)} of {len(asked)} missed", *missed, sep="\n  ")
    share = REACHED[request.node.callspec.params["asked"].id]
    assert len(missed) <= max(1, (1 - share) * len(asked))


def test_what_is_not_stated_rarely_gets_a_verdict(asked: tuple[Asked, ...]) -> None:
    decided = [
        f"{one.wording} ({one.entry.id}): {ruling.verdict}, {ruling.says}"
        for one in asked
        if one.entry.not_stated
        for ruling in one.rulings
        if ruling.verdict
    ]
    print(f"\n{len(decided)} decided", *decided, sep="\n  ")
    assert len(decided) <= DECIDED * len(asked)
