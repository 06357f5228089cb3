"""Answers a question from passages: the row, the answer, the items or the sentences that say what is asked."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

from bot.seeking import PassageQuestion
from knowledge.figures import normalize
from knowledge.search import Searcher
from knowledge.types import ENUMERATED, Cell, Chunk, Hit

PASSAGE_FITS = 0.3
"""Below this score a passage is not an answer, and nothing is said."""

COVERED = 0.5
"""The least share of a question's content words, by weight, that a passage must hold."""

_LENGTH = 160
"""Characters from which on no further sentence is taken."""

_LIST_LENGTH = 400
"""Characters of a list that is shown whole."""

_ADDS = 0.12
"""The least share of the question's content that a further sentence must add."""

_ROWS_SHOWN = 6
"""Rows that answer as well as each other are shown together, up to so many."""

_SAME = 0.03
"""Rows whose ratings differ by no more than this answer equally well."""

_IS_NAMED, _IN_RANGE, _CLOSE, _HOLDS, _NEAR, _OF_OTHERS = 0.35, 0.5, 0.2, 0.25, 0.15, 0.1
"""What it adds that a row's cell is named, that a range holds the figure, and closely, that what is sought is there,
and is where it usually stands; and what each cell takes away that names something else."""

_DENIES = frozenset(("不可", "×", "✕", "なし", "無", "無し", "対象外", "いいえ", "否", "-"))
"""What a cell says that denies what its column is about."""

_EXCEPTS = ("ただし", "但し", "なお、", "※")
"""How a sentence begins that takes something back of the one before it."""

_LEADS_IN = re.compile(r"次の|次に|以下の|下記|各号|とおり|いずれか|すべて")
"""What shows that a sentence is completed by the list below it."""

_REFERS = re.compile(r"(?:別表|次の表|下表|左表)[^。]{0,8}(?:定め|掲げ|よ[りる]|とおり)")
"""What shows that a sentence is completed by a table."""

_MEANS, _LEADS = 0.35, 0.05
"""How near in meaning (0..1), and how much nearer than any other, a passage of a document that is named must be to
stand in for the words of the question."""

_MEANT = 0.5
"""What a passage's nearness in meaning (0..1) counts beside the words."""

_CELL = 40
"""Characters of a cell that may name its row."""


@dataclass(frozen=True)
class _Told:
    """What a passage says to a question, and how well it answers."""

    chunk: Chunk
    text: str
    rating: float


def answering_passages(
    matter: str, hits: Iterable[Hit], searcher: Searcher, *, named: bool = False, told: str = ""
) -> tuple[tuple[Chunk, str], ...]:
    """The passage that answers best, with its answering part; several where rows of a table answer equally well.

    A passage must hold what the question is about, and have the kind of thing that is sought.

    Args:
        matter: the question, without the names of the documents where these are named.
        hits: the passages.
        searcher: weighs the words.
        named: the passages are of documents that the question names; else they must be near enough as well.
        told: what the question names them by, which says nothing of what is asked.
    """
    question = PassageQuestion(matter, searcher, told)
    hits = [hit for hit in hits if named or hit.score >= PASSAGE_FITS]
    means_it = _meaning_it(hits) if named else inf
    answers = [answer for hit in hits if (answer := _told(question, hit, searcher, means_it, named=named))]
    if not answers:
        return ()
    best = max(answers, key=lambda answer: answer.rating)
    notes = _noted(question, best.chunk, [hit.chunk for hit in hits]) if named else ()
    if not best.chunk.cells:
        return ((best.chunk, best.text), *notes)
    alike = [
        answer
        for answer in answers
        if _of_one_table(answer.chunk, best.chunk) and (question.wants_all or answer.rating >= best.rating - _SAME)
    ]
    return (*((answer.chunk, answer.text) for answer in alike[:_ROWS_SHOWN]), *notes)


