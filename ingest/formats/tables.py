"""Tables as rows that can be read alone: each value with the headings of its column, answers with their questions."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from ingest.types import Block, ReadError
from knowledge.figures import normalize, read_days, read_figures
from knowledge.types import Cell

MAX_CELLS = 400_000
"""Cells of one table, those that a span repeats among them; a table with more is made to fill the memory."""

SECTION = 90
"""The level of a heading that stands in a table, and holds for its rows only."""

_LABEL = 30  # characters; what is longer is text and no column's heading
_LABELLED = re.compile(
    r"(?:名|名称|区分|種別|種類|項目|対象|対象者|要件|条件|経費|概要|目的|趣旨|内容|方法|書類|期間|期限|期日|締切|締切日|時期|日程|日|金額|額|率|料|数|規模|"
    r"予算|負担|先|窓口|場所|事項|番号|コード|備考|摘要|担当|課|回答|質問|年度|指数|単価|枠|類型|電話|所在地|住所|時間|定員|会場)$"
)
_QUESTION = re.compile(r"^(?:ご?質問(?:内容|事項)?|問い?|お?問合?せ?内容|Q|Question)$", re.I)
_ANSWER = re.compile(r"^(?:ご?回答(?:内容)?|答え?|A|Answer)$", re.I)
_ANY_DAY = date(2000, 4, 1)  # days without a year are read as of it
_FIGURE = re.compile(r"[0-9][0-9,.]*")
_NUMBER = re.compile(r"^(?:No\.?|番号|項番|#|Q ?[0-9]*|[0-9-]*)$", re.I)


@dataclass
class Grid:
    """A table's cells by row and column, a cell that spans several repeated in each; `places` has one for each row.

    `headed` are the rows, and `labelled` the rows whose first cell, that the document itself marks as headings.
    """

    rows: list[list[str]]
    places: Sequence[str]
    headed: Collection[int] = ()
    labelled: Collection[int] = ()


def row_text(cells: Sequence[Cell]) -> str:
    """A row as a line: each value after the heading of its column."""
    return " | ".join(f"{name}: {value}" if name and name != value else value for name, value in cells)


def check_size(cells: int) -> None:
    """Raises ReadError where a table has more cells than can be meant."""
    if cells > MAX_CELLS:
        raise ReadError("表が大きすぎます(結合されたセルが多すぎるようです)", "表を分けるか、結合を外してください")


def rows_of(grid: Grid, header: Sequence[str] = ()) -> Iterator[Block]:
    """The rows of a table under the headings of their columns.

    A row with one text in it is a heading of those below it; in a table of labels and texts, each text is read under
    its label; a column of questions beside one of answers makes answers.

    Args:
        grid: the table.
        header: the headings of its columns where they stand elsewhere (on the page before).
    """
    while len(grid.rows) > 1 and not header and len(_filled(grid.rows[0])) == 1 and len(_filled(grid.rows[1])) > 1:
        yield _section(_filled(grid.rows[0])[0], grid.places[0], more=True)
        grid = Grid(grid.rows[1:], grid.places[1:], {n - 1 for n in grid.headed}, {n - 1 for n in grid.labelled})
    if not header and _lies_on_its_side(grid):
        columns = [list(column) for column in zip(*grid.rows, strict=True)]
        grid = Grid(columns, [grid.places[0]] * len(columns), {0})
    rows = grid.rows
    count = 0 if header else header_rows(grid)
    names = list(header) or joined_header(rows[:count])
    if not names and _is_pairs(grid):
        for row, place in zip(rows, grid.places, strict=True):
            filled = _filled(row)
            if len(filled) >= 2:
                yield _row(((filled[0], " ".join(filled[1:])),), place)
            elif filled:
                yield Block("paragraph", filled[0], place)
        return
    width = max(map(len, rows), default=0)
    for number in range(count, len(rows)):
        filled = _filled(rows[number])
        if not filled:
            continue
        more = number + 1 < len(rows)
        if len(filled) == 1 and (not names or (width > 1 and (more or len(filled[0]) > _LABEL))):
            yield _section(filled[0], grid.places[number], more=more)
        else:
            yield _unit(names, rows[number], grid.places[number])


def _section(text: str, place: str, *, more: bool) -> Block:
    """A row with one text in it: what the rows below are about, or a remark."""
    is_heading = more and len(text) <= _LABEL and not re.search(r"[。※:：]", text)
    return Block("heading" if is_heading else "paragraph", text, place, SECTION if is_heading else 0)


def _unit(names: Sequence[str], row: Sequence[str], place: str) -> Block:
    cells = _cells(names, row)
    asked = " ".join(value for name, value in cells if _QUESTION.match(name))
    told = " ".join(value for name, value in cells if _ANSWER.match(name))
    if asked and told:
        beside = [
            f"{name}: {value}"
            for name, value in cells
            if not (_QUESTION.match(name) or _ANSWER.match(name) or _NUMBER.match(name))
        ]
        return Block("answer", "\n".join([told, *beside]), place, answers=asked)
    return _row(cells, place)


def _row(cells: Sequence[Cell], place: str) -> Block:
    return Block("row", row_text(cells), place, cells=tuple(cells))


def _cells(names: Sequence[str], row: Sequence[str]) -> tuple[Cell, ...]:
    """The values with the names of their columns; a value that spans columns once, under what these have in common."""
    cells: list[Cell] = []
    for position, value in enumerate(row):
        name = names[position] if position < len(names) else ""
        if not value:
            continue
        if cells and position and row[position - 1] == value:
            if cells[-1][0] != name and cells[-1][1] == value:
                cells[-1] = (_common(cells[-1][0], name), value)
            continue
        cells.append((name, value))
    return tuple(cells)


def _common(first: str, second: str) -> str:
    """What two headings begin with, else both."""
    shared = [a for a, b in zip(first.split(" "), second.split(" "), strict=False) if a == b]
    return " ".join(shared) or "・".join(name for name in (first, second) if name)


def header_rows(grid: Grid) -> int:
    """How many rows at the head of a table are the headings of its columns."""
    rows = grid.rows
    if len(rows) < 2 or max(map(len, rows)) < 2:
        return 0
    if grid.headed:
        return next((number for number in range(len(rows)) if number not in grid.headed), 0)
    if grid.labelled or not _is_header(rows[0]) or _is_like(rows[0], rows[1]) or _is_pairs(grid):
        return 0
    spans = any(first and first == second for first, second in pairwise(rows[0]))
    second_too = spans and len(rows) > 2 and len(_filled(rows[1])) > 1 and _are_names(_filled(rows[1]))
    return 2 if second_too else 1


def _is_header(row: Sequence[str]) -> bool:
    """Whether a row may name columns: short, without figures and sentences, each name once (but for spans)."""
    named = _filled(row)
    if len(named) < 2 or len(set(named)) < len(named):
        return False
    return _are_names(named)


def _is_like(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether two rows say the same of different figures (従業員の数 5人以下, 従業員の数 20人以下)."""
    return any(
        one != two and (shape := _FIGURE.sub("0", one)) != one and shape == _FIGURE.sub("0", two)
        for one, two in zip(first[1:], second[1:], strict=False)
    )


