"""Holds what the messages of a talk were read as against what the whole talk comes to (knowledge/talks)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from knowledge.encoder.encoding import load_encoder
from knowledge.figures import Dimension
from knowledge.matters import load_matters
from knowledge.talks import TalkRead, load_talk_reader
from knowledge.talks.asked import NOTHING, OUTSIDE, by_rules, names_of_entries, programs_of_asked
from knowledge.talks.slots import PROGRAM, UNCLEAR, UNSAID, WANTED
from knowledge.types import ApplicantKind, Fact, Subject

SURE_OF_MORE = 0.98
"""From this probability on a talk says more than its words were read as, or something else."""

SURE_OF_DENIAL = 0.99
"""From here on it denies what words speak of without saying it (断られてはいません)."""

SURE_AGAINST = 0.95
"""From here on it says something else than words of earlier messages were read as."""

SURE_OF_DOUBT = 0.8
"""From here on it leaves open what words of the last message say."""

SURE_OF_FIGURES = 0.8
"""From here on it says on which side of 1 the index is that its figures are."""

LIKELY = 0.6
"""From here on it is held for what a talk says; a fact whose words were read otherwise is asked for."""

SURE_OF_INDEX = 0.9
"""From here on a figure is an index that counts, or is none."""

SURE_OF_ALL = 0.95
"""From here on a talk that names no program and goes on from none is of this one."""

_ALIKE = 0.25
"""What words of earlier messages were read as is doubted below this probability, where the talk says something else."""

_HARDLY_ALIKE = 0.02
"""The same of words of the last message."""


@dataclass(frozen=True)
class _Meant:
    """The values of a slot that come to a value of a fact."""

    slot: str
    values: frozenset[str]


def _means(slot: str, *values: str) -> _Meant:
    return _Meant(slot, frozenset(values))


_KINDS = {
    ApplicantKind.MUNICIPALITY: ("municipality",),
    ApplicantKind.PREFECTURE: ("prefecture",),
    ApplicantKind.SPECIAL_WARD: ("special_ward",),
    ApplicantKind.LOCAL_GOVERNMENT_ASSOCIATION: ("association",),
    ApplicantKind.NONPROFIT: ("nonprofit", "other_corporation"),
    ApplicantKind.INVESTED_CORPORATION: ("invested",),
    ApplicantKind.COMPANY: ("company",),
    ApplicantKind.SUPPORT_PROVIDER: ("provider",),
    ApplicantKind.VOLUNTARY_GROUP: ("voluntary",),
    ApplicantKind.INDIVIDUAL: ("individual",),
    ApplicantKind.NATIONAL_AGENCY: ("national",),
    ApplicantKind.REGIONAL_BUREAU: ("bureau",),
    ApplicantKind.OTHER_CORPORATION: ("other_corporation", "nonprofit", "company"),
}

_MEANT: Mapping[tuple[Fact, str], _Meant] = {
    **{(Fact.APPLICANT_KIND, kind): _means("applicant", *values) for kind, values in _KINDS.items()},
    (Fact.INVESTMENT_OR_NONPROFIT, "invested"): _means("invested", "yes"),
    (Fact.INVESTMENT_OR_NONPROFIT, "nonprofit"): _means("nonprofit", "yes"),
    (Fact.INVESTMENT_OR_NONPROFIT, "neither"): _means("invested", "no"),
    (Fact.INVESTMENT_OR_NONPROFIT, "awaited"): _means("invested", UNCLEAR),
    (Fact.PAST_SELECTION, "selected"): _means("selected", "yes"),
    (Fact.PAST_SELECTION, "never"): _means("selected", "never"),
    (Fact.PAST_SELECTION, "applied_not_selected"): _means("selected", "applied"),
    (Fact.MUNICIPALITY_COUNT, "more"): _means("count", "more"),
    (Fact.MUNICIPALITY_COUNT, "same"): _means("count", "same"),
    (Fact.MUNICIPALITY_COUNT, "fewer"): _means("count", "fewer"),
    (Fact.MUNICIPALITY_COUNT, "undecided"): _means("count", UNCLEAR, "fewer"),
    (Fact.PARTNERSHIP, "joint"): _means("with", "municipalities"),
    (Fact.PARTNERSHIP, "alone"): _means("with", "alone", "no_prefecture"),
    (Fact.RECOMMENDATION, "local_government"): _means("recommended", "yes"),
    (Fact.RECOMMENDATION, "regional_bureau"): _means("recommended", "yes"),
    (Fact.RECOMMENDATION, "none"): _means("recommended", "no"),
    (Fact.RECOMMENDATION, "elsewhere"): _means("recommended", "no"),
    (Fact.RECOMMENDATION, "awaited"): _means("recommended", UNCLEAR, "no"),
    (Fact.JOINT_PROJECT, "with_recommender"): _means("joint", "recommender"),
    (Fact.JOINT_PROJECT, "with_other"): _means("joint", "other"),
    (Fact.JOINT_PROJECT, "none"): _means("joint", "no"),
    (Fact.JOINT_PROJECT, "awaited"): _means("joint", UNCLEAR, "no"),
    (Fact.MEETING_MODE, "on_site"): _means("mode", "on_site", "both"),
    (Fact.MEETING_MODE, "online"): _means("mode", "online"),
    (Fact.SAME_PROJECT, "other_project"): _means("project", "different"),
    (Fact.SAME_PROJECT, "other_adviser"): _means("adviser", "different"),
    (Fact.SAME_PROJECT, "same"): _means("project", "same"),
    (Fact.DISPATCH_YEAR, "same"): _means("year", "same"),
    (Fact.DISPATCH_YEAR, "later"): _means("year", "different"),
}


_SLOTS: Mapping[Fact, tuple[str, ...]] = {
    Fact.APPLICANT_KIND: ("applicant",),
    Fact.INVESTMENT_OR_NONPROFIT: ("invested", "nonprofit"),
    Fact.PAST_SELECTION: ("selected",),
    Fact.MUNICIPALITY_COUNT: ("count",),
    Fact.PARTNERSHIP: ("with",),
    Fact.RECOMMENDATION: ("recommended",),
    Fact.JOINT_PROJECT: ("joint",),
    Fact.MEETING_MODE: ("mode",),
    Fact.SAME_PROJECT: ("project", "adviser"),
    Fact.DISPATCH_YEAR: ("year",),
}
"""The slots that tell of each fact; of several, one that differs goes before one that is the same."""

_TOLD: Mapping[tuple[str, str], str] = {
    **{("applicant", values[0]): kind for kind, values in _KINDS.items()},
    ("invested", "yes"): "invested",
    ("invested", "no"): "neither",
    ("invested", UNCLEAR): "awaited",
    ("selected", "yes"): "selected",
    ("selected", "never"): "never",
    ("selected", "applied"): "applied_not_selected",
    ("count", "more"): "more",
    ("count", "same"): "same",
    ("count", "fewer"): "fewer",
    ("with", "municipalities"): "joint",
    ("with", "alone"): "alone",
    ("recommended", "yes"): "local_government",
    ("recommended", "no"): "none",
    ("recommended", UNCLEAR): "awaited",
    ("joint", "recommender"): "with_recommender",
    ("joint", "other"): "with_other",
    ("joint", "no"): "none",
    ("joint", UNCLEAR): "awaited",
    ("mode", "on_site"): "on_site",
    ("mode", "both"): "on_site",
    ("mode", "online"): "online",
    ("project", "different"): "other_project",
    ("adviser", "different"): "other_adviser",
    ("adviser", "same"): "same",
    ("year", "same"): "same",
    ("year", "different"): "later",
}
"""The value of a fact that a slot's value comes to; those that come to none leave it open."""