def _noted(question: PassageQuestion, best: Chunk, chunks: Iterable[Chunk]) -> tuple[tuple[Chunk, str], ...]:
    """What stands beside a row: a note with what the question has and the row has not (中古品), or the round's row."""
    if not best.cells:
        return ()
    left = question.left_by(" ".join((*best.headings, best.text)))
    of_a_round = question.is_nth(best.cells[0][1])
    for chunk in chunks:
        if chunk.document != best.document or chunk.answers:
            continue
        if chunk.cells:
            if not of_a_round and question.is_nth(chunk.cells[0][1]):
                return ((chunk, chunk.text),)
            continue
        lines = sentences(chunk.text)
        said = [bool(left) and question.holds(left, line) >= COVERED for line in lines]
        if any(said) and best.headings[: len(chunk.headings)] == chunk.headings:
            return ((chunk, _with_exceptions(lines, said)),)
    return ()


def _meaning_it(hits: Sequence[Hit]) -> float:
    """How near in meaning a passage must be: nearer than the others, beside the rows of the nearest one's table."""
    nearest = max(hits, key=lambda hit: hit.dense, default=None)
    others = [
        hit.dense for hit in hits if nearest and hit is not nearest and not _of_one_table(hit.chunk, nearest.chunk)
    ]
    return max((_MEANS, *(near + _LEADS for near in others)))


def _of_one_table(row: Chunk, other: Chunk) -> bool:
    """Whether two rows stand under the same headings; one may lack cells that the other has."""
    columns, others = ({name for name, _ in one.cells} for one in (row, other))
    alone = len(row.cells) == len(other.cells) == 1
    nested = bool(row.cells) and (columns <= others or others <= columns)
    return (row.document, row.headings) == (other.document, other.headings) and (alone or nested)


def _told(question: PassageQuestion, hit: Hit, searcher: Searcher, means_it: float, *, named: bool) -> _Told | None:
    chunk = hit.chunk
    headings = [heading for heading in chunk.headings if named or heading != chunk.title]
    covered = question.covered_by(
        " ".join((*headings, chunk.answers, chunk.text)), without=() if named else (chunk.title,)
    )
    if chunk.cells and question.is_nth(chunk.cells[0][1]):
        covered = (2 * covered + 1) / 3
    if covered < COVERED and not (hit.dense >= means_it and question.is_held_in(chunk.text)):
        return None
    rated = _answer(question, chunk, searcher)
    return _Told(chunk, rated[0], covered + rated[1] + hit.score / 4 + hit.dense * _MEANT) if rated else None


def _answer(question: PassageQuestion, chunk: Chunk, searcher: Searcher) -> tuple[str, float] | None:
    """What a passage says to a question by the kind of unit that it is; None where it does not have what is sought."""
    if chunk.quote:
        return (chunk.text, 0.0) if question.is_held_in(chunk.text) else None
    if chunk.cells:
        return _row(question, chunk)
    if chunk.answers:
        has_it = question.is_held_in(chunk.text)
        rating = question.likeness(chunk.answers) + (_HOLDS if has_it and not question.wants_all else 0.0)
        return f"{chunk.text}\n(「{chunk.answers}」への回答)", rating if has_it else rating - _HOLDS
    return _text(question, chunk, searcher)


def _row(question: PassageQuestion, chunk: Chunk) -> tuple[str, float] | None:
    """The cells of a row that name it and that are asked for; None where the row is of another figure."""
    cells = chunk.cells
    if len(cells) == 1:  # a label and its text: the label is what the row is of
        cells = (("", cells[0][0]), cells[0])
    rating = 0.0
    keys: list[int] = []
    for number, (_, value) in enumerate(cells):
        if len(value) > _CELL:
            continue
        held = question.range_in(value)
        if held is False:
            return None
        if held or question.names(value):
            keys.append(number)
            rating += _IN_RANGE + _CLOSE * question.closeness(value) if held else _IS_NAMED
        elif number < 2 and not question.is_figure(value):
            rating -= _OF_OTHERS
    keys = keys or _told_in_part(question, cells)
    asked = _asked_columns(question, cells, keys)
    told = bool(keys) and any(question.names(cells[number][0]) for number in asked)  # 申請期限: 工事着手前
    if question.seeks and not told and not any(question.is_held_in_cell(*cells[number]) for number in asked):
        having = [number for number, cell in enumerate(cells) if question.is_held_in_cell(*cell)]
        holding = [number for number in having if number not in keys] or having  # 宿泊費は1泊13,000円以内
        if not holding:
            return None
        asked = holding
    of_the_kind = max(question.share(cells[0][0]), question.share(_own_heading(chunk))) >= COVERED
    if (question.wants_all and of_the_kind) or (question.wants_most and asked):
        rating += 2 * _HOLDS
    if not keys and any(cells[number][1] in _DENIES for number in asked):
        rating -= _OF_OTHERS
    if question.seeks:
        rating += _HOLDS
        if any(question.is_near(cells[number][0] or cells[number][1]) for number in asked):
            rating += _NEAR
    if len(cells) <= 3 and len(chunk.text) <= 120:
        return _headed(chunk, chunk.text, question), rating
    shown = sorted({*keys, *asked, *(() if keys else (0,))}) if asked else range(len(cells))
    text = " | ".join(f"{name}: {value}" if name else value for name, value in (cells[n] for n in shown))
    return _headed(chunk, text, question), rating


