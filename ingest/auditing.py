"""Rules and guides held against the documents: each phrase that they rest on, and each figure that they state."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from ingest.characters import squeeze
from ingest.files import replacing
from ingest.guides import read_guide
from ingest.types import Document, Placed
from knowledge.catalog import Catalog
from knowledge.conflicts import FILE, Conflict
from knowledge.figures import Dimension, normalize, read_days, read_figures, read_fiscal_years
from knowledge.types import Evidence, Parameter, Program, Row, Subject, Unit

Status = Literal["confirmed", "missing", "unchecked"]
Value = Decimal | tuple[int, ...]
"""A figure, or the months of a period."""
_Resting = tuple[Literal["rule", "guide"], str, str, Evidence]
"""What rests on a phrase, its subject, what it says, and the phrase."""

_SENTENCE = re.compile(r"[^。!?\n]+[。!?]?")
_HAS_FIGURES = re.compile(r"[0-9]|[一二三四五六七八九十百千壱弐参][百千万億円日回度週時分月かヶカケヵ箇]")
_CLAUSE = re.compile(r"[^、;]+")
_TAIL = 60  # characters of the block before, in which a phrase may begin
_FRAME = 6  # characters that a phrase needs beside its figures to be known again when these differ
_SLOT = "\0"  # what stands for a figure in a frame
_EDITION = 0.5  # of a program's phrases; a document that has as many is an edition of its page
_UNITS: Mapping[Dimension, Unit] = {
    Dimension.YEN: "yen",
    Dimension.DAY: "day",
    Dimension.HOUR: "hour",
    Dimension.MONTH: "month",
    Dimension.TIME: "count",
}
_INDEX_BEFORE = re.compile(r"財政力指数(?:が|は|の)?$")
_ANY_DAY = date(2000, 4, 1)  # months without a year are the same ones in each


@dataclass(frozen=True)
class Stated:
    """A figure that a sentence states, and where."""

    value: Value
    unit: Unit
    start: int
    end: int


@dataclass(frozen=True)
class _Cue:
    """What shows that a figure is about a subject: `needs` and none of `never`, in its clause or heading."""

    units: tuple[Unit, ...]
    needs: re.Pattern[str]
    never: re.Pattern[str]


_CUES: Mapping[Subject, _Cue] = {
    Subject.CAP: _Cue(
        ("yen", "day", "hour"),
        re.compile(r"上限|最大|限度|以内(?!に)|まで(?!に)"),
        re.compile(
            r"予算|総額|下限|単価|旅費|謝金|謝礼|人件費|機器|購入|再委託|月額|日額|時給|1(?:人|日|時間)(?:の|は|に|当|あ|[0-9])|1回(?:の|は|に|[0-9])|前まで"
            r"|報告|提出|締切|期限|募集|公募|受付|説明会|打合せ|打ち合わせ|講演|面談|目安|日程|アンケート|請求|支払"
        ),
    ),
    Subject.BUDGET: _Cue(("yen",), re.compile(r"予算(?!要求)"), re.compile(r"上限|1件|1地域|1団体|単価|1人")),
    Subject.DURATION: _Cue(
        ("month",),
        re.compile(r"支援|期間|伴走|サポート"),
        re.compile(r"募集|公募|受付|報告|提出|アンケート|締切|月(?:以内に|後|目|前|ごと|毎|以上|経過)"),
    ),
    Subject.CALLS_PER_YEAR: _Cue(
        ("count",),
        re.compile(r"(?:公募|募集|応募).*年|年.*(?:公募|募集|応募)"),
        re.compile(r"面談|会議|訪問|研修|派遣|限り|過去|につき|回まで"),
    ),
    Subject.REPORT_DUE: _Cue(
        ("day",), re.compile(r"報告.*(?:提出|期限)|提出.*報告"), re.compile(r"中間|交付|通知|請求|支払")
    ),
    Subject.INDEX_LIMIT: _Cue(("ratio",), re.compile(r"財政力指数"), re.compile(r"平均|加点|優先|参考")),
    Subject.WINDOW: _Cue(
        ("months_of_year",), re.compile(r"募集|公募|受付|申請"), re.compile(r"相談|実施期間|派遣期間")
    ),
}
_OF_BEFORE = re.compile(r"前年度|昨年|一昨年|これまでは|従来|以前は|かつて")
"""What shows that a sentence tells how it was."""


@dataclass(frozen=True)
class Finding:
    """A phrase that a rule or a guide rests on, and where a document bears it out.

    `subject` is a Subject's value or the heading of a guide's section; `rests` tells which of the two. `edition` is the
    newest edition of the program's page among the documents ("" for none).
    """

    program: str
    rests: Literal["rule", "guide"]
    subject: str
    place: str
    phrase: str
    status: Status
    document: str = ""
    found: str = ""
    edition: str = ""


@dataclass(frozen=True)
class Audit:
    """What was found of each phrase, and where documents give other figures or no longer have a phrase."""

    findings: tuple[Finding, ...]
    conflicts: tuple[Conflict, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is missing or in conflict. What no document could be held against does not count."""
        return not self.conflicts


