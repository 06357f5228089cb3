"""Lets of a chat model's sentences only those stand that their sources say (突き合わせ). Pure.

The rule is positive: whatever a sentence says must be said by one statement of a source that it cites, of the same
program. Its figures, words and signs (以上, だけ, 場合 …) must stand there, denied where they are denied there and
said of what they are said of there; and what the source narrows its statement by may not be dropped. What is not
recognised as said is removed, so that a lie need not be of a kind that somebody thought of.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from bot.claims import Token, paraphrases, read_claims
from knowledge.japanese import normalize

LONGEST_SENTENCE = 160
"""In characters; longer ones do not help on a phone."""

_KEPT_SHARE = 0.6
"""The least share of a source's part that a sentence about who may, figures or duties must keep."""

_KEPT_SHARE_ELSEWHERE = 0.3
"""The same for sentences about anything else."""

_MOST_LENT = 1
"""Words that a clause may take from the rest of the passage instead of from the statement that it rests on."""


@dataclass(frozen=True)
class Source:
    """What a sentence may rest on.

    `token` is the short name under which the model knows it. `settled` tells a ruling, or a section that is checked
    against the official page; other documents cannot speak on what rules decide. `context` are words that the
    statements leave out because the heading or the question has them.
    """

    token: str
    program: str
    text: str
    settled: bool = True
    context: str = ""
    is_ruling: bool = False


@dataclass(frozen=True)
class Sentence:
    """A sentence of the model, with the tokens of the sources that it cites."""

    text: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Removed:
    """A sentence that does not stand, and why."""

    sentence: Sentence
    reason: str


@dataclass(frozen=True)
class Reconciled:
    """The sentences that stand, and those that do not."""

    kept: tuple[Sentence, ...]
    removed: tuple[Removed, ...]


@dataclass(frozen=True)
class _Part:
    """A piece of a statement between commas. `bracketed` tells that a bracket or a colon follows it."""

    text: str
    tokens: tuple[Token, ...]
    bracketed: bool

    @cached_property
    def is_item(self) -> bool:
        """Whether it is one of several things in a row, which do not narrow one another."""
        return not self.bracketed and bool(re.search(r"[一-龠ァ-ヶーa-z0-9」](?:など)?$", self.text.strip()))

    @cached_property
    def content(self) -> frozenset[str]:
        return frozenset(token.form for token in self.tokens if _carries(token))


@dataclass(frozen=True)
class _Statement:
    """A clause that stands by itself, with its parts."""

    program: str
    settled: bool
    topic: frozenset[str]
    parts: tuple[_Part, ...]
    context: frozenset[str]
    nearby: frozenset[str]

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        return tuple(token for part in self.parts for token in part.tokens)