def _are_names(named: Sequence[str]) -> bool:
    return all(len(value) <= _LABEL and not _is_value(value) for value in named)


def _is_value(text: str) -> bool:
    """Whether a cell states something: a sentence, an amount, a day; a year or a number alone may head a column."""
    normal = normalize(text)
    if re.search(r"[。○×〇✕]|https?://", text):
        return True
    if re.fullmatch(r"[-+]?[0-9,.]+", normal):
        return True
    days = [day for day in read_days(normal, _ANY_DAY) if day.precision in ("day", "week", "month", "months")]
    if any(day.end - day.start > len(normal) / 2 for day in days):
        return True
    if _LABELLED.search(re.sub(r"[((].*[))]$", "", text)):
        return False
    if days:
        return True
    return any(figure.dimension.value in ("yen", "percent", "day", "hour", "month") for figure in read_figures(normal))


def _is_pairs(grid: Grid) -> bool:
    """Whether a table has labels at the left and their texts beside them, and no headings of columns."""
    rows = grid.rows
    if grid.labelled:
        return max(len(_filled(row)) for row in rows) <= 2
    if any(len(_filled(row)) > 2 for row in rows):
        return False
    filled = [_filled(row) for row in rows]
    pairs = [row for row in filled if len(row) == 2]
    if not pairs or len(pairs[0][0]) > _LABEL:
        return False
    if not _is_header(pairs[0]) or (len(pairs) > 1 and _is_like(pairs[0], pairs[1])):
        return True
    down = sum(bool(_LABELLED.search(row[0])) for row in pairs) / len(pairs)
    across = sum(bool(_LABELLED.search(value)) for value in pairs[0]) / 2
    return len(pairs) == 1 or down > 0.5 > across or (down == 1 and across == 0.5)


def _lies_on_its_side(grid: Grid) -> bool:
    """Whether every row begins with its heading, and the first one names what the others tell of."""
    first, *others = grid.rows
    is_whole = len(first) > 2 and {len(row) for row in others} == {len(first)}
    marked = len(grid.labelled) == len(grid.rows) and not grid.headed
    return marked and is_whole and _is_header(first) and any(map(_is_value, others[0][1:]))


def joined_header(rows: Sequence[Sequence[str]]) -> list[str]:
    """The headings of the columns, those of several rows put together (令和8年度 件数)."""
    if not rows:
        return []
    width = max(map(len, rows))
    columns = [[row[position] for row in rows if position < len(row) and row[position]] for position in range(width)]
    return [" ".join(dict.fromkeys(names)) for names in columns]


def _filled(row: Sequence[str]) -> list[str]:
    """The texts of a row, what spans columns once."""
    return [value for value in _distinct(row) if value]


def _distinct(row: Sequence[str]) -> list[str]:
    """The values of a row, what spans columns once."""
    return [value for position, value in enumerate(row) if not position or row[position - 1] != value]