def _told_in_part(question: PassageQuestion, cells: Sequence[Cell]) -> list[int]:
    """The cell that has most of what is asked, where none stands in the question (生ごみ処理機購入費補助)."""
    shares = {n: question.share(value) for n, (_, value) in enumerate(cells) if len(value) <= _CELL}
    most = max(shares, key=lambda n: shares[n], default=-1)
    return [most] if shares.get(most, 0) >= COVERED else []


def _asked_columns(question: PassageQuestion, cells: Sequence[Cell], keys: Sequence[int]) -> list[int]:
    """The columns whose headings have most of what is asked beside the row's own name."""
    own = " ".join(cells[number][1] for number in keys)

    def fit(name: str) -> float:
        return question.share(f"{own} {name}") - question.share(own) + sum(map(question.names, name.split()))

    fits = {n: fit(name) for n, (name, _) in enumerate(cells) if n not in keys and name}
    most = max(fits.values(), default=0.0)
    return [n for n, fitting in fits.items() if most and fitting >= most - _SAME]


def _own_heading(chunk: Chunk) -> str:
    """The heading right above a passage; "" where that is the document's title."""
    return chunk.headings[-1] if len(chunk.headings) > 1 else ""


def _headed(chunk: Chunk, text: str, question: PassageQuestion) -> str:
    """A text with the heading above it, where this says what the text alone does not."""
    heading = _own_heading(chunk)
    if not heading or heading in text:
        return text
    adds = question.share(f"{heading} {text}") > question.share(text) + _SAME
    return f"{heading}: {text}" if adds else text


def _text(question: PassageQuestion, chunk: Chunk, searcher: Searcher) -> tuple[str, float] | None:
    """The sentences or the items of a passage that answer."""
    lines = sentences(chunk.text)
    if question.seeks and not any(map(question.is_held_in, lines)):
        return None
    items = _items(lines)
    heading = _own_heading(chunk)
    rated = {line: _rate(question, heading, line) for line in lines}
    if len(lines) > 1 and question.share(chunk.text) < COVERED:
        nearness = question.nearness(list(rated))
        rated = {line: rated[line] + near for line, near in zip(rated, nearness, strict=True)}
    best = max(lines, key=lambda line: rated[line])
    if items and (question.wants_all or question.share(heading) > max(map(question.share, items)) + _SAME):
        return _whole_list(chunk, lines), _HOLDS
    if question.wants_all and not items:
        return _excerpt(question, heading, lines, best, rated, searcher), rated[best] - _HOLDS
    label = f"{heading}: " if heading else ""
    if question.seeks and question.is_near(heading) and not items and len(chunk.text) <= _LENGTH:
        return f"{label}{chunk.text}", rated[best]
    if best in items:
        chosen = _items_asked(question, heading, items, rated, best)
        lead = _lead_of(chosen[0], lines)
        return f"{label}{lead}\n{''.join(chosen)}".strip() if lead else f"{label}{''.join(chosen).lstrip('・')}", rated[
            best
        ]
    if _LEADS_IN.search(best) and (led := [item for item in items if _lead_of(item, lines) == best.strip()]):
        return f"{label}{best}{_within(led)}".strip(), rated[best]
    text = _excerpt(question, heading, lines, best, rated, searcher)
    return _headed(chunk, text, question), rated[best]