@dataclass(frozen=True)
class _Claim:
    """The figures of one unit that a parameter has by fiscal year; none where it says that nothing is stated."""

    subject: Subject
    unit: Unit
    values: Mapping[int, frozenset[Value]]
    last_year: int
    says: str

    def contradicts(self, value: Value, years: frozenset[int]) -> bool:
        """Whether a figure of a document, stated for these fiscal years (none: for any), is another one."""
        if any(value in known for known in self.values.values()):
            return False
        first = min(self.values, default=self.last_year)
        return not years or any(first <= year <= self.last_year for year in years)


@dataclass(frozen=True)
class Slot:
    """A figure or a day of a normalised text, and what it is worth."""

    start: int
    end: int
    value: tuple[str, Any, Any]


@dataclass
class _Frame:
    """A phrase with its figures left out, and the figures that it may have."""

    text: str
    rests: Literal["rule", "guide"]
    subject: str
    says: str
    dated: bool
    allowed: set[tuple[tuple[str, Any, Any], ...]] = field(default_factory=set)


class Auditor:
    """Hears the documents block by block, so that none has to be held in memory."""

    def __init__(self, catalog: Catalog) -> None:
        """Collect what is to be looked for, by program."""
        self._evidence = {id: list(_evidence(catalog, id)) for id in catalog.programs}
        self._phrases = {
            id: {squeeze(evidence.quote) for *_, evidence in entries} for id, entries in self._evidence.items()
        }
        self._pages = {id: program.document.url for id, program in catalog.programs.items()}
        self._found: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)  # places by document and phrase
        self._documents: dict[str, Document] = {}
        self._claims = {id: list(_claims(program)) for id, program in catalog.programs.items()}
        self._frames = {id: _frames(self._evidence[id]) for id in catalog.programs}
        self._years = {id: _known_years(program) for id, program in catalog.programs.items()}
        self._before: tuple[tuple[str, str], str] = (("", ""), "")
        self._conflicts: dict[Conflict, Conflict] = {}  # a sentence counts once, at its first place

    def hear(self, document: Document, outline: Iterable[Placed]) -> Iterator[Placed]:
        """Passes a document on block by block, having looked for phrases and figures of each block's program."""
        self._documents[document.id] = document
        for placed in outline:
            if placed.program in self._phrases:
                self._look(document, placed)
            yield placed

    def _look(self, document: Document, placed: Placed) -> None:
        program = placed.program
        text = squeeze(placed.block.text)
        here, before = self._before
        tail = before[-_TAIL:] if here == (document.id, program) else ""
        self._before = ((document.id, program), text)
        found = self._found[program, document.id]
        texts = (text, tail + text, *map(squeeze, placed.headings))
        for phrase in self._phrases[program] - found.keys():
            if any(phrase in part for part in texts):
                found[phrase] = placed.place
        if _HAS_FIGURES.search(text):
            for sentence in _SENTENCE.findall(text):
                self._compare(document, placed, sentence)

    def _compare(self, document: Document, placed: Placed, sentence: str) -> None:
        heading = squeeze(placed.headings[-1]) if placed.headings else ""
        headings = "".join(heading for heading in placed.headings if heading != document.title)
        texts = (sentence, squeeze(headings))
        years = next((named for text in texts if (named := read_fiscal_years(normalize(text)))), frozenset())
        years = years or self._years_of(document, placed.program)
        contradicted = list(_contradicted(self._claims[placed.program], sentence, heading, years))
        told = {subject for subject, _ in contradicted}
        reframed = list(_reframed(self._frames[placed.program], sentence, years, self._years[placed.program]))
        contradicted += [(f.subject, f.says) for f in reframed if f.rests == "rule" and f.subject not in told]
        for subject, says in contradicted or [(frame.subject, frame.says) for frame in reframed]:
            conflict = Conflict(placed.program, subject, says, document.id, placed.place, sentence)
            self._conflicts.setdefault(replace(conflict, place=""), conflict)

    def _years_of(self, document: Document, program: str) -> frozenset[int]:
        """The years that a document's title names; none for one newer than the rules, which these must stand up to."""
        years = read_fiscal_years(normalize(squeeze(document.title)))
        return years if years and min(years) <= self._years[program][-1] else frozenset()

    def finish(self) -> Audit:
        """What was found once every document has been heard.

        A phrase is missing where the newest edition of the program's page does not have it; without an edition, what
        no document has is unchecked.
        """
        findings = []
        for program, entries in self._evidence.items():
            heard = [id for owner, id in self._found if owner == program]
            edition = self._edition(program, heard)
            for rests, subject, _, evidence in entries:
                phrase = squeeze(evidence.quote)
                document = next((id for id in [edition, *heard] if id and phrase in self._found[program, id]), "")
                place = self._found[program, document].get(phrase, "") if document else ""
                gone = bool(edition) and document != edition
                status: Status = "missing" if gone else "confirmed" if document else "unchecked"
                found = Finding(
                    program, rests, subject, evidence.place, evidence.quote, status, document, place, edition
                )
                findings.append(found)
        return Audit(tuple(findings), (*self._conflicts.values(), *map(_as_conflict, _gone(findings))))

    def _edition(self, program: str, heard: list[str]) -> str:
        """The newest document that is an edition of a program's page; "" where none is."""
        wanted = _EDITION * len(self._phrases[program])
        editions = [
            id
            for id in heard
            if len(self._found[program, id]) >= max(wanted, 1)
            or (self._documents[id].url and self._documents[id].url == self._pages[program])
        ]

        def year(id: str) -> int:
            return max(read_fiscal_years(normalize(self._documents[id].title)), default=0)

        return max(editions, key=lambda id: (year(id), editions.index(id)), default="")


