"""The ruled tables of a pdf's page: from the lines that are drawn to cells, and from cells to a grid.

The lines come from pdfium, as the text does; pdfplumber's geometry makes cells of them. (Its own pages are read by
pdfminer, which takes half a second for each.)
"""

import ctypes
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from pdfplumber import table as ruled

_MOST_RULES = 6000  # lines of a page; more are a drawing
_NEAR = 3.0  # points by which lines that are meant as one may lie apart
_SHORTEST = 4.0  # points; what is shorter is no side of a cell

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in points, from the top of the page."""


@dataclass(frozen=True)
class Ruled:
    """A ruled table: where it lies, where its columns begin, and its cells.

    `open_above` and `open_below` tell that the page cuts its first or last row.
    """

    box: Box
    columns: tuple[float, ...]
    tops: tuple[float, ...]
    cells: tuple[Box, ...]
    open_above: bool
    open_below: bool

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies in the table (points, from the left and the top of the page)."""
        left, top, right, bottom = self.box
        return left - 1 <= x <= right and top <= y <= bottom

    def goes_on_from(self, other: "Ruled") -> bool:
        """Whether it has the columns of a table on the page before."""
        return len(self.columns) == len(other.columns) and all(
            abs(one - two) < 2 * _NEAR for one, two in zip(self.columns, other.columns, strict=True)
        )

    def grid(self, text_of: Callable[[Box], str]) -> list[list[str]]:
        """The cells' texts by row and column; a cell that spans several stands in each of them."""
        rows = [[""] * len(self.columns) for _ in self.tops]
        for left, top, right, bottom in self.cells:
            text = text_of((left, top, right, bottom))
            for row, at in enumerate(self.tops):
                if top - 1 <= at < bottom - 1:
                    for column, start in enumerate(self.columns):
                        if left - 1 <= start < right - 1:
                            rows[row][column] = text
        return rows


def ruled_tables(page: pdfium.PdfPage) -> list[Ruled]:
    """The ruled tables of a page, from its top; those of one row or one column are frames around text."""
    edges = list(_edges(page))
    if not 4 <= len(edges) <= _MOST_RULES:
        return []
    merged = ruled.merge_edges(edges, _NEAR, _NEAR, _NEAR, _NEAR)
    closing = list(_closing(merged))
    merged += closing
    cells = ruled.intersections_to_cells(ruled.edges_to_intersections(merged, _NEAR, _NEAR))
    found = []
    for group in ruled.cells_to_tables(cells):
        columns = sorted({cell[0] for cell in group})
        tops = sorted({cell[1] for cell in group})
        if len(columns) > 1:
            box = (columns[0], tops[0], max(cell[2] for cell in group), max(cell[3] for cell in group))
            above, below = (any(abs(edge["top"] - at) < 1 for edge in closing) for at in (box[1], box[3]))
            found.append(Ruled(box, tuple(columns), tuple(tops), tuple(group), above, below))
    return found


def _edges(page: pdfium.PdfPage) -> Iterator[dict[str, Any]]:
    """The upright and level lines that a page draws, sides of boxes among them."""
    height = page.get_height()
    count = 0
    for path in page.get_objects([pdfium_c.FPDF_PAGEOBJ_PATH], max_depth=4):
        for first, last in pairwise(_points(path)):
            if first is None or last is None:
                continue
            count += 1
            if count > _MOST_RULES:
                return
            (x0, y0), (x1, y1) = first, last
            left, right, top, bottom = min(x0, x1), max(x0, x1), height - max(y0, y1), height - min(y0, y1)
            if bottom - top < 1 and right - left > _SHORTEST:
                yield _edge("h", left, right, top, top)
            elif right - left < 1 and bottom - top > _SHORTEST:
                yield _edge("v", left, left, top, bottom)


def _edge(orientation: str, left: float, right: float, top: float, bottom: float) -> dict[str, Any]:
    return {"orientation": orientation, "x0": left, "x1": right, "top": top, "bottom": bottom,
            "width": right - left, "height": bottom - top, "object_type": "line"}  # fmt: skip


def _points(path: Any) -> Iterator[tuple[float, float] | None]:
    """The corners of a path on the page; None between two of its parts."""
    matrices = [path.get_matrix()]
    container = path.container
    while container is not None:
        matrices.append(container.get_matrix())
        container = container.container
    start: tuple[float, float] | None = None
    x, y = ctypes.c_float(), ctypes.c_float()
    for index in range(min(pdfium_c.FPDFPath_CountSegments(path), _MOST_RULES)):
        segment = pdfium_c.FPDFPath_GetPathSegment(path, index)
        pdfium_c.FPDFPathSegment_GetPoint(segment, x, y)
        point = (x.value, y.value)
        for matrix in matrices:
            point = matrix.on_point(*point)
        kind = pdfium_c.FPDFPathSegment_GetType(segment)
        if kind == pdfium_c.FPDF_SEGMENT_MOVETO:
            yield None
            start = point
        if kind == pdfium_c.FPDF_SEGMENT_BEZIERTO:
            yield None
        yield point
        if pdfium_c.FPDFPathSegment_GetClose(segment) and start is not None:
            yield start


def _closing(edges: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Level lines where upright ones end together with none below or above: the page cuts the table there."""
    upright = [edge for edge in edges if edge["orientation"] == "v"]
    level = [edge for edge in edges if edge["orientation"] == "h"]
    for end in ("bottom", "top"):
        done: list[float] = []
        for edge in upright:
            at = edge[end]
            if any(abs(at - other) < _NEAR for other in done):
                continue
            done.append(at)
            beside = [other["x0"] for other in upright if abs(other[end] - at) < _NEAR]
            left, right = min(beside), max(beside)
            crossed = [other for other in level if other["x0"] < right - _NEAR and other["x1"] > left + _NEAR]
            closed = any(abs(other["top"] - at) < 2 * _NEAR for other in crossed)
            if len(beside) >= 3 and crossed and not closed:
                yield _edge("h", left, right, at, at)
