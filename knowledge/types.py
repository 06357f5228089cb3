"""The values that knowledge is made of. Frozen, without I/O; rules import this module and nothing else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Literal, get_args


class ApplicantKind(StrEnum):
    """Who asks or would apply (申請主体)."""

    PREFECTURE = "prefecture"
    MUNICIPALITY = "municipality"
    SPECIAL_WARD = "special_ward"
    LOCAL_GOVERNMENT_ASSOCIATION = "local_government_association"
    INVESTED_CORPORATION = "invested_corporation"
    NONPROFIT = "nonprofit"
    COMPANY = "company"
    VOLUNTARY_GROUP = "voluntary_group"
    INDIVIDUAL = "individual"
    NATIONAL_AGENCY = "national_agency"
    REGIONAL_BUREAU = "regional_bureau"
    SUPPORT_PROVIDER = "support_provider"
    OTHER_CORPORATION = "other_corporation"


class Fact(StrEnum):
    """A fact of a situation that a rule may need. The values are the names used in the contract's `missing`."""

    PROGRAM = "program"
    APPLICANT_KIND = "applicant_kind"
    FISCAL_INDEX = "fiscal_index"
    INVESTMENT_OR_NONPROFIT = "investment_or_nonprofit"
    PAST_SELECTION = "past_selection"
    MUNICIPALITY_COUNT = "municipality_count"
    PARTNERSHIP = "partnership"
    RECOMMENDATION = "recommended_by_local_government"
    JOINT_PROJECT = "joint_project"
    MEETING_MODE = "meeting_mode"
    SAME_PROJECT = "same_project"
    DISPATCH_YEAR = "fiscal_year"
    INDEX_SPREAD = "index_spread"
    INDEX_STANDING = "index_standing"
    LENGTH_OF_EACH = "length_of_each"
    YEARS_IN_A_ROW = "years_in_a_row"


class Subject(StrEnum):
    """What a rule decides."""

    ELIGIBILITY = "eligibility"
    CAP = "cap"
    BUDGET = "budget"
    COST = "cost"
    DURATION = "duration"
    CALLS_PER_YEAR = "calls_per_year"
    WINDOW = "window"
    DEADLINE = "deadline"
    REPORT_DUE = "report_due"
    QUESTIONNAIRE = "questionnaire"
    REPEAT = "repeat"
    INDEX_LIMIT = "financial_strength_index_limit"
    ONLINE = "online"
    RECOMMENDATION = "recommendation"
    EXPERT = "expert"


class Verdict(StrEnum):
    """Yes or no to the question asked; `conditional` names what it hangs on."""

    ELIGIBLE = "eligible"
    INELIGIBLE = "ineligible"
    CONDITIONAL = "conditional"


class Outcome(StrEnum):
    """How far a rule got."""

    SETTLED = "settled"
    NEEDS_FACTS = "needs_facts"
    NOT_STATED = "not_stated"


Language = Literal["en", "easy"]
"""What an answer may be in beside plain Japanese: English, or やさしい日本語."""

Bound = Literal["below", "at_most", "at_least", "above"]
Unit = Literal["yen", "day", "hour", "meeting", "month", "count", "ratio", "fiscal_year", "months_of_year", "none"]


class Strict:
    """A value that is read from a file: keys that it does not know are refused."""

    __pydantic_config__: ClassVar[Mapping[str, str]] = {"extra": "forbid"}


@dataclass(frozen=True)
class Evidence(Strict):
    """Where a value stands: the place in the document and a short phrase of it."""

    place: str
    quote: str
    document: str = ""


@dataclass(frozen=True)
class Choice(Strict):
    """A tappable answer to a question about a fact."""

    label: str
    value: str
    label_en: str = ""


