"""Lets of a chat model's sentences only those stand that their sources say (突き合わせ). Pure.

The rule is positive: whatever a sentence says must be said by one statement of a source that it cites, of the same
program. Its figures, words and signs (以上, だけ, 場合 …) must stand there, denied where they are denied there and
said of what they are said of there; and what the source narrows its statement by may not be dropped. What is not
recognised as said is removed, so that a lie need not be of a kind that somebody thought of. Where it is plain which
sentence of the source was meant, that sentence is given in its place: what is shown is then the source's own words.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from bot.claims import Token, paraphrases, read_claims
from bot.statements import Statement, carries, clauses_of, parts_of, sentences_of
from bot.supporting import Claim, objection_to
from bot.types import Fate
from knowledge.figures import normalize

LONGEST_SENTENCE = 160
"""In characters; longer ones do not help on a phone."""

_MEANT_SHARE = 0.5
"""From this share of its words on, a sentence is taken to mean a sentence of its source."""


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
class Reconciled:
    """What became of a sentence.

    `shown` is the sentence where it stands; where it does not, the sentence of a source that it must have meant, or
    None. `objection` says why it does not stand.
    """

    sentence: Sentence
    shown: Sentence | None
    objection: str = ""

    @property
    def fate(self) -> Fate:
        """What became of it, in a word."""
        return "kept" if not self.objection else "restated" if self.shown else "removed"


class Checker:
    """Knows the sources of one answer; tells of a sentence whether it can stand. Never raises, whatever the text."""

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

    def reconcile(self, sentence: Sentence) -> Reconciled:
        """What may be shown of a sentence, with the sources that it does rest on of those that it cites."""
        if objection := self.objection(sentence):
            return Reconciled(sentence, self._in_words_of_source(sentence), objection)
        alone = [token for token in sentence.sources if not self.objection(Sentence(sentence.text, (token,)))]
        return Reconciled(sentence, Sentence(sentence.text, tuple(alone) or sentence.sources))

    def objection(self, sentence: Sentence) -> str:
        """Why the sentence cannot stand, or "" where it can."""
        text = normalize(sentence.text)
        if form := _objection_to_form(text):
            return form
        unknown = [token for token in sentence.sources if token not in self._sources]
        if unknown or not sentence.sources:
            return f"渡していない出典 {unknown[0]}" if unknown else "出典がない"
        statements = [statement for token in sentence.sources for statement in self._statements[token]]
        clauses = [clause for part in sentences_of(text) for clause in self._of_one_program(part)]
        read = [read_claims(clause, self._names) for clause in clauses]
        everything = tuple(token for tokens in read for token in tokens)
        named = {token.form for token in everything if token.kind == "name"}
        cited = {self._sources[token].program for token in sentence.sources}
        if not named and len(cited) > 1:
            return "どの支援事業のことか分からない"
        program = next(iter(named or cited))
        if not any(carries(token) or token.form in paraphrases().sensitive for token in everything):
            return "内容がない"
        for clause, tokens in zip(clauses, read, strict=True):
            program = next((token.form for token in tokens if token.kind == "name"), program)
            if {token.form for token in tokens if token.kind == "name"} - {program}:
                return "2つの支援事業が混ざっている"
            own = [statement for statement in statements if statement.program == program]
            if not own:
                return "出典の支援事業が違う"
            if reason := self._objection_to_clause(clause, Claim(tokens, everything), own):
                return f"{clause}: {reason}"
        return ""

    def _in_words_of_source(self, sentence: Sentence) -> Sentence | None:
        """What a sentence that does not stand was most likely to say, in the very words of a source that it cites.

        Only checked sources count, and only a sentence of theirs that has all of its figures, limits and denials and
        most of its words; None where there is none.
        """
        text = normalize(sentence.text)
        if _objection_to_form(text):
            return None
        said = read_claims(text, self._names)
        shares: dict[Sentence, float] = {}
        for source in (self._sources[token] for token in sentence.sources if token in self._sources):
            for place, written in enumerate(re.findall(r"[^。\n]+。", source.text) if source.settled else ()):
                if text.rstrip("。") in normalize(written):
                    continue  # cut out of it: it was not meant as a whole
                lead = f"{source.context}: " if place and source.context else ""
                share = _shared(said, read_claims(normalize(written), self._names), source, self._words(source.context))
                shares[Sentence(lead + written, (source.token,))] = share
        meant = max(shares, key=lambda shown: shares[shown], default=None)
        return meant if meant and shares[meant] >= _MEANT_SHARE else None

    def program_of(self, sentence: Sentence) -> str:
        """The program that a sentence is about without naming it, where the answer is about several; else ""."""
        named = any(token.kind == "name" for token in read_claims(normalize(sentence.text), self._names))
        return "" if named or len(self._about) < 2 else self._sources[sentence.sources[0]].program

    def _of_one_program(self, sentence: str) -> Iterable[str]:
        """The clauses of a sentence, cut where it turns to another program (Aは3か月、Bは通年)."""
        for clause in clauses_of(sentence):
            names = [token.place for token in read_claims(clause, self._names) if token.kind == "name"]
            cuts = [0, *(place for place in names[1:] if clause[place - 1] == "、"), len(clause)]
            yield from (clause[start:end].rstrip("、") for start, end in pairwise(cuts))

    def _objection_to_clause(self, clause: str, claim: Claim, statements: list[Statement]) -> str:
        """Why no statement supports the clause, nor two the halves of it; the objection of the nearest one."""
        objections = [objection_to(claim, statement) for statement in statements]
        if None in objections:
            return ""
        for comma in _JOINT.finditer(clause):
            halves = clause[: comma.start()], clause[comma.end() :]
            claims = [Claim(read_claims(half, self._names), claim.sentence) for half in halves]
            if all(None in (objection_to(half, statement) for statement in statements) for half in claims):
                return ""
        return max(filter(None, objections)).reason

    def _read(self, source: Source) -> Iterable[Statement]:
        sentences = sentences_of(normalize(source.text))
        topic = re.match(r"[^、は]*(?=は)", sentences[0]) if sentences else None
        names = "。".join(name for name, program in self._names.items() if program == source.program)
        context = self._words(f"{normalize(source.context)}。{topic[0] if topic else ''}")
        named = self._words(names, {})
        context = context - paraphrases().sensitive | named
        nearby = self._words("。".join(sentences)) - paraphrases().qualifiers - paraphrases().sensitive
        written = [clause for sentence in sentences for clause in clauses_of(sentence)]
        without_case = [_CASE.sub("", clause) for clause in written if source.is_ruling and _CASE.search(clause)]
        statements = [parts_of(clause, self._names) for clause in (*written, *without_case)]
        if source.is_ruling and len(statements) > 1:
            statements.append(tuple(part for clause in written for part in parts_of(clause, self._names)))
        for parts in filter(None, statements):
            before, spoken_of, _ = parts[0].text.partition("は")
            topic_words = self._words(before) if spoken_of else frozenset()
            yield Statement(
                program=source.program,
                settled=source.settled,
                topic=topic_words,
                parts=parts,
                context=context,
                nearby=nearby | context,
                named=named,
            )

    def _words(self, text: str, names: Mapping[str, str] | None = None) -> frozenset[str]:
        read = read_claims(text, self._names if names is None else names)
        return frozenset(token.form for token in read if token.kind == "word" and not token.denied)


_LOOSE_SIGNS = frozenset({"CAN", "COND", "MUST", "PERMIT", "AND", "OR", "APPROX", "FROM", "BEFORE"})
"""Signs that a sentence may have or lack and still mean the same sentence of its source."""

_DENYING_SIGNS = frozenset({"FREE", "NEEDLESS", "PERMIT", "NOT_ALWAYS", "NOT_ONLY"})


def _shared(said: tuple[Token, ...], written: tuple[Token, ...], source: Source, context: frozenset[str]) -> float:
    """The share of what a sentence says that a sentence of its source says too; 0 where they may differ."""
    names = {token.form for token in said if token.kind == "name"}
    forms = {token.form for token in written}
    figures = {token.form for token in said if token.kind == "figure"}
    signs = {token.form for token in said if token.kind == "sign"} - _LOOSE_SIGNS
    denied = {(token.form, token.denied) for token in said if token.kind == "word"}
    turned = any((form, not is_denied) in {(t.form, t.denied) for t in written} for form, is_denied in denied)
    denies = any(token.denied for token in said) or bool(signs & _DENYING_SIGNS)
    is_denied = any(token.denied or token.form in _DENYING_SIGNS for token in written)
    if names - {source.program} or figures - forms or signs - forms or turned or denies != is_denied:
        return 0
    if figures and (forms & paraphrases().qualifiers) - {token.form for token in said}:
        return 0  # its figure is that of a narrower case
    words = {token.form for token in said if carries(token)}
    return len(words & (forms | context)) / len(words) if len(words & forms) > 1 else 0


_CASE = re.compile(r"(?<=未満|以上|以下)\([0-9.]+\)|\(「[^」]+」は不可\)")
"""Where a ruling repeats the case that was put to it; without that it still says what it says."""

_JOINT = re.compile(r"(?<=[りしてでれきいびく])、")
"""A comma after a predicate: what stands before and after it may rest on different statements."""


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
