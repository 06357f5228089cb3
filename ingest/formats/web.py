"""HTML pages: the main content, without what surrounds it on every page."""

import re
from collections.abc import Iterator
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

from ingest.characters import clean, decode
from ingest.formats.tables import row_text, rows_of
from ingest.types import Block

_DECLARED = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([A-Za-z0-9_\-]+)", re.I)
_SURROUNDING = (
    "script, style, noscript, template, nav, aside, form, button, select, iframe, svg, "
    "[hidden], [aria-hidden=true], [role=navigation], [role=search]"
)
_PAGE_EDGES = "header, footer, [role=banner], [role=contentinfo]"
_MAIN = ("main", "[role=main]", "#main", "#contents", "#content", "#main-contents", "article")
_BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "html", "li", "main", "ol", "p", "pre",
    "section", "summary", "table", "ul", "h1", "h2", "h3", "h4", "h5", "h6",
}  # fmt: skip


def parse_page(path: Path) -> BeautifulSoup:
    """The page as a tree, decoded by its mark, its meta element, or what its bytes look like."""
    content = path.read_bytes()
    declared = _DECLARED.search(content[:4096])
    return BeautifulSoup(decode(content, declared[1].decode("ascii").lower() if declared else ""), "lxml")


def page_title(page: BeautifulSoup) -> str:
    """The first `h1`, else the title element."""
    found = page.find("h1") or page.find("title")
    return clean(found.get_text(" ")) if found else ""


def page_url(page: BeautifulSoup) -> str:
    """The address that the page gives for itself."""
    link = page.find("link", rel="canonical")
    meta = page.find("meta", property="og:url")
    address = (link.get("href") if isinstance(link, Tag) else None) or (
        meta.get("content") if isinstance(meta, Tag) else None
    )
    return address if isinstance(address, str) and address.startswith(("http://", "https://")) else ""


def read_page(page: BeautifulSoup) -> Iterator[Block]:
    """The blocks of the main content. Lists of links and the page's edges are left out."""
    for element in page.select(_SURROUNDING):
        element.decompose()
    mains = next((found for selector in _MAIN if len(found := page.select(selector)) == 1), None)
    root = mains[0] if mains and len(mains[0].get_text()) > 0.3 * len(page.get_text()) else page.body or page
    for element in root.select(_PAGE_EDGES):
        if element.find_parent(["article", "section", "main"]) is None and not element.find(["h1"]):
            element.decompose()
    for element in root.find_all(["ul", "ol"]):
        if not element.decomposed and _is_navigation(element):
            element.decompose()
    yield from _blocks(root)


def _is_navigation(group: Tag) -> bool:
    links = group.find_all("a")
    linked = sum(len(link.get_text(strip=True)) for link in links)
    return len(links) >= 3 and linked > 0.8 * len(group.get_text(strip=True))


def _blocks(element: Tag) -> Iterator[Block]:
    """Depth first; text that stands between block elements is a paragraph for each of its lines."""
    line: list[str] = []

    def flush() -> Iterator[Block]:
        for part in "".join(line).split("\n"):
            if text := clean(part):
                yield _block_of(element, text)
        line.clear()

    for child in element.children:
        if isinstance(child, NavigableString):
            if type(child) is NavigableString:
                line.append(re.sub(r"\s+", " ", child))
        elif not isinstance(child, Tag) or child.decomposed:
            continue
        elif child.name == "br":
            line.append("\n")
        elif child.name == "table":
            yield from flush()
            yield from _table(child)
        elif child.name in _BLOCKS or child.find(list(_BLOCKS)) is not None:
            yield from flush()
            yield from _blocks(child)
        else:
            for reading in child.find_all(["rt", "rp"]):
                reading.decompose()
            for pause in child.find_all("br"):
                pause.replace_with("\0")
            line.append(re.sub(r"\s+", " ", child.get_text()).replace("\0", "\n"))
    yield from flush()


def _block_of(element: Tag, text: str) -> Block:
    name = element.name if re.fullmatch(r"h[1-6]|li|dt", element.name) else ""
    if not name and (within := element.find_parent(re.compile(r"^(h[1-6]|li)$"))) is not None:
        name = within.name
    if name == "li":
        return Block("item", text)
    if name == "dt":
        return Block("heading", text, level=7)
    return Block("heading", text, level=int(name[1])) if name else Block("paragraph", text)


def _table(table: Tag) -> Iterator[Block]:
    """Rows under the headings of their columns; a cell that spans rows or columns counts in each of them."""
    if table.find("table") is not None:  # used for layout
        for row in table.find_all(["td", "th"]):
            if row.find_parent("table") is table:
                yield from _blocks(row)
        return
    caption = table.find("caption")
    if caption and (text := clean(caption.get_text(" "))):
        yield Block("paragraph", text)
    grid: list[list[str]] = []
    is_header: list[bool] = []
    spanning: dict[int, tuple[int, str]] = {}
    for row in table.find_all("tr"):
        cells = iter(row.find_all(["td", "th"]))
        values: list[str] = []
        while True:
            if len(values) in spanning:
                left, text = spanning.pop(len(values))
                if left > 1:
                    spanning[len(values)] = (left - 1, text)
                values.append(text)
                continue
            cell = next(cells, None)
            if cell is None:
                break
            text = clean(cell.get_text(" ", strip=True))
            for _ in range(_span(cell, "colspan")):
                if (rows := _span(cell, "rowspan")) > 1:
                    spanning[len(values)] = (rows - 1, text)
                values.append(text)
        grid.append(values)
        is_header.append(bool(row.find("th")) and row.find("td") is None)
    if is_header and is_header[0]:
        yield from (Block("row", text) for values in grid[1:] if (text := row_text(grid[0], values)))
    elif grid:
        yield from rows_of(grid, [""] * len(grid))


def _span(cell: Tag, name: str) -> int:
    value = cell.get(name)
    return min(int(value), 100) if isinstance(value, str) and value.isdigit() and value != "0" else 1