def _gone(findings: Iterable[Finding]) -> Iterator[Finding]:
    return (finding for finding in findings if finding.status == "missing")


def _as_conflict(finding: Finding) -> Conflict:
    """A phrase that the newest edition of its page no longer has, as what an asker is told."""
    return Conflict(finding.program, finding.subject, finding.phrase, finding.edition, finding.place, "")


def _evidence(catalog: Catalog, id: str) -> Iterator[_Resting]:
    """The phrases of a program's rules, each once per subject, and of its guide."""
    seen = set()
    for year in catalog.programs[id].years:
        for subject, parameter in year.parameters.items():
            for row in _rows(parameter):
                for evidence in row.evidence:
                    if (subject, evidence.quote) not in seen:
                        seen.add((subject, evidence.quote))
                        yield "rule", subject.value, row.says, evidence
    for section in read_guide(catalog.guides[id]):
        for evidence in section.evidence:
            yield "guide", section.heading, f"「{evidence.quote}」", evidence


def _rows(parameter: Parameter) -> Iterator[Row]:
    for rows in parameter.values.values():
        yield from rows or ()


def _known_years(program: Program) -> range:
    """The fiscal years for which the program's parameters speak."""
    years = {year.fiscal_year for year in program.years} | set(program.verified_years)
    return range(min(years), max(years) + 1)


def _claims(program: Program) -> Iterator[_Claim]:
    last_year = _known_years(program)[-1]
    parameters: dict[Subject, list[tuple[int, Parameter]]] = defaultdict(list)
    for year in program.years:
        for subject, parameter in year.parameters.items():
            parameters[subject].append((year.fiscal_year, parameter))
    for subject, cue in _CUES.items():
        values: dict[Unit, dict[int, set[Value]]] = defaultdict(lambda: defaultdict(set))
        says: dict[Unit, str] = {}
        for fiscal_year, parameter in parameters.get(subject, []):
            for row in _rows(parameter):
                if row.value is not None and row.unit is not None:
                    values[row.unit][fiscal_year].add(row.value)
            says |= {unit: _says(parameter, unit) for unit in values}
        for unit in cue.units:
            if unit in values:
                known = {fiscal_year: frozenset(found) for fiscal_year, found in values[unit].items()}
                yield _Claim(subject, unit, known, last_year, says[unit])
        silent = [parameter for _, parameter in parameters.get(subject, []) if not any(_rows(parameter))]
        if silent and not values:
            yield from (_Claim(subject, unit, {}, last_year, silent[-1].not_stated_says) for unit in cue.units)


def _says(parameter: Parameter, unit: Unit) -> str:
    """The sentences of the rows in force last that have a figure of this unit."""
    dated = [rows for _, rows in sorted(parameter.values.items(), key=lambda entry: entry[0]) if rows]
    return "".join(row.says for row in (dated[-1] if dated else ()) if row.unit == unit)