@lru_cache(maxsize=256)
def read_talk(turns: tuple[str, ...]) -> TalkRead:
    """What the messages of a talk come to; those just read are not read again for each thing that one asks."""
    return load_talk_reader().read(turns)


def program_of(talk: TalkRead, at_least: float) -> str:
    """The program that a talk is surely of, "" where it is not sure."""
    program = talk.surely(PROGRAM, at_least)
    return "" if program == UNSAID else program


ASKED = 0.4
"""From this probability on, what a message of a known program likeliest asks is taken for what it asks."""

ASKED_TOO = 0.5
"""The same of what it asks beside, and where it may be of none of the programs."""

SURELY_ASKED = 0.8
"""From here on it is asked, though words seem to say all that is."""

ASKS_NOTHING = 0.8
"""From this probability on, a message that goes on asks nothing."""

HARDLY = 0.02
"""Below this probability, what words seem to ask beside what is surely asked is not."""

POSSIBLY_ASKED = 0.2
"""From this probability on, rules are asked for that words ask for, beside those that surely are."""


def asked_in(
    talk: TalkRead, matter: str, named: Collection[str] = (), programs: Collection[str] = ()
) -> tuple[str, ...]:
    """What the last message of a talk likely asks (knowledge/talks/asked.py), the likeliest first.

    Of one program only, unless it is as likely asked of several. () where the talk does not tell, or where a program of
    which no talks were learnt may be meant.

    Args:
        talk: the talk as it was read.
        matter: what its last message says beside the names of programs.
        named: the programs that the message names.
        programs: those that it may be of, where it names none.
    """
    of = {name: program for name, program in programs_of_asked().items() if name in talk.asked}
    if not set(named or programs) <= set(of.values()):
        return ()
    meant = program_of(talk, SURE_OF_PROGRAM)
    alone = _by_wordings(matter, named or ([meant] if meant else []))
    shares = {
        name: _OF_THE_TALK * talk.asked[name] + (1 - _OF_THE_TALK) * alone.get(name, 0.0)
        if program
        else talk.asked[name]  # no wordings ask what is none of ours
        for name, program in of.items()
        if not named or program in ("", *named)
    }
    likeliest = max(shares.values())
    of_ours = bool(named or program_of(talk, LIKELY))
    needed = ASKED if of_ours and likeliest < ASKED_TOO else ASKED_TOO
    plainly = {name for name, share in alone.items() if share >= _PLAIN_ALONE and talk.asked.get(name, 0.0) >= _HARDLY}
    likely = (name for name, share in shares.items() if share >= needed or name in plainly)
    asked = sorted(likely, key=lambda name: -shares[name])
    if not asked or asked[0] == NOTHING:
        return ()
    if asked[0] == OUTSIDE:
        return (OUTSIDE,)  # whatever else is like it: 古い家の地震対策はいくらまで出る?
    surest = max(talk.asked[name] for name in asked)
    owners = {of[name] for name in asked if talk.asked[name] >= _AS_LIKELY * surest or name == asked[0]}
    for one in (meant, *programs) if meant or len(programs) == 1 else ():
        if one in owners:
            owners = {one}
    return tuple(name for name in asked if of[name] in owners)


