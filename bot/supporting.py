"""Tells whether one statement of a source says what a clause says, and if not, why. Pure."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from bot.claims import Token, paraphrases
from bot.statements import BINDING_SIGNS, Part, Statement, carries

_KEPT_SHARE = 0.5
"""The least share of a source's part that a clause about who may, figures or duties must keep."""

_KEPT_SHARE_ELSEWHERE = 0.3
"""The same for clauses about anything else."""

_MOST_LENT = 1
"""Words that a clause may take from the rest of the passage instead of from the statement that it rests on."""

_EACH = "#1件"
"""1件につき may be left out: what holds for one case is what is said."""


@dataclass(frozen=True)
class Claim:
    """What a clause says, and what the whole sentence says that it is of."""

    tokens: tuple[Token, ...]
    sentence: tuple[Token, ...]

    @cached_property
    def forms(self) -> frozenset[str]:
        """What stands in the clause, in whatever role."""
        return frozenset(token.form for token in self.tokens)

    @cached_property
    def figures(self) -> tuple[str, ...]:
        """Its figures, in order."""
        return tuple(token.form for token in self.tokens if token.kind == "figure")

    @cached_property
    def is_sensitive(self) -> bool:
        """Whether it is about who may, figures or duties, or denies something."""
        return bool(self.figures) or any(t.form in paraphrases().sensitive or t.denied for t in self.tokens)

    @cached_property
    def is_plain(self) -> bool:
        """Whether it speaks of nobody in particular either."""
        return not self.is_sensitive and self.forms.isdisjoint(paraphrases().qualifiers)


@dataclass(frozen=True, order=True)
class Objection:
    """Why a statement does not say what a clause says. Of two the greater one came nearer to it."""

    nearness: tuple[int, int]
    reason: str


def objection_to(claim: Claim, statement: Statement) -> Objection | None:
    """The first thing in which the clause differs from the statement; None where the statement says it."""
    if found := _word_without_support(claim, statement):
        return found
    for step, check in enumerate(_CHECKS, 1):
        if reason := check(claim, statement):
            return Objection((step, 0), reason)
    parts = _parts_used(claim, statement)
    if parts is None:
        return Objection((len(_CHECKS) + 1, 0), "組み合わせが違う")
    for step, check_parts in enumerate(_CHECKS_OF_PARTS, len(_CHECKS) + 2):
        if reason := check_parts(claim, statement, parts):
            return Objection((step, 0), reason)
    return None


# --- words, figures and signs ----------------------------------------------------------------------------------------


def _word_without_support(claim: Claim, statement: Statement) -> Objection | None:
    said = [token for token in claim.tokens if carries(token) or token.kind == "sign"]
    topic_ends = max((token.place for token in claim.tokens if token.role == "は"), default=-1)
    lent = 0
    for place, token in enumerate(said):
        names_the_topic = claim.is_plain and not statement.topic and token.place <= topic_ends
        lent += _is_lent(token, statement) and not names_the_topic
        if lent > _MOST_LENT or not _stands_in(token, statement, claim.is_sensitive):
            what = "数値" if token.kind == "figure" else "否定" if token.denied else "言葉"
            return Objection((0, place), f"出典にない{what} {token.form.lstrip('#')}")
    return None


def _is_lent(token: Token, statement: Statement) -> bool:
    """Whether only other statements of the passage have the word."""
    return (
        token.kind == "word"
        and token.form in statement.nearby - statement.context
        and all(other.form != token.form for other in statement.tokens)
    )


def _stands_in(token: Token, statement: Statement, sensitive: bool) -> bool:
    """Whether the statement has the token, denied alike; what its heading says need not be repeated in it."""
    wider = paraphrases().narrower.get(token.form, frozenset())
    for other in statement.tokens:
        same = other.form == token.form or other.form in wider
        if same and other.kind == token.kind and other.denied == token.denied:
            return True
    if token.kind == "sign":
        signs = {other.form for other in statement.tokens if other.kind == "sign"}
        match token.form:
            case "CAN" | "COND":  # a condition more says less
                return True
            case "PERMIT":
                return "CAN" in signs and not token.denied
            case "MUST":
                return signs.isdisjoint(_NO_DUTY) and not token.denied
            case _:
                return False
    if token.kind == "figure" or token.denied:
        return False
    if token.form in statement.named and token.role in ("が", "を", "に", "です", "のは"):
        return False  # a word of the program's name is no thing that something is done to
    return token.form in (statement.context if sensitive or token.role == "は" else statement.nearby)