class Checker:
    """Knows the sources of one answer; tells of a sentence why it cannot stand."""

    def __init__(self, sources: Iterable[Source], names: Mapping[str, str], about: frozenset[str]) -> None:
        """Reads the sources.

        Args:
            sources: what was handed to the model.
            names: program ids by each way of writing a program's name.
            about: the ids of the programs that the answer is about.
        """
        self._names = {normalize(name): program for name, program in names.items()}
        self._about = about
        self._sources = {source.token: source for source in sources}
        self._statements = {token: tuple(self._read(source)) for token, source in self._sources.items()}

    def objection(self, sentence: Sentence) -> str:
        """Why the sentence cannot stand, or "" where it can."""
        text = normalize(sentence.text)
        if form := _objection_to_form(text):
            return form
        unknown = [token for token in sentence.sources if token not in self._sources]
        if unknown or not sentence.sources:
            return f"渡していない出典 {unknown[0]}" if unknown else "出典がない"
        statements = [statement for token in sentence.sources for statement in self._statements[token]]
        clauses = [clause for part in _sentences(text) for clause in _clauses(part)]
        read = [read_claims(clause, self._names) for clause in clauses]
        everything = [token for tokens in read for token in tokens]
        named = {token.form for token in everything if token.kind == "name"}
        cited = {self._sources[token].program for token in sentence.sources}
        if not named and len(cited) > 1:
            return "どの支援事業のことか分からない"
        program = next(iter(named or cited))
        if not any(_carries(token) or token.form in paraphrases().sensitive for token in everything):
            return "内容がない"
        for clause, tokens in zip(clauses, read, strict=True):
            program = next((token.form for token in tokens if token.kind == "name"), program)
            if {token.form for token in tokens if token.kind == "name"} - {program}:
                return "2つの支援事業が混ざっている"
            own = [statement for statement in statements if statement.program == program]
            if not own:
                return "出典の支援事業が違う"
            if reason := self._objection_to_clause(clause, tokens, everything, own):
                return f"{clause}: {reason}"
        return ""

    def program_of(self, sentence: Sentence) -> str:
        """The program that a sentence is about without naming it, where the answer is about several; else ""."""
        named = any(token.kind == "name" for token in read_claims(normalize(sentence.text), self._names))
        return "" if named or len(self._about) < 2 else self._sources[sentence.sources[0]].program

    def _objection_to_clause(
        self, clause: str, tokens: tuple[Token, ...], sentence: list[Token], statements: list[_Statement]
    ) -> str:
        """Why no statement supports the clause, nor two the halves of it; the objection of the nearest one."""
        _, reason = min(
            (_unsupported(tokens, sentence, statement) for statement in statements), key=lambda found: -found[0]
        )
        if not reason:
            return ""
        for comma in _JOINT.finditer(clause):
            halves = clause[: comma.start()], clause[comma.end() :]
            if all(
                any(not _unsupported(read, sentence, statement)[1] for statement in statements)
                for read in (read_claims(half, self._names) for half in halves)
            ):
                return ""
        return reason

    def _read(self, source: Source) -> Iterable[_Statement]:
        sentences = _sentences(normalize(source.text))
        topic = re.match(r"[^、は]*(?=は)", sentences[0]) if sentences else None
        names = "。".join(name for name, program in self._names.items() if program == source.program)
        context = self._words(f"{normalize(source.context)}。{topic[0] if topic else ''}")
        context = context - paraphrases().sensitive | self._words(names, {})
        nearby = self._words("。".join(sentences)) - paraphrases().qualifiers - paraphrases().sensitive
        written = [clause for sentence in sentences for clause in _clauses(sentence)]
        without_case = [_CASE.sub("", clause) for clause in written if source.is_ruling and _CASE.search(clause)]
        clauses = [_parts(clause) for clause in (*written, *without_case)]
        if source.is_ruling and len(clauses) > 1:
            clauses.append([part for clause in written for part in _parts(clause)])
        for parts in clauses:
            read = tuple(_Part(part, read_claims(part, self._names), bracketed) for part, bracketed in parts)
            first = parts[0][0]
            spoken_of = self._words(first.partition("は")[0]) if "は" in first else frozenset()
            yield _Statement(source.program, source.settled, spoken_of, read, context, nearby | context)

    def _words(self, text: str, names: Mapping[str, str] | None = None) -> frozenset[str]:
        read = read_claims(text, self._names if names is None else names)
        return frozenset(token.form for token in read if token.kind == "word" and not token.denied)


def reconcile(sentences: Iterable[Sentence], checker: Checker) -> Reconciled:
    """Sorts sentences into those that stand and those that do not. Never raises."""
    kept: list[Sentence] = []
    removed: list[Removed] = []
    for sentence in sentences:
        if reason := checker.objection(sentence):
            removed.append(Removed(sentence, reason))
        elif all(normalize(sentence.text) != normalize(other.text) for other in kept):
            kept.append(sentence)
    return Reconciled(tuple(kept), tuple(removed))


# --- the form of a sentence ------------------------------------------------------------------------------------------

_PLAIN = re.compile(r"[ぁ-ゖァ-ヺー一-龠々〆ヶa-z0-9 、。・「」『』(),.:/%~\-_#&=+]+")
_LINK = re.compile(r"[a-z]+:/{0,2}\S+|www\.\S+|\S+@\S+")
_POINTS_AWAY = re.compile(
    r"(?:それ(?!ぞれ)|これ(?!まで|から)|あれ(?!ば)|そこ|ここ|そちら|こちら|前者|後者|前述|上記|下記|先ほど|(?<![一-龠])[上下]の|次の通り|以下の|同様|そう(?:です|いう|した)|こう(?:です|いう|した)"
    r"|(?<![は、])その(?!ため|ほか|地域内|うえ|うち|後)|あの|同(?:額|数|上|条件|じく))"
)
_MARKUP = re.compile(r"[=+#&_]")


def _objection_to_form(text: str) -> str:
    if not text:
        return "空"
    if len(text) > LONGEST_SENTENCE:
        return "長すぎる"
    without_links = _LINK.sub("", text)
    if not _PLAIN.fullmatch(without_links or "a") or _MARKUP.search(without_links):
        return "文ではない"
    if not re.search(r"(?:です|ます|ません|した|ない|る|い|う|ください)(?:\([^)]*\))?。?$", text):
        return "言い切っていない"
    if _POINTS_AWAY.search(text):
        return "ほかの文を指している"
    return ""


_STRONG = re.compile(
    r"(?<=です)(?:が|し|ので|から|けれど|けれども|けど)?、|(?<=ます)(?:が|し|ので|から|けれど|けれども|けど)?、"
    r"|(?<=ません)(?:が|し|ので|から|けれど|けれども|けど)?、|(?<=した)(?:が|し|ので|から|けれど|けれども|けど)?、"
    r"|(?<=[いる]ため)、|(?<=対象外)、|(?<=対象外で)、|(?<=無料で)、|(?<=対象で)、|(?<=上限で)、|(?<=円で)、|(?<=まで)で、|(?<=か月で)、|(?<=程度で)、|(?<=予算で)、"
)