def _by_wordings(matter: str, programs: Collection[str]) -> Mapping[str, float]:
    """How likely a question asks each thing, by its wording alone; of all programs where none is known."""
    if not matter:
        return {}
    matters, names = load_matters(), names_of_entries()
    vector = load_encoder().encode_queries((matter,))[0]
    asked_of = dict.fromkeys(programs, 1.0) or matters.tell_program(vector)
    told: dict[str, float] = {}
    for program, likely in asked_of.items():
        for entry, share in matters.tell(program, vector).items():
            if name := names.get((program, entry)):  # the FAQ may have changed since
                told[name] = told.get(name, 0.0) + share * likely
    return told


_OF_THE_TALK = 0.65
"""How much the talk counts for what is asked, against the wording of the last message alone."""

_PLAIN_ALONE = 0.9
"""What the wording alone asks so plainly is asked, unless the talk as a whole hardly does:"""

_HARDLY = 0.25

_AS_LIKELY = 0.9
"""What is asked of another program counts from this share of the likeliest on."""

SURE_OF_PROGRAM = 0.9
"""From this probability on, a talk is of one program where what is asked is asked of several."""


def surely_among(talk: TalkRead, asks: Collection[str]) -> tuple[str, ...]:
    """What the last message of a talk surely asks of these things."""
    return tuple(name for name in asks if talk.asked[name] >= SURELY_ASKED)