_NO_DUTY = frozenset({"CAN", "NEEDLESS", "PERMIT", "MAY", "NOT_ALWAYS"})
"""Where one of these stands, 必要 may not be added; elsewhere 申請します and 申請する必要があります are the same."""


def _quote_made_up(claim: Claim, statement: Statement) -> str:
    quotes = {token.form for token in statement.tokens if token.kind == "quote"}
    made_up = {token.form for token in claim.tokens if token.kind == "quote"} - quotes
    return f"出典にない引用 {min(made_up)}" if quotes and made_up else ""


def _figure_too_often(claim: Claim, statement: Statement) -> str:
    more = Counter(claim.figures) - Counter(token.form for token in statement.tokens)
    return f"数値の回数が違う {next(iter(more)).lstrip('#')}" if more else ""


def _unsettled(claim: Claim, statement: Statement) -> str:
    return "確かめられていない文書だけが根拠" if claim.is_sensitive and not statement.settled else ""


# --- what is asserted, and of whom -----------------------------------------------------------------------------------


def _predicate_left_out(claim: Claim, statement: Statement) -> str:
    """The word in which the statement ends, where the clause is about figures or duties and does not have it."""
    last = statement.parts[-1]
    words = [token for token in (last if last.of_row else statement).tokens if token.kind in ("word", "figure")]
    if not claim.is_sensitive or not words or words[-1].kind == "figure" or not carries(words[-1]):
        return ""
    return (
        ""
        if words[-1].form == "応募" or _kept(words[-1].form, claim.forms)
        else f"述べていることが落ちている {words[-1].form}"
    )


def _possibility_made_certain(claim: Claim, statement: Statement) -> str:
    ends_in = {token.form for token in statement.tokens[-1:]}
    is_possible = ends_in & {"CAN", "MAY"} and claim.forms.isdisjoint({"CAN", "MAY", "PERMIT", "対象"})
    return "できることが、することになっている" if is_possible else ""


_NOMINALIZERS = frozenset({"事", "こと", "物", "もの"})


def _predicate_made_up(claim: Claim, statement: Statement) -> str:
    word = _unsaid_predicate(claim.tokens, statement)
    return f"述べていることが違う {word}" if word else ""


def _unsaid_predicate(tokens: tuple[Token, ...], statement: Statement) -> str:
    """A word that the clause asserts, where the statement does not have it or only describes by it, or ""."""
    words = [token for token in tokens if token.kind in ("word", "figure")]
    if not words or words[-1].kind == "figure":
        return ""
    last = next((word for word in reversed(words) if word.form not in _NOMINALIZERS), words[-1])
    if any(token.form == "FREE" and token.place > last.place for token in tokens):
        return ""  # 支援を受ける側の負担はありません
    wider = paraphrases().narrower.get(last.form, frozenset())
    same = [other for other in statement.tokens if other.form == last.form or other.form in wider]
    if not same:
        return "" if last.form in paraphrases().empty_predicates | statement.context - statement.named else last.form
    if last.role == "です" and all(other.role not in ("です", "で", "") for other in same):
        return last.form
    if last.role in ("です", "") and all(other.attributive for other in same):
        return last.form
    for token in words:
        described = [other.attributive for other in statement.tokens if other.form == token.form]
        if token.role in ("し、", "まで", "を") and not token.attributive and described and all(described):
            return token.form
    return ""


_PREDICATE_ROLES = frozenset({"", "です", "し、", "なら", "のは"})
_SUBJECT_ROLES = frozenset({"が", "は", "も", "の", "か", "や"}) | _PREDICATE_ROLES


def _role_changed(claim: Claim, statement: Statement) -> str:
    token = next((token for token in claim.tokens if not _same_role(token, statement)), None)
    return f"立場が違う {token.form}" if token else ""


