"""A message, read once: its words, the concepts that they say, its figures and days, and its clauses.

What comes after gets this value and never reads the text again.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Protocol

from knowledge.figures import Day, Dimension, Figure, latest, normalize_with_offsets, read_days, read_figures
from knowledge.lexicon import Mention, Token, load_lexicon, respell, tokenize
from knowledge.municipalities.places import Place, find_places

_ENDS_SENTENCE = frozenset("。!?")
_SETS_AGAINST = frozenset({"が", "けれど", "のに", "ものの", "けれども"})
_JOINS = frozenset({"ので", "から", "し"}) | _SETS_AGAINST
_TOPIC_OR_CASE = frozenset({"係助詞", "格助詞"})
_PREDICATES = frozenset({"動詞", "助動詞", "形容詞", "形状詞"})


_RULED = frozenset(
    {Dimension.YEN, Dimension.DAY, Dimension.HOUR, Dimension.TIME, Dimension.MUNICIPALITY, Dimension.NUMBER}
)
"""What rules decide on; a figure of another kind (1人, 33分野) is asked of the documents."""


@dataclass(frozen=True)
class Clause:
    """A stretch of a message with one predicate: its place in the text, its sentence, and how it goes on.

    `ends` is "sentence", "against" (が, けど), "joins" (ので, て、) or "list" (、 after a noun).
    """

    number: int
    sentence: int
    start: int
    end: int
    ends: str


@dataclass(frozen=True)
class Message:
    """What a message is made of. Spans are of `text`, the normalised form; `span_of` gives them in the original."""

    original: str
    as_of: date
    text: str
    offsets: tuple[int, ...]
    tokens: tuple[Token, ...]
    mentions: tuple[Mention, ...]
    figures: tuple[Figure, ...]
    days: tuple[Day, ...]
    places: tuple[Place, ...]
    clauses: tuple[Clause, ...]

    def without(self, clauses: frozenset[int]) -> "Message":
        """The message as if these clauses said nothing: what they have to say is of another matter."""
        if not clauses:
            return self
        return replace(
            self,
            mentions=tuple(m for m in self.mentions if self.clause_at(m.start).number not in clauses),
            figures=tuple(f for f in self.figures if self.clause_at(f.start).number not in clauses),
            days=tuple(d for d in self.days if self.clause_at(d.start).number not in clauses),
            places=tuple(p for p in self.places if self.clause_at(p.start).number not in clauses),
        )

    def clause_at(self, at: int) -> Clause:
        """The clause that a character stands in; the last one for the end of the text."""
        return self.clauses[min(bisect_right(self._clause_ends, at), len(self.clauses) - 1)]

    @cached_property
    def _mention_starts(self) -> list[int]:
        return [mention.start for mention in self.mentions]

    @cached_property
    def _token_starts(self) -> list[int]:
        return [token.start for token in self.tokens]

    @cached_property
    def _clause_ends(self) -> list[int]:
        return [clause.end for clause in self.clauses]

    def saying(self, *concepts: str, start: int = 0, end: int | None = None) -> tuple[Mention, ...]:
        """The mentions of any of these concepts that stand between two characters, in order."""
        wanted = frozenset(concepts)
        last = len(self.text) if end is None else end
        return tuple(m for m in self.mentions_between(start, last) if m.concepts & wanted)

    def mentions_between(self, start: int, end: int) -> tuple[Mention, ...]:
        """The mentions of whatever concepts that lie between two characters, in order."""
        first, stop = bisect_left(self._mention_starts, start), bisect_left(self._mention_starts, end)
        return tuple(m for m in self.mentions[first:stop] if m.end <= end)

    def says(self, *concepts: str, start: int = 0, end: int | None = None) -> bool:
        """Whether any of these concepts is said between two characters."""
        return bool(self.saying(*concepts, start=start, end=end))

    def tokens_between(self, start: int, end: int) -> tuple[Token, ...]:
        """The tokens that lie between two characters."""
        first, stop = bisect_left(self._token_starts, start), bisect_left(self._token_starts, end)
        return tuple(token for token in self.tokens[first:stop] if token.end <= end)

    def tokens_from(self, start: int, most: int) -> tuple[Token, ...]:
        """The tokens that follow a character, so many at most."""
        first = bisect_left(self._token_starts, start)
        return self.tokens[first : first + most]

    def in_clause(self, clause: Clause, *concepts: str) -> tuple[Mention, ...]:
        """The mentions of any of these concepts in one clause."""
        return self.saying(*concepts, start=clause.start, end=clause.end)

    def told_of(self, at: int) -> tuple[int, int] | None:
        """Where that stands which is said of what is in focus at a character (推薦したのは|県です), if anything is."""
        clause = self.clause_at(at)
        ends = [clause.start, *(end for end in self._foci if clause.start < end <= at)]
        return (ends[-2], ends[-1]) if len(ends) > 1 else None

    def focus_after(self, at: int) -> int | None:
        """Where the focus of what is said at a character begins, in its clause."""
        end = self.clause_at(at).end
        return next((focus for focus in self._foci if at < focus <= end), None)

    @cached_property
    def _foci(self) -> tuple[int, ...]:
        """Where のは stands after what is said, and what it is said of begins."""
        return tuple(
            second.end
            for first, second in pairwise(self.tokens)
            if first.detail == "準体助詞" and second.surface == "は"
        )

    @cached_property
    def asking(self) -> frozenset[int]:
        """The numbers of the clauses that ask something."""
        return frozenset(clause.number for clause in self.clauses if self._asks(clause))

    def _asks(self, clause: Clause) -> bool:
        tail = [t for t in self.tokens_between(clause.start, clause.end) if t.pos != "空白"]
        if not tail:
            return False
        after = self.text[clause.end - 1 : clause.end + 1]
        interrogatives = self.in_clause(clause, "asks", "when", "how_much", "how_long", "how_often", "which", "why")
        if "?" in after or any(not _ANY.match(self.text, mention.end) for mention in interrogatives):
            return True
        words = [token for token in tail if token.surface not in "。、!?"]
        while len(words) > 1 and words[-1].surface in _SOFTENS:
            words.pop()
        final = words[-1:]
        if not final:
            return False
        if final[0].surface in _SUPPOSES_SO:
            return clause.ends == "sentence"
        if final[0].detail == "係助詞":
            return clause.ends == "sentence"  # 上限は, 電話番号も
        return final[0].detail == "終助詞" and final[0].surface in ("か", "の", "かな", "かね", "かい", "ん")

    def unread(self, text: str) -> bool:
        """Whether a part of the text, found by its words, holds a noun that nothing read: a matter of its own."""
        start = self.text.find(text)
        figures = [figure for figure in self.figures if figure.dimension in _RULED]
        if any(start <= f.start < start + len(text) for f in self.figures if f not in figures):
            return True
        read = [*spans(self.mentions), *spans(figures), *spans(self.days), *spans(self.places)]
        return any(
            token.pos == "名詞" and token.detail != "数詞" and len(token.key) > 1
            for token in self.tokens_between(start, start + len(text))
            if not spans_overlap((token.start, token.end), read)
        )

    def find(self, quoted: str) -> tuple[int, int] | None:
        """Where words of the original stand in the text, however they are written; None where they do not."""
        words = respell(*normalize_with_offsets(quoted[:_LONGEST]))[0].strip()
        start = self.text.find(words) if words else -1
        return (start, start + len(words)) if start >= 0 else None

    def span_of(self, start: int, end: int) -> tuple[int, int]:
        """Where characters of the normalised text stand in the original."""
        return self.offsets[start], self.offsets[end]


class _Placed(Protocol):
    """What stands at characters of a text."""

    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...


def spans(placed: Iterable[_Placed]) -> list[tuple[int, int]]:
    """Where these stand in a text."""
    return [(one.start, one.end) for one in placed]


_ANY = re.compile(r"(?:の[一-龠ァ-ヶー]{1,6})?(?:から|に|へ|と)?も")
"""What follows an interrogative that asks nothing: どこの推薦も受けていない, どこからも."""

_SOFTENS = frozenset({"ね", "な", "ねえ", "なあ", "さ", "笑", "w", "(", ")"})
_SUPPOSES_SO = frozenset({"でしょ", "でしょう", "だろう", "だろ", "やろ", "じゃろ", "っけ"})

_LONGEST = 1_500
"""Characters of a message that are read; what a person asks stands in far fewer."""


def read_message(original: str, as_of: date) -> Message:
    """Reads a message on the day on which it is asked. Never raises, whatever the text."""
    text, offsets = respell(*normalize_with_offsets(original[:_LONGEST]))
    figures, days, places = read_figures(text), read_days(text, as_of), find_places(text)
    tokens = tokenize(text)
    taken = [*spans(figures), *spans(days), *spans(places)]
    mentions = tuple(
        mention
        for mention in load_lexicon().find(tokens)
        if not any(_takes(span, (mention.start, mention.end)) for span in taken) or mention.concepts & _SAID_BY_DAYS
    )
    words = spans(mentions)
    figures = tuple(
        f for f in figures if f.dimension in _RULED or not any(s <= f.start and f.end < e for s, e in words)
    )
    clauses = tuple(_cut(text, tokens))
    days = tuple(_as_told(day, clauses, tokens, as_of) for day in days)
    return Message(original, as_of, text, offsets, tokens, mentions, figures, days, places, clauses)


def _as_told(day: Day, clauses: Sequence[Clause], tokens: Sequence[Token], as_of: date) -> Day:
    """A day without its year as its clause tells of it: 8月に使いました is of the last August."""
    if day.every not in ("year", "week") or day.first_on <= as_of or not tokens:
        return day
    clause = clauses[min(bisect_right([c.end for c in clauses], day.start), len(clauses) - 1)]
    after = [token for token in tokens if day.end <= token.start and token.end <= clause.end + 2]
    told = any(
        (token.key == "た" and following.key not in _SUPPOSES) or token.key == "済み"
        for token, following in pairwise((*after, *after[-1:]))
        if token.end <= clause.end
    )
    if not told or any(token.key in _NOT_YET for token in after):
        return day
    return replace(latest(day, as_of), every=None)


_SUPPOSES = frozenset({"場合", "とき", "時", "後", "として"})
_NOT_YET = frozenset({"たい", "予定", "つもり"})


def _takes(span: tuple[int, int], word: tuple[int, int]) -> bool:
    """Whether a figure, day or place has taken characters of a word that does not go beyond it (1個 in 一個人)."""
    shares = span[0] < word[1] and word[0] < span[1]
    return shares and not (word[0] <= span[0] and span[1] < word[1])


_SAID_BY_DAYS = frozenset(
    {
        "before",
        "now",
        "later",
        "first_time",
        "again",
        "online",
        "on_site",
        "special_ward",
        "invested_corporation",
        "how_long",
        "how_often",
        "deny",
        "next_year",
        "within_year",
        "compare",
        "difference",
    }
)
"""Concepts whose words may hold a figure or a day (去年, 2回目, 3セク, 23区, 3事業): they are seen beside it."""


def _cut(text: str, tokens: tuple[Token, ...]) -> Iterator[Clause]:
    """The clauses of a text: cut at the end of sentences, after が, けど, ので …, and after most commas."""
    number = sentence = start = 0
    for at, token in enumerate(tokens):
        ends = _ending(tokens, at)
        if ends and token.end > start:
            yield Clause(number, sentence, start, token.end, ends)
            number, start = number + 1, token.end
            sentence += ends == "sentence"
    if start < len(text) or not number:
        yield Clause(number, sentence, start, len(text), "sentence")


def _ending(tokens: tuple[Token, ...], at: int) -> str:
    """How a clause ends with this token, or "" where it goes on."""
    token = tokens[at]
    before = tokens[at - 1] if at else token
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    if token.surface in _ENDS_SENTENCE:
        return "" if after and after.surface in _ENDS_SENTENCE else "sentence"
    if token.pos == "空白":
        if before.surface == "、" or before.detail in _TOPIC_OR_CASE or (after and after.detail == "数詞"):
            return ""
        return "sentence" if _is_bound(tokens, at) else "list"
    if token.detail == "接続助詞" and token.key in _JOINS:
        return "" if after and after.surface == "、" else _kind_of(token)
    if _is_because(tokens, at):
        return "joins"
    if token.surface == "、" and at:
        if before.detail == "接続助詞" and before.key in _JOINS:
            return _kind_of(before)
        if before.pos in _PREDICATES or before.detail == "接続助詞":
            return "joins"
        return "" if before.detail in _TOPIC_OR_CASE else "list"
    return ""


def _is_because(tokens: tuple[Token, ...], at: int) -> bool:
    """Whether ので ends here without a comma: 上限は1億円と言うので9,000万円で."""
    after = tokens[at + 1 : at + 2]
    said = [token.surface for token in tokens[max(0, at - 1) : at + 1]] == ["の", "で"] and at > 1
    goes_on = bool(after) and after[0].pos in ("名詞", "動詞", "副詞", "代名詞", "接続詞") and after[0].key != "有る"
    return said and goes_on and tokens[at - 2].pos in _PREDICATES


def _is_bound(tokens: tuple[Token, ...], at: int) -> bool:
    """Whether a space stands between two clauses: after a predicate or a final particle, not after a bare noun."""
    before = tokens[at - 1]
    return before.pos in _PREDICATES or before.detail in ("終助詞", "接続助詞", "数詞") or before.key == "無い"


def _kind_of(token: Token) -> str:
    return "against" if token.key in _SETS_AGAINST else "joins"


def spans_overlap(first: tuple[int, int], others: Iterable[tuple[int, int]]) -> bool:
    """Whether a span shares a character with any of the others."""
    return any(start < first[1] and first[0] < end for start, end in others)