def _sentences(text: str) -> list[str]:
    return [part for part in re.split(r"。|\n", text) if part.strip()]


def _clauses(sentence: str) -> list[str]:
    """The clauses of a sentence that stand by themselves."""
    return [part for part in _STRONG.split(sentence) if part and part.strip()]


_CASE = re.compile(r"(?<=未満|以上|以下)\([0-9.]+\)|\(「[^」]+」は不可\)")
"""Where a ruling repeats the case that was put to it; without that it still says what it says."""

_EACH = "#1件"
"""1件につき may be left out: what holds for one case is what is said."""

_JOINT = re.compile(r"(?<=[りしてでれきいびく])、")
"""A comma after a predicate: what stands before and after it may rest on different statements."""


def _parts(clause: str) -> list[tuple[str, bool]]:
    """What stands between commas, and whether a bracket or a colon follows; a topic goes with what is said of it."""
    pieces = re.split(r"((?<!は)、|\(|\)|:)", clause)
    return [
        (part, mark in ("(", ")", ":"))
        for part, mark in zip(pieces[::2], [*pieces[1::2], ""], strict=True)
        if part.strip()
    ]


# --- what a clause says against what a statement says ----------------------------------------------------------------


def _carries(token: Token) -> bool:
    """Whether a token says something of its own: a figure, or a word that is not silent."""
    if token.kind == "figure":
        return True
    return token.kind == "word" and (token.denied or token.form not in paraphrases().silent)


def _unsupported(tokens: tuple[Token, ...], sentence: list[Token], statement: _Statement) -> tuple[int, str]:
    """Why the statement does not support the clause, with how near it came; (100, "") where it does."""
    table = paraphrases()
    sensitive = any(token.kind == "figure" or token.form in table.sensitive or token.denied for token in tokens)
    plain = not sensitive and all(token.form not in table.qualifiers for token in tokens)
    said = [token for token in tokens if _carries(token) or token.kind == "sign"]
    topic_ends = max((token.place for token in tokens if token.role == "は"), default=-1)
    lent = 0
    for place, token in enumerate(said):
        names_the_topic = plain and not statement.topic and token.place <= topic_ends
        lent += _is_lent(token, statement) and not names_the_topic
        if lent > _MOST_LENT or not _stands_in(token, statement, sensitive):
            what = "数値" if token.kind == "figure" else "否定" if token.denied else "言葉"
            return place, f"出典にない{what} {token.form.lstrip('#')}"
    if more := Counter(t.form for t in tokens if t.kind == "figure") - Counter(t.form for t in statement.tokens):
        return 48, f"数値の回数が違う {next(iter(more)).lstrip('#')}"
    if sensitive and not statement.settled:
        return 50, "確かめられていない文書だけが根拠"
    if not plain:
        if predicate := _unsaid_predicate(tokens, statement):
            return 55, f"述べていることが違う {predicate}"
        for token in tokens:
            if not _same_role(token, statement):
                return 60, f"立場が違う {token.form}"
    used = _runs(tokens, statement)
    if used is None or not _contrasts_alike(tokens, statement):
        return 70, "組み合わせが違う"
    if dropped := _dropped(tokens, sentence, statement, used, sensitive):
        return 80, f"条件が落ちている {dropped.lstrip('#')}"
    kept = {token.form for token in sentence}
    for index in used:
        content = statement.parts[index].content
        held = sum(_kept(form, kept) for form in content)
        if not plain and held < (_KEPT_SHARE if sensitive else _KEPT_SHARE_ELSEWHERE) * len(content):
            return 90, "出典の文の一部だけ"
    return 100, ""


def _kept(form: str, kept: set[str]) -> bool:
    return form in kept or any(form in paraphrases().narrower.get(other, ()) for other in kept)


def _is_lent(token: Token, statement: _Statement) -> bool:
    """Whether only other statements of the passage have the word."""
    return (
        token.kind == "word"
        and token.form in statement.nearby - statement.context
        and all(other.form != token.form for other in statement.tokens)
    )


def _stands_in(token: Token, statement: _Statement, sensitive: bool) -> bool:
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
    is_spoken_of = token.role == "は"
    return token.form in (statement.context if sensitive or is_spoken_of else statement.nearby)


_NO_DUTY = frozenset({"CAN", "NEEDLESS", "PERMIT", "MAY", "NOT_ALWAYS"})
"""Where one of these stands, 必要 may not be added; elsewhere 申請します and 申請する必要があります are the same."""