def _topic_and_owner_swapped(claim: Claim, statement: Statement) -> str:
    """Whether "B of A" of the statement's topic A has become "A of B" (コンサルタントは団体の意向も聞き)."""
    roles: dict[str, set[str]] = {}
    for written in statement.tokens:
        roles.setdefault(written.form, set()).add(written.role)
    topics = {token.form for token in claim.tokens if token.role == "は" and roles.get(token.form) == {"の"}}
    owners = {token.form for token in claim.tokens if token.role == "の" and roles.get(token.form) == {"は"}}
    return f"立場が入れ替わっている {min(topics)}" if topics and owners else ""


def _same_role(token: Token, statement: Statement) -> bool:
    """Whether what the clause says of a thing is said of it, and not with or to it, by the statement."""
    if token.kind == "figure" and token.role == "から":
        return any(other.form == token.form and other.role == "から" for other in statement.tokens)
    if token.kind != "word" or token.role not in ("が", "は", "も", "と", "から", "に", "を", "の"):
        return True
    wider = paraphrases().narrower.get(token.form, frozenset())
    roles = {other.role for other in statement.tokens if other.form == token.form or other.form in wider}
    if not roles:
        if token.role != "が":
            return True
        if carries(token):
            return token.form in statement.context
        return all(other.role != "が" for other in statement.tokens)
    match token.role:
        case "の":  # 市なら推薦なしで is not 市の推薦なしで
            return roles != {"なら"}
        case "が":
            return (
                roles != {"も"} and (roles != {"の"} or not carries(token)) and bool(roles & (_SUBJECT_ROLES | {"を"}))
            )
        case "を":
            return bool(roles & (_SUBJECT_ROLES | {"を"}))
        case "も" if roles == {"の"}:
            return False
        case "は" | "も":
            return bool(roles & (_SUBJECT_ROLES | {"を", "に", "で"}))
        case "に":
            return bool(roles & (_PREDICATE_ROLES | {"に", "へ", "で", "の", "も", "か", "や"}))
        case _:
            return bool(roles & (_PREDICATE_ROLES | {token.role, "の", "も", "か", "や"}))


# --- order -----------------------------------------------------------------------------------------------------------


def _turned_around(claim: Claim, statement: Statement) -> str:
    """Whether the clause leaves the order of "not this but that" or of "this because of that"."""
    if not any(re.search(r"で(?:は)?なく|からです$", part.text) for part in statement.parts):
        return ""
    return "" if _in_order(claim.tokens, [token.form for token in statement.tokens]) else "順が違う"


def _figures_out_of_order(claim: Claim, statement: Statement) -> str:
    """Whether the figures of a part stand in another order (4月から12月まで), or a bound went to another of them."""
    for part in statement.parts:
        if not _in_order(claim.tokens, [token.form for token in part.tokens if token.kind == "figure"]):
            return "数値の順が違う"
    bounds, said = _bounds(statement.tokens), _bounds(claim.tokens)
    same = all(bounds[form] == said[form] for form in said if 1 < len(said[form]) == len(bounds.get(form, ())))
    return "" if same else "数値に付く言葉が違う"


def _hangs_on_another(claim: Claim, statement: Statement) -> str:
    """Whether だけ or 場合 stands with another thing than in the statement."""
    for sign in ("ONLY", "COND"):
        said, written = _before(sign, claim.tokens, 1), _before(sign, statement.tokens, 2)
        if written and not said <= written:
            return "「だけ」や「場合」の付く言葉が違う"
    return ""


def _before(sign: str, tokens: tuple[Token, ...], number: int) -> frozenset[str]:
    """The last things before each of a sign, as many as `number`."""
    found: set[str] = set()
    for place, token in enumerate(tokens):
        if token.form == sign:
            found.update([t.form for t in tokens[:place] if carries(t)][-number:])
    return frozenset(found)


def _in_order(tokens: Iterable[Token], order: list[str]) -> bool:
    places = [order.index(token.form) for token in tokens if order.count(token.form) == 1]
    return places == sorted(places)