def _contradicted(
    claims: list[_Claim], sentence: str, heading: str, years: frozenset[int]
) -> Iterator[tuple[str, str]]:
    """The subjects to which a sentence gives another figure, and what the rule says instead."""
    sentence = normalize(sentence)
    stated = [] if _OF_BEFORE.search(sentence) else list(stated_figures(sentence))
    for figure in stated:
        following = next((other for other in stated if other.unit == figure.unit and other.start >= figure.end), None)
        if following and re.fullmatch(r"から年?", sentence[figure.end : following.start]):
            continue  # 年2回から年3回に: what it was
        clause = next(found[0] for found in _CLAUSE.finditer(sentence) if found.end() >= figure.end)
        about = [claim for claim in claims if claim.unit == figure.unit]
        spoken_of = [claim for claim in about if _speaks_of(claim, f"{heading}\n{clause}")] or [
            claim for claim in about if _speaks_of(claim, f"{heading}\n{sentence}")
        ]
        for claim in spoken_of:
            if claim.contradicts(figure.value, years):
                yield claim.subject.value, claim.says


def stated_figures(sentence: str) -> Iterator[Stated]:
    """The figures of a normalised sentence in the units of the rules; a bare number only as a limit of the index."""
    for figure in read_figures(sentence):
        if unit := _UNITS.get(figure.dimension):
            yield Stated(figure.value, unit, figure.start, figure.end)
        elif figure.dimension is Dimension.NUMBER and figure.bound and _INDEX_BEFORE.search(sentence[: figure.start]):
            yield Stated(figure.value, "ratio", figure.start, figure.end)
    for day in read_days(sentence, _ANY_DAY):
        if day.precision == "months":
            count = (day.last_on.month - day.first_on.month) % 12 + 1
            months = tuple((day.first_on.month - 1 + number) % 12 + 1 for number in range(count))
            yield Stated(months, "months_of_year", day.start, day.end)


def _speaks_of(claim: _Claim, text: str) -> bool:
    cue = _CUES[claim.subject]
    return bool(cue.needs.search(text)) and not cue.never.search(text)


def slotted(text: str) -> tuple[str, tuple[Slot, ...]]:
    """A text with its figures and days left out, and these in order; years stay."""
    normal = normalize(text)
    slots = [Slot(f.start, f.end, (f.dimension.value, f.value, None)) for f in read_figures(normal)]
    for day in read_days(normal, _ANY_DAY):
        if day.precision not in ("fiscal_year", "year"):
            slots.append(Slot(day.start, day.end, (day.precision, day.first_on, day.last_on)))
    kept: list[Slot] = []
    parts: list[str] = []
    at = 0
    for slot in sorted(slots, key=lambda slot: slot.start):
        if slot.start >= at:
            kept.append(slot)
            parts += [normal[at : slot.start], _SLOT]
            at = slot.end
    return "".join([*parts, normal[at:]]), tuple(kept)


def sentences_of(document: Document) -> Iterator[tuple[str, str]]:
    """The sentences of a document with their places, and its rows whole."""
    for block in document.blocks:
        for sentence in [block.text] if block.kind == "row" else _SENTENCE.findall(block.text):
            if text := sentence.strip():
                yield text, block.place


def _frames(entries: list[_Resting]) -> list[_Frame]:
    frames: dict[str, _Frame] = {}
    for rests, subject, says, evidence in entries:
        text, slots = slotted(squeeze(evidence.quote))
        if not slots or len(text.replace(_SLOT, "")) < _FRAME:
            continue
        dated = bool(read_fiscal_years(normalize(squeeze(evidence.quote))))
        frames.setdefault(text, _Frame(text, rests, subject, says, dated)).allowed.add(
            tuple(slot.value for slot in slots)
        )
    return list(frames.values())


def _reframed(frames: list[_Frame], sentence: str, years: frozenset[int], known: range) -> Iterator[_Frame]:
    """The phrases that a sentence has with other figures."""
    text, slots = slotted(sentence)
    figures = tuple(slot.value for slot in slots)
    for frame in frames:
        if years and not frame.dated and not any(year in known for year in years):
            continue
        place = text.find(frame.text)
        while place >= 0:
            first = text.count(_SLOT, 0, place)
            if figures[first : first + frame.text.count(_SLOT)] not in frame.allowed:
                yield frame
            place = text.find(frame.text, place + 1)


def save_audit(data_dir: Path, audit: Audit) -> None:
    """Keeps the conflicts where the bot reads them."""
    content = {"conflicts": [asdict(conflict) for conflict in audit.conflicts]}
    with replacing(data_dir / FILE) as output:
        output.write(json.dumps(content, ensure_ascii=False, indent=1).encode())