def asks_nothing(talk: TalkRead) -> bool:
    """Whether the last message of a talk likely asks nothing: 課長に言うときます."""
    return talk.asked[NOTHING] >= ASKS_NOTHING and talk.asked[NOTHING] == max(talk.asked.values())


def leaves_the_talk(text: str, talk: TalkRead, asks: Collection[str]) -> bool:
    """Whether a message by itself asks what is none of our business, so that nothing before it tells what it asks."""
    alone = read_talk((text,)).asked
    if not asks:
        return alone[OUTSIDE] >= SURELY_ASKED and max(talk.asked.values()) < POSSIBLY_ASKED
    return alone[OUTSIDE] >= ASKED and all(alone.get(name, 0.0) < POSSIBLY_ASKED for name in asks)


def possibly_asked(
    talk: TalkRead, programs: Collection[str], subject: Subject, at_least: float = POSSIBLY_ASKED
) -> bool:
    """Whether the last message of a talk may ask of one of the programs what rules decide on a subject."""
    return any(talk.asked.get(by_rules(program, subject), 0.0) >= at_least for program in programs)


def compared_in(talk: TalkRead, programs: Collection[str]) -> Mapping[Subject, float]:
    """How likely the last message of a talk asks of all these programs what rules decide on each subject."""
    shares = {subject: [talk.asked.get(by_rules(id, subject), 0.0) for id in programs] for subject in Subject}
    return {subject: sum(of_each) / len(of_each) for subject, of_each in shares.items()}


def programs_among(asks: Collection[str]) -> tuple[str, ...]:
    """The programs of what is asked, each once."""
    of = programs_of_asked()
    return tuple(dict.fromkeys(of[name] for name in asks if of[name]))


def ruled_among(asks: Collection[str]) -> tuple[Subject, ...]:
    """What rules decide of what is asked, in the same order."""
    return tuple(dict.fromkeys(Subject(name.partition("/")[2]) for name in asks if "/" in name))


def wanted_in(talk: TalkRead) -> Mapping[str, float]:
    """What the last message may want decided, or that it wants nothing so, each with its probability (0–1)."""
    wanted: dict[str, float] = {}
    for name, share in talk.shares[WANTED].items():
        subject = _SUBJECTS.get(name, name)
        wanted[subject] = wanted.get(subject, 0.0) + share
    return wanted


_SUBJECTS: Mapping[str, str] = {"budget": Subject.CAP}


@dataclass(frozen=True)
class Settled:
    """What a talk tells of a case: the facts, and those that it speaks of and leaves `open`."""

    told: Mapping[Fact, str]
    open: frozenset[Fact]


def settle(
    read: Mapping[Fact, str | None], before: Mapping[Fact, str], talk: TalkRead, *, puts_right: bool, asks: bool
) -> Settled:
    """What a talk as a whole says of facts beside what its words were read as, or against it.

    What was said before may so be put right, and what is said of somebody else does not count.

    Args:
        read: the facts that count, with what the words of the last message were read as, None where they say nothing.
        before: the facts as the messages before were read.
        talk: what the talk comes to.
        puts_right: whether the last message takes back something that it said itself (ありました、失礼、ないです).
        asks: whether it asks anything, so that it may turn to another body (県ならどうですか).
    """
    told = dict[Fact, str]()
    for fact in read.keys() & _SLOTS.keys() - _PLAIN:
        value, share = _likeliest(fact, talk)
        words = None if fact is Fact.MEETING_MODE else read[fact]
        known = read[fact] or before.get(fact)
        if value == UNSAID or words == "elsewhere":  # who counts, words tell better
            continue
        if words:
            lightly = value in _SETTLES_NOTHING or (value == before.get(fact) and not asks)
            needed, alike = (SURE_OF_DOUBT, _ALIKE) if lightly else (SURE_OF_MORE, _HARDLY_ALIKE)
            against = _share_of(fact, words, talk)
            if share >= needed and against < alike:
                told[fact] = value
            elif puts_right and share >= LIKELY and against < LIKELY:
                told[fact] = ""
        elif words == "" or known is None:
            in_words = value == "invested" or (fact is Fact.APPLICANT_KIND and known is None)  # words tell whose
            needed = SURE_OF_DENIAL if value == "none" else SURE_OF_MORE
            if share >= needed and value != known and not (in_words and words == ""):
                told[fact] = value
        elif _share_of(fact, known, talk) < _ALIKE and share >= LIKELY:
            told[fact] = value if share >= SURE_AGAINST else ""
    invested = told.get(Fact.INVESTMENT_OR_NONPROFIT) or read.get(Fact.INVESTMENT_OR_NONPROFIT)
    applicant = told.get(Fact.APPLICANT_KIND) or read.get(Fact.APPLICANT_KIND)
    if applicant == ApplicantKind.INVESTED_CORPORATION and invested in ("awaited", "neither"):
        told[Fact.APPLICANT_KIND] = ApplicantKind.COMPANY
    still_open = frozenset(fact for fact, value in told.items() if not value)
    return Settled({fact: value for fact, value in told.items() if value}, still_open)