def _bounds(tokens: Iterable[Token]) -> dict[str, list[str]]:
    """For each figure what binds it, in order: 1人以上 … 1人 is not 1人 … 1人以上."""
    found: dict[str, list[str]] = {}
    for token, after in pairwise((*tokens, Token("word", "", 0))):
        if token.kind == "figure":
            found.setdefault(token.form, []).append(after.form if after.form in BINDING_SIGNS else "")
    return found


# --- the parts that are used, and what is left out of them -----------------------------------------------------------


def _parts_used(claim: Claim, statement: Statement) -> frozenset[int] | None:
    """The parts of the statement that the clause uses, in their order; None where it goes back to an earlier one.

    Going to and fro ties the figure of one part to the thing of another.
    """

    def parts_with(forms: Collection[str], denied: bool) -> frozenset[int]:
        return frozenset(
            index
            for index, part in enumerate(statement.parts)
            if any(other.form in forms and other.denied == denied for other in part.tokens)
        )

    choices = [
        parts_with((token.form,), token.denied) or parts_with(paraphrases().narrower.get(token.form, ()), token.denied)
        for token in claim.tokens
        if carries(token) and token.form not in statement.topic
    ]
    states: set[tuple[int, frozenset[int]]] = {(-1, frozenset())}
    for choice in choices:
        if not choice:
            continue
        states = {(index, used | {index}) for now, used in states for index in choice if index >= now}
        if not states:
            return None
    return min((used for _, used in states), key=len) or frozenset({0})


def _said_of_others(claim: Claim, statement: Statement, used: frozenset[int]) -> str:
    """Whether the clause has what is said of several things in a row, and none of them."""
    for index in used:
        first = index - 1
        while first > 0 and statement.parts[first - 1].is_item:
            first -= 1
        if statement.parts[index].of_row and used.isdisjoint(range(first, index)):
            return "何のことかが違う"
    return ""


def _condition_left_out(claim: Claim, statement: Statement, used: frozenset[int]) -> str:
    """A figure, sign, denial or narrowing word of the statement that the clause leaves out.

    What only goes on from the parts that were used need not be said, unless it is about who may, figures or duties.
    Signs may stand in another clause of the sentence (上限は1億円ですが、… は5,000万円です).
    """
    counts, needed = Counter(token.form for token in claim.tokens), Counter[str]()
    denied = {token.form for token in claim.tokens if token.denied}
    everything = {token.form for token in claim.sentence}
    is_bound = any(token.form in ("ONLY", "AND") for token in statement.tokens)
    for index, part in enumerate(statement.parts):
        if index not in used and _may_leave_out(index, claim, statement, used, is_bound):
            continue
        for before, token in zip((None, *part.tokens), part.tokens, strict=False):
            if token.form == "EG" and index not in used:
                continue
            if token.form in ("BEFORE", "FROM") and before and before.form not in claim.forms:
                continue
            is_missing_sign = token.kind == "sign" and token.form not in everything
            if token.form == "COND" and all(_kept(form, claim.forms) for form in part.content):
                continue  # what it hangs on is all said
            if is_missing_sign and not _may_drop(token.form, everything, claim.is_sensitive):
                return _left_out(token)
            if token.denied and token.form not in denied:
                return _left_out(token)
            needed[token.form] += token.kind in ("word", "figure")
            too_few = 0 < counts[token.form] < needed[token.form]
            if _binds(token, part, claim) and (too_few or not _kept(token.form, claim.forms)):
                return _left_out(token)
            if is_bound and too_few and carries(token):  # 出資する法人と非営利法人だけ: two kinds
                return _left_out(token)
    return ""


def _left_out(token: Token) -> str:
    return f"条件が落ちている {token.form.lstrip('#')}"


def _may_leave_out(index: int, claim: Claim, statement: Statement, used: frozenset[int], is_bound: bool) -> bool:
    """Whether a part that is not used may be left out.

    So may a thing in a row, another case, what only goes on, and what makes no difference (出資がなくても).
    """
    if statement.parts[index].text.endswith(("ても", "でも")):
        return True
    part, last = statement.parts[index], statement.parts[-1]
    names_all_who_may = last.of_row and last.text.startswith("です") and not statement.topic.isdisjoint(_WHO_MAY)
    if part.is_item and not is_bound and not names_all_who_may and not _is_named(part, claim, statement):
        return True
    is_other_case = part.is_alternative and any(statement.parts[other].is_alternative for other in used)
    return index > max(used) and (not claim.is_sensitive or is_other_case)


