"""HTML pages: the main content, without what surrounds it on every page."""

import re
from collections.abc import Iterator
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

from ingest.characters import UNREADABLE, clean, decode
from ingest.formats.tables import Grid, check_size, rows_of
from ingest.types import Block, ReadError, Unread
from knowledge.naming import issuer_of, split_issuer

_DECLARED = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([A-Za-z0-9_\-]+)", re.I)
_WITHOUT_TEXT = (
    "script, style, noscript, template, nav, select, option, input, textarea, iframe, svg, del, s, strike, "
    "[role=navigation], [role=search]"
)
_PAGE_EDGES = "header, footer, [role=banner], [role=contentinfo]"
_MAIN = ("main", "[role=main]", "#main", "#contents", "#content", "#main-contents", "article")
_TITLE_PARTS = re.compile(r" ?[|｜] ?| ?[/:-] ")
_MENU = re.compile(r"nav|menu|breadcrumb|pankuzu|topicpath|footer|header|sns|sitemap|pager", re.I)
_DEEPEST = 400  # elements within each other; a page with more is made to fill the stack
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "html", "li", "main", "ol", "p", "pre",
    "section", "summary", "table", "ul", *_HEADINGS,
}  # fmt: skip
_ASIDE_LEVEL = 7  # of headings that are none of h1 to h6: dt, summary, the button of an accordion


def parse_page(path: Path) -> BeautifulSoup:
    """The page as a tree, decoded by its mark, its meta element, or what its bytes look like.

    Raises:
        ReadError: its elements lie in each other deeper than any page's.
    """
    content = path.read_bytes()
    declared = _DECLARED.search(content[:4096])
    text = decode(content, declared[1].decode("ascii").lower() if declared else "")
    if _depth(text) > _DEEPEST:
        raise ReadError("入れ子が深すぎるページです", "ブラウザーで開き、本文だけを保存し直してください")
    return BeautifulSoup(text, "lxml")


def _depth(text: str) -> int:
    """How deep elements that must be closed lie in each other, at most."""
    deepest = depth = 0
    for tag in re.finditer(r"<(/?)(?:div|span|table|td|ul|ol|section|blockquote|font|b|i)\b", text, re.I):
        depth = max(depth + (-1 if tag[1] else 1), 0)
        deepest = max(deepest, depth)
    return deepest


def page_title(page: BeautifulSoup) -> str:
    """The first `h1`, else the title element; before it whose page it is, where only that element tells (… | ○○市)."""
    heading, element = page.find("h1"), page.find("title")
    whole = clean(element.get_text(" ")) if element else ""
    title = clean(heading.get_text(" ")) if heading else whole
    parts = _TITLE_PARTS.split(whole)
    sites = (split_issuer(part)[0] for part in (*parts[1:], parts[0]))
    site = next((site for site in sites if site and not issuer_of(title)), "")
    return f"{site} {title}" if site and title != whole else title


def page_url(page: BeautifulSoup) -> str:
    """The address that the page gives for itself."""
    link = page.find("link", rel="canonical")
    meta = page.find("meta", property="og:url")
    address = (link.get("href") if isinstance(link, Tag) else None) or (
        meta.get("content") if isinstance(meta, Tag) else None
    )
    return address if isinstance(address, str) and address.startswith(("http://", "https://")) else ""


def read_page(page: BeautifulSoup) -> Iterator[Block | Unread]:
    """The blocks of the main content, what is folded away among them. Menus and the page's edges are left out."""
    for element in page.select(_WITHOUT_TEXT):
        element.decompose()
    mains = next((found for selector in _MAIN if len(found := page.select(selector)) == 1), None)
    root = mains[0] if mains and len(mains[0].get_text()) > 0.3 * len(page.get_text()) else page.body or page
    for element in root.select(_PAGE_EDGES):
        if element.find_parent(["article", "section", "main"]) is None and not element.find(["h1"]):
            element.decompose()
    _remove_menus(root)
    yield from _Reader(root).read(root)
    pictures = [picture for picture in root.find_all("img") if not str(picture.get("alt") or "").strip()]
    if pictures:
        yield Unread(f"説明(alt)のない画像{len(pictures)}点", "本文", len(pictures))
    if bad := root.get_text().count(UNREADABLE):
        yield Unread(f"文字コードの壊れた文字{bad}字(〓で表示)", "本文")