def _items_asked(
    question: PassageQuestion, heading: str, items: Sequence[str], rated: dict[str, float], best: str
) -> list[str]:
    """The items that answer best, and those that add words of the question to them."""
    chosen = [line for line in items if rated[line] >= rated[best] - _SAME]
    for line in items:
        covered = question.covered_by(" ".join((heading, *chosen)))
        if line not in chosen and question.covered_by(" ".join((heading, *chosen, line))) >= covered + _ADDS:
            chosen.append(line)
    return [line for line in items if line in chosen]


def _rate(question: PassageQuestion, heading: str, line: str) -> float:
    """How well a sentence answers beside what its passage holds anyway.

    A bound that leaves the question's figure out answers who asks whether, and nobody who asks how much. What refers to
    a table leaves the answer to its rows.
    """
    rating = 0.3 * question.share(line)
    if question.seeks:
        rating += _HOLDS * question.is_held_in(line)
        rating += 2 * _NEAR * question.is_near(heading)
        rating += _NEAR * question.is_near(line) + _NEAR * question.is_of_the_same(line)
    if _REFERS.search(normalize(line)):
        rating -= _HOLDS
    held = question.range_in(line)
    if held is not None:
        rating += _IN_RANGE if held or not question.seeks else -_IN_RANGE
    return rating


def _whole_list(chunk: Chunk, lines: Sequence[str]) -> str:
    """The lines of a list under its heading, as many as fit."""
    title = f"{chunk.headings[-1]}:\n" if len(chunk.headings) > 1 else ""
    return f"{title}{_within(lines)}".strip()


def _within(lines: Sequence[str]) -> str:
    """The lines of a list, as many as fit."""
    text = ""
    for line in lines:
        if len(text) + len(line) > _LIST_LENGTH:
            return f"{text}…"
        text += line
    return text


def _excerpt(
    question: PassageQuestion,
    heading: str,
    lines: Sequence[str],
    best: str,
    rated: dict[str, float],
    searcher: Searcher,
) -> str:
    """The best sentence, and those that add words of the question to it."""
    chosen = [best]
    covered = question.share(f"{heading} {best}")
    for line in lines:
        if line in chosen or sum(map(len, chosen)) + len(line) > _LENGTH:
            continue
        if question.seeks and question.range_in(line) is False:
            continue
        with_it = question.share(" ".join((heading, *chosen, line)))
        if with_it >= covered + _ADDS:
            chosen.append(line)
            covered = with_it
    said = [line in chosen for line in lines]
    return _with_exceptions(lines, said)


def _with_exceptions(lines: Sequence[str], said: list[bool]) -> str:
    """The sentences that are said, each with what takes something back of it."""
    for number in range(1, len(lines)):
        said[number] = said[number] or (said[number - 1] and lines[number].startswith(_EXCEPTS))
    return "".join(line for line, is_said in zip(lines, said, strict=True) if is_said).strip()


def sentences(text: str) -> list[str]:
    """Sentences and lines (an item of a list is one), with what ends them."""
    lines = [line for line in text.splitlines(keepends=True) if line.strip()]
    found: list[str] = []
    for line in lines:
        found += [line] if _mark(line) else _cut(line)
    return found


def _mark(line: str) -> str:
    """How a line marks that it is part of a list: ・, (1) or ア; "" for none."""
    if line.startswith("・"):
        return "・"
    counted = ENUMERATED.match(line)
    return "" if counted is None or counted["bare"] else "ア" if counted["kana"] else "(1)"


def _items(lines: Sequence[str]) -> list[str]:
    """The lines that are parts of a list; a numbered line that stands alone is none."""
    marks = Counter(map(_mark, lines))
    return [line for line in lines if (mark := _mark(line)) and (mark == "・" or marks[mark] > 1)]


def _lead_of(item: str, lines: Sequence[str]) -> str:
    """What leads in to a part of a list: the line before the list; "" where it opens the passage."""
    before = reversed(lines[: lines.index(item)])
    return next((line for line in before if _mark(line) != _mark(item)), "").strip()


def _cut(line: str) -> list[str]:
    parts = line.replace("。", "。\0").split("\0")
    return [part for part in parts if part.strip()]