_PLAIN = frozenset({Fact.MUNICIPALITY_COUNT})
"""Facts that are told by numbers, which rules compare."""


_SETTLES_NOTHING = frozenset({"", "awaited", "with_other"})
"""Values that leave a verdict open."""


def _likeliest(fact: Fact, talk: TalkRead) -> tuple[str, float]:
    """What a talk likeliest says of a fact, "" for something unsettled, UNSAID for nothing, with its probability."""
    said = [(slot, *talk.likeliest(slot)) for slot in _SLOTS[fact]]
    spoken_of = [(slot, value, share) for slot, value, share in said if value != UNSAID]
    if not spoken_of:
        return UNSAID, min(share for _, _, share in said)
    settled = [one for one in spoken_of if one[1] in ("yes", "different")] or spoken_of
    slot, value, share = settled[0]
    if fact is Fact.SAME_PROJECT and value == "same":
        slot, value, share = "adviser", *min((talk.likeliest(one) for one in _SLOTS[fact]), key=lambda told: told[1])
        return (_TOLD.get((slot, value), ""), share) if value != UNSAID else (UNSAID, share)
    return _TOLD.get((slot, value), ""), share


def _share_of(fact: Fact, value: str, talk: TalkRead) -> float:
    """How likely it is that a talk says this value of a fact (1 where it tells nothing of such a value)."""
    meant = _MEANT.get((fact, value))
    return sum(talk.shares[meant.slot][one] for one in meant.values) if meant else 1.0


def index_side(talk: TalkRead, at_least: float = LIKELY) -> str:
    """Where the index that counts stands to 1: "below", "at_or_above", "mixed", "unclear"; UNSAID if it is not said."""
    return talk.surely("index", at_least)


def side_of(index: str) -> str:
    """On which side of 1 an index is."""
    return "below" if Decimal(index) < 1 else "at_or_above"


def denies_index(index: str, talk: TalkRead) -> bool:
    """Whether a talk likely says that the index which counts is not on this side of 1, or that it is not known."""
    likeliest, share = talk.likeliest("index")
    doubted = talk.shares["index"][side_of(index)] < _ALIKE
    return doubted and likeliest != UNSAID and share >= LIKELY


def leaves_index_open(index: str, talk: TalkRead) -> bool:
    """Whether a talk surely says that the index which counts is not known, or this one to be none of the asker's."""
    if index_side(talk, SURE_OF_DOUBT) == UNCLEAR:
        return True
    own = [one for one in talk.figures if one.figure.dimension is Dimension.NUMBER]
    its = [one for one in own if one.figure.value == Decimal(index)]
    counts = any(one.role == "index" for one in own) or not its
    another = all(one.role == "none" and one.share >= SURE_OF_INDEX for one in its)
    return another and not counts and talk.likeliest("index")[0] == UNSAID


def way_to_meet(talk: TalkRead) -> str:
    """How people are to meet, as a talk likely says: "on_site", "online", "both", or "" where it does not say."""
    way = talk.surely("mode", LIKELY)
    return "" if way == UNSAID else way


def adds_up(talk: TalkRead) -> bool:
    """Whether figures of a talk have to be added, multiplied or taken off."""
    return talk.surely("amounts", LIKELY) == "sum"