def _remove_menus(root: Tag) -> None:
    """Removes lists of links that lead about the site or the page; one that lists what the page is about stays."""
    titles = {clean(title.get_text()) for title in root.find_all(_HEADINGS)}
    first = root.find("h1")
    for group in root.find_all(["ul", "ol", "aside"]):
        if group.decomposed:
            continue
        links = group.find_all("a")
        linked = sum(len(link.get_text(strip=True)) for link in links)
        if len(links) < 3 or linked <= 0.8 * len(group.get_text(strip=True)):
            continue
        within_page = sum(str(link.get("href") or "#").startswith("#") for link in links)
        repeated = sum(clean(link.get_text()) in titles for link in links)
        before = first is not None and group.find_next("h1") is first
        named = " ".join(
            f"{above.get('id', '')} {' '.join(above.get('class') or [])}" for above in [group, *group.parents][:4]
        )
        if within_page > 0.5 * len(links) or repeated > 0.5 * len(links) or before or _MENU.search(named):
            group.decompose()


class _Reader:
    """Walks the elements below a root, depth first."""

    def __init__(self, root: Tag) -> None:
        self._parted: set[int] = set()  # elements that have a block element in them
        for element in root.find_all(list(_BLOCKS)):
            for above in element.parents:
                if id(above) in self._parted:
                    break
                self._parted.add(id(above))

    def read(self, element: Tag) -> Iterator[Block]:
        """The blocks of an element; text that stands between block elements is a paragraph for each of its lines."""
        line: list[str] = []

        def flush() -> Iterator[Block]:
            text = "".join(line)
            for part in [text.replace("\n", " ")] if element.name in _HEADINGS else text.split("\n"):
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
                yield from self._table(child)
            elif child.name == "button":
                if _unfolds(child):
                    yield from flush()
                    if text := clean(child.get_text(" ")):
                        yield Block("heading", text, level=_ASIDE_LEVEL)
            elif child.name in _BLOCKS or id(child) in self._parted:
                yield from flush()
                yield from self.read(child)
            else:
                line.append(_inline(child))
        yield from flush()

    def _table(self, table: Tag) -> Iterator[Block]:
        """The rows of a table; a cell that spans rows or columns counts in each of them."""
        if table.find("table") is not None:  # used for layout
            for cell in table.find_all(["td", "th"]):
                if cell.find_parent("table") is table:
                    yield from self.read(cell)
            return
        caption = table.find("caption")
        if caption and (text := clean(caption.get_text(" "))):
            yield Block("paragraph", text)
        yield from rows_of(_grid(table))


def _unfolds(button: Tag) -> bool:
    """Whether a button shows more of the page: the question of an accordion."""
    marked = any(button.has_attr(name) for name in ("aria-expanded", "aria-controls", "data-toggle", "data-bs-toggle"))
    within = button.find_parent([*_HEADINGS, "dt", "li", "summary"]) is not None
    asks = bool(re.search(r"[??]$|か[。?]?$", button.get_text(strip=True)))
    return button.get("type") != "submit" and (marked or within or asks)


def _inline(element: Tag) -> str:
    for reading in element.find_all(["rt", "rp"]):
        reading.decompose()
    for pause in element.find_all("br"):
        pause.replace_with("\0")
    if element.name in ("rt", "rp"):
        return ""
    return re.sub(r"\s+", " ", element.get_text()).replace("\0", "\n")


def _block_of(element: Tag, text: str) -> Block:
    name = element.name if re.fullmatch(r"h[1-6]|li|dt|summary", element.name) else ""
    if not name and (within := element.find_parent(re.compile(r"^(h[1-6]|li|summary|dt)$"))) is not None:
        name = within.name
    if name == "li":
        return Block("item", text)
    if name in ("dt", "summary"):
        return Block("heading", text, level=_ASIDE_LEVEL)
    return Block("heading", text, level=int(name[1])) if name else Block("paragraph", text)


def _grid(table: Tag) -> Grid:
    grid = Grid([], [], set(), set())
    headed, labelled = set[int](), set[int]()
    spanning: dict[int, tuple[int, str]] = {}
    size = 0
    rows = table.find_all("tr")
    for number, row in enumerate(rows):
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
            text = clean(_inline(cell).replace("\n", " "))
            width, height = _span(cell, "colspan"), min(_span(cell, "rowspan"), len(rows) - number)
            check_size(size := size + width * height)
            for _ in range(width):
                if height > 1:
                    spanning[len(values)] = (height - 1, text)
                values.append(text)
        grid.rows.append(values)
        heads = row.find_all("th")
        if heads and row.find("td") is None:
            headed.add(number)
        elif heads and row.find(["td", "th"]) is heads[0]:
            labelled.add(number)
    return Grid(grid.rows, [""] * len(grid.rows), headed, labelled)


def _span(cell: Tag, name: str) -> int:
    value = cell.get(name)
    return min(int(value), 1000) if isinstance(value, str) and value.isdigit() and value != "0" else 1
