"""Rows of tables as text that can be read alone."""

from collections.abc import Iterator, Sequence

from ingest.types import Block

_LABEL = 30  # characters; what is longer is text and no column's heading


def row_text(header: Sequence[str], values: Sequence[str]) -> str:
    """A table's row: each value after the heading of its column, empty ones left out."""
    pairs = zip([*header, *[""] * (len(values) - len(header))], values, strict=False)
    return " | ".join(f"{name}: {value}" if name and name != value else value for name, value in pairs if value)


def rows_of(rows: Sequence[Sequence[str]], places: Sequence[str]) -> Iterator[Block]:
    """The rows below the first, read under it; in a table of labels and texts, each row is read under its label."""
    labelled = all(len(row) == 2 for row in rows) and _is_text(rows[0][1])
    header = [] if labelled or any(len(cell) > _LABEL for cell in rows[0]) else rows[0]
    for values, place in list(zip(rows, places, strict=True))[1 if header else 0 :]:
        text = row_text(values[:1], values[1:]) if labelled else row_text(header, values)
        if text:
            yield Block("row", text, place)


def _is_text(cell: str) -> bool:
    return len(cell) > 12 or any(character.isdigit() for character in cell)