_WHO_MAY = frozenset({"対象", "応募"})


def _is_named(item: Part, claim: Claim, statement: Statement) -> bool:
    """Whether the clause names all things of this kind that the statement has: then this one is among them."""
    head = next((token.form for token in reversed(item.tokens) if token.kind == "word"), "")
    said, written = ([token.form for token in tokens].count(head) for tokens in (claim.tokens, statement.tokens))
    return 0 < written <= said


def _binds(token: Token, part: Part, claim: Claim) -> bool:
    """Whether the statement holds only with this figure or word."""
    if token.form == _EACH or _is_start(token, part, claim):
        return False
    if token.kind == "figure":
        return claim.is_sensitive or token.form.endswith("年度")
    return token.form in paraphrases().qualifiers


def _is_start(token: Token, part: Part, claim: Claim) -> bool:
    """Whether it is where a change starts whose end is said (年2回から年3回に), or the year of such a change."""
    figures = [other for other in part.tokens if other.kind == "figure"]
    changes = [
        (start, end)
        for start, end in pairwise(figures)
        if start.role == "から" and start.form.lstrip("#0123456789.") == end.form.lstrip("#0123456789.")
    ]
    return any(
        end.form in claim.forms and (token is start or (token.form.endswith("年度") and start.form in claim.forms))
        for start, end in changes
    )


def _may_drop(sign: str, sentence: set[str], sensitive: bool) -> bool:
    """Whether a sign of the source may be left out: できる, 必要 (申請します), 程度 with its figure."""
    match sign:
        case "CAN":
            return True
        case "MUST":
            return sentence.isdisjoint(_NO_DUTY)
        case "APPROX" | "FROM":
            return not sensitive
        case _:
            return False


def _figure_of_another(claim: Claim, statement: Statement, used: frozenset[int]) -> str:
    """Whether the clause takes the figure of a thing without the thing."""
    said = {token.form for token in claim.sentence}
    for part in (statement.parts[index] for index in used):
        figures = {token.form for token in part.tokens} & set(claim.figures)
        ends = [len(part.tokens)] if part.ends_in_a_thing and figures else []
        for start, token in enumerate(part.tokens):
            if token.form in figures and token.role == "の":  # 12月の毎月の募集に: of the 募集
                ends.append(
                    next((n for n, t in enumerate(part.tokens[start:], start + 1) if t.role != "の"), len(part.tokens))
                )
        for end in ends:
            things = [token.form for token in part.tokens[:end] if token.kind == "word" and carries(token)]
            if things and not _kept(things[-1], said):
                return f"{min(figures).lstrip('#')}は{things[-1]}のこと"
    return ""


def _too_little(claim: Claim, statement: Statement, used: frozenset[int]) -> str:
    said = {token.form for token in claim.sentence}
    share = _KEPT_SHARE if claim.is_sensitive else _KEPT_SHARE_ELSEWHERE
    for content in (statement.parts[index].content for index in used):
        if not claim.is_plain and sum(_kept(form, said) for form in content) < share * len(content):
            return "出典の文の一部だけ"
    return ""


def _kept(form: str, said: Collection[str]) -> bool:
    """Whether a word of the statement is said, or one that is narrower."""
    return form in said or any(form in paraphrases().narrower.get(other, ()) for other in said)


_CHECKS: tuple[Callable[[Claim, Statement], str], ...] = (
    _quote_made_up,
    _figure_too_often,
    _unsettled,
    _predicate_left_out,
    _possibility_made_certain,
    _predicate_made_up,
    _role_changed,
    _topic_and_owner_swapped,
    _turned_around,
    _figures_out_of_order,
    _hangs_on_another,
)
_CHECKS_OF_PARTS: tuple[Callable[[Claim, Statement, frozenset[int]], str], ...] = (
    _said_of_others,
    _condition_left_out,
    _figure_of_another,
    _too_little,
)