_EMPTY_PREDICATES = frozenset(
    {
        *("受ける", "使う", "行う", "可能", "事業", "制度", "団体", "内容", "例"),
        *("事", "こと", "物", "もの", "形", "為", "ため", "所", "方", "点", "進む", "進める", "判断"),
    }
)
"""Silent words in which a clause may end, although its source does not have them."""


def _unsaid_predicate(tokens: tuple[Token, ...], statement: _Statement) -> str:
    """The word in which the clause ends, where the statement does not assert it but only describes by it, or ""."""
    words = [token for token in tokens if token.kind in ("word", "figure")]
    if not words or words[-1].kind == "figure":
        return ""
    last = words[-1]
    same = [other for other in statement.tokens if other.form == last.form]
    if not same:
        if last.form == "手伝う" and {token.form for token in words if token.role in ("が", "は", "も")} <= {"専門家"}:
            return ""  # who helps are the experts, and nobody else
        return "" if last.form in _EMPTY_PREDICATES | statement.context - paraphrases().silent else last.form
    return last.form if last.role == "" and all(other.attributive for other in same) else ""


_SUBJECT_ROLES = frozenset({"が", "は", "も", "の", "", "か", "や"})


def _same_role(token: Token, statement: _Statement) -> bool:
    """Whether what the clause says of a thing is said of it, and not with or to it, by the statement."""
    if token.kind != "word" or token.role not in ("が", "は", "も", "と", "から", "に"):
        return True
    wider = paraphrases().narrower.get(token.form, frozenset())
    roles = {other.role for other in statement.tokens if other.form == token.form or other.form in wider}
    if token.role == "が" and roles == {"の"} and any(other.role == "が" for other in statement.tokens):
        return False
    if not roles:
        return True
    if token.role in ("と", "から", "に"):
        return bool(roles & {token.role, "の", "", "も", "か", "や", "を"}) or (
            token.role == "に" and bool(roles & {"へ", "で"})
        )
    allowed = _SUBJECT_ROLES | {"を"} | ({"に", "で"} if token.role in ("は", "も") else set())
    return bool(roles & allowed)


def _runs(tokens: tuple[Token, ...], statement: _Statement) -> frozenset[int] | None:
    """The parts of the statement that the clause uses, in their order; None where it goes back to an earlier one.

    Going to and fro ties the figure of one part to the thing of another.
    """
    choices = [
        frozenset(
            index
            for index, part in enumerate(statement.parts)
            if any(
                (other.form == token.form or other.form in paraphrases().narrower.get(token.form, ()))
                and other.denied == token.denied
                for other in part.tokens
            )
        )
        for token in tokens
        if _carries(token) and token.form not in statement.topic
    ]
    states: set[tuple[int, frozenset[int]]] = {(-1, frozenset())}
    for choice in choices:
        if not choice:
            continue
        states = {(index, used | {index}) for now, used in states for index in choice if index >= now}
        if not states:
            return None
    return min((used for _, used in states), key=len) or frozenset({0})


def _contrasts_alike(tokens: tuple[Token, ...], statement: _Statement) -> bool:
    """Whether the clause keeps the order of a statement of the kind "not this but that"."""
    if not any(re.search(r"で(?:は)?なく", part.text) for part in statement.parts):
        return True
    order = [token.form for token in statement.tokens]
    places = [order.index(token.form) for token in tokens if order.count(token.form) == 1]
    return places == sorted(places)


def _dropped(
    tokens: tuple[Token, ...], sentence: list[Token], statement: _Statement, used: frozenset[int], sensitive: bool
) -> str:
    """A figure, sign, denial or narrowing word of the statement that the clause leaves out, or "".

    What only goes on from the parts that were used need not be said, unless it is about who may, figures or duties.
    Signs may stand in another clause of the sentence (上限は1億円ですが、… は5,000万円です).
    """
    clause = {token.form for token in tokens}
    counts = Counter(token.form for token in tokens)
    needed = Counter[str]()
    denied = {token.form for token in tokens if token.denied}
    everything = {token.form for token in sentence}
    for index, part in enumerate(statement.parts):
        if index not in used and (part.is_item or (index > max(used) and not sensitive)):
            continue
        for before, token in zip((None, *part.tokens), part.tokens, strict=False):
            if token.form == "BEFORE" and before and before.form not in clause:
                continue
            if token.denied and token.form not in denied:
                return token.form
            if (
                token.kind == "sign"
                and token.form not in everything
                and not _may_drop(token.form, everything, sensitive)
            ):
                return token.form
            binding = (token.kind == "figure" and sensitive) or token.form in paraphrases().qualifiers
            binding = binding and token.form != _EACH
            needed[token.form] += token.kind == "word"
            if binding and (not _kept(token.form, clause) or 0 < counts[token.form] < needed[token.form]):
                return token.form
    return ""


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