@dataclass(frozen=True)
class FactQuestion(Strict):
    """How a fact is asked for, and the values that it can take.

    `asked` is False for facts that are only used when the person mentions them; unknown, they match no condition.
    `look_up` is said to who does not know: where it can be found out. `confirm` asks whether a published value of it is
    to be taken, `tell_apart` which body of a {name} it is of.
    """

    fact: Fact
    label: str
    kind: Literal["choice", "number"]
    question: str = ""
    asked: bool = True
    choices: tuple[Choice, ...] = ()
    question_en: str = ""
    question_easy: str = ""
    look_up: str = ""
    look_up_en: str = ""
    look_up_easy: str = ""
    confirm: str = ""
    confirm_en: str = ""
    confirm_easy: str = ""
    tell_apart: str = ""
    tell_apart_en: str = ""
    tell_apart_easy: str = ""


@dataclass(frozen=True)
class Situation:
    """What is known of the person's case. `facts` holds choice facts by value and numbers as decimal text.

    `amount_at_most` is set where an amount may come to more, as it is counted: 半日を4回 is 2 days, or up to 4. An
    amount in meetings is so many of them, and how long each is has not been said.
    """

    facts: Mapping[Fact, str] = field(default_factory=dict)
    amount: Decimal | None = None
    amount_unit: Unit | None = None
    amount_at_most: Decimal | None = None


Comparison = Mapping[Bound, str]


Kind = Literal["passage", "question"]
"""What an entry of the index is: a passage of a document, or the wording of a question of the FAQ."""

KINDS: tuple[Kind, ...] = get_args(Kind)


class IndexMissingError(Exception):
    """There is no index for this embedding model that can be opened; the message says what to do."""


@dataclass(frozen=True)
class Row(Strict):
    """One row of a decision table: where `when` holds, this is the outcome.

    `when` maps a fact to the values that satisfy it, or to a comparison with a number or with a parameter's key.
    `says` is the ruling's sentence, `needs` what is said when a fact of this row is missing, `leaves_open` what is
    added where an amount keeps to the value only if it is counted in one of several ways. `_en` and `_easy` are the
    same in English and in やさしい日本語, written by people, with the same figures. `brief` is it in a few words,
    beside those of other programs, and `compares_as` the number that is held against theirs (of a duration its days;
    0: it is not so). No one is shown that.
    """

    says: str = ""
    brief: str = ""
    compares_as: Decimal | None = None
    when: Mapping[Fact, tuple[str, ...] | Comparison] = field(default_factory=dict)
    verdict: Verdict | None = None
    value: Decimal | tuple[int, ...] | None = None
    unit: Unit | None = None
    needs: str = ""
    leaves_open: str = ""
    leaves_open_en: str = ""
    leaves_open_easy: str = ""
    not_stated: bool = False
    evidence: tuple[Evidence, ...] = ()
    says_en: str = ""
    says_easy: str = ""
    needs_en: str = ""
    needs_easy: str = ""


@dataclass(frozen=True)
class Parameter(Strict):
    """A dated decision table, or a dated figure (a table of one row).

    `values` maps the day on which rows take effect to the rows; None ends the parameter. No entry on or before a day
    means that the documents do not state it for that day. `overview` answers those who ask in general and not for
    themselves, `brief` in a few words, beside those of other programs.
    """

    description: str
    values: Mapping[date, tuple[Row, ...] | None]
    bound: Bound | None = None
    overview: str = ""
    brief: str = ""
    not_stated_says: str = ""
    overview_en: str = ""
    overview_easy: str = ""
    not_stated_says_en: str = ""
    not_stated_says_easy: str = ""


@dataclass(frozen=True)
class SourceDocument(Strict):
    """A document that the facts of a program rest on."""

    id: str
    title: str
    url: str


@dataclass(frozen=True)
class ProgramYear(Strict):
    """What one fiscal-year file of a program holds."""

    fiscal_year: int
    parameters: Mapping[Subject, Parameter]


@dataclass(frozen=True)
class Program(Strict):
    """A support program: its names, whom to ask, what it suits, and its dated parameters.

    `aliases` are other forms of its name, `nicknames` words that point to it unless another program is named.
    `desk_channel` is the Slack channel of its own officials, who answer what the documents leave open.
    """

    id: str
    name: str
    short_name: str
    aliases: tuple[str, ...]
    nicknames: tuple[str, ...]
    summary: str
    suits: tuple[str, ...]
    contact: str
    document: SourceDocument
    verified_years: tuple[int, ...]
    years: tuple[ProgramYear, ...] = ()
    desk_channel: str = ""


@dataclass(frozen=True)
class Terms:
    """A program's rows as they stand on a day. `fiscal_year` is that of the document they rest on."""

    program: str
    program_name: str
    fiscal_year: int
    rows: Mapping[Subject, tuple[Row, ...]]
    parameters: Mapping[Subject, Parameter]


@dataclass(frozen=True)
class Ruling:
    """What a rule decided, with its reason and evidence. Nothing that a model writes can change one.

    `asked` is the amount or the first and last day that the verdict is about. `brief` and `compares_as` set it beside
    those of other programs.
    """

    program: str
    subject: Subject
    outcome: Outcome
    says: str
    verdict: Verdict | None = None
    asked: Decimal | tuple[date, date] | None = None
    value: Decimal | date | tuple[int, ...] | None = None
    unit: Unit | None = None
    missing: tuple[Fact, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    fiscal_year: int | None = None
    brief: str = ""
    compares_as: Decimal | None = None


ENUMERATED = re.compile(r"\([0-9]{1,2}\)|(?P<bare>[0-9]{1,2}(?:\.(?![0-9])|[)、 ]))|(?P<kana>[ア-ン][ .)、])")
"""How a line of a passage begins that counts the parts of a list; other lines of lists begin with ・."""

Cell = tuple[str, str]
"""A value of a table's row after the heading of its column ("" where it has none)."""


@dataclass(frozen=True)
class Chunk:
    """A passage of a document, or a typed question of the FAQ, as the index holds it.

    `id` is stable from run to run. `program` is a program id, or "" where the document belongs to none. `place` is
    where the passage stands ("推進体制構築支援 > 事業規模"), `quote` the short evidence phrase of a guide's section (""
    for other documents). `target` is the FAQ entry of a question. A passage that is a table's row has its `cells`, one
    that is an answer the question that it `answers`.
    """

    id: str
    kind: Literal["passage", "question"]
    document: str
    title: str
    text: str
    program: str = ""
    headings: tuple[str, ...] = ()
    place: str = ""
    quote: str = ""
    url: str = ""
    target: str = ""
    cells: tuple[Cell, ...] = ()
    answers: str = ""


@dataclass(frozen=True)
class NamedDocument:
    """An added document as people may name it.

    `names` are its title and the other names that it gives itself, `issuer` the body that it begins with, `years` the
    fiscal years that it is of, `parts` its first headings. `program` is the program of ours that it is about ("" for
    none).
    """

    id: str
    title: str
    names: tuple[str, ...]
    issuer: str = ""
    years: tuple[int, ...] = ()
    parts: tuple[str, ...] = ()
    program: str = ""


def section_id(program: str, heading: str) -> str:
    """The id of the chunk that a section of a program's guide is."""
    return f"{program}/guide/{heading}"


@dataclass(frozen=True)
class Hit:
    """A chunk found for a query. `score` is the fused score in 0..1, `lexical` and `dense` its parts."""

    chunk: Chunk
    score: float
    lexical: float
    dense: float


@dataclass(frozen=True)
class FaqEntry(Strict):
    """A question that people ask, in several wordings, and where its answer is.

    Exactly one of `section` (a heading of the guide), `rule` (a subject that the rules decide) and `not_stated`
    (what the documents are silent about, as a noun phrase) is set. `nearby` names a section worth showing beside a
    `not_stated`. `case_of` is the subject whose rules decide where somebody puts a case of this matter.
    """

    id: str
    questions: tuple[str, ...]
    section: str = ""
    rule: Subject | None = None
    not_stated: str = ""
    nearby: str = ""
    case_of: Subject | None = None
