"""Pages that change, served over a loopback server: what is fetched, what is refused, and which figures are named."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from ingest.documents import Documents
from ingest.fetching import Fetcher, id_of
from ingest.types import ReadError
from ingest.watching import PageNews, look
from knowledge.catalog import Catalog
from knowledge.watching import load_watch
from tests.site import PAGE, Site, served_site

NOW = datetime.fromisoformat("2026-05-10T09:00:00+09:00")


@pytest.fixture
def site() -> Iterator[Site]:
    with served_site() as site:
        yield site


@pytest.fixture
def looked(site: Site, tmp_path: Path):
    """Looks at the site's page, which was added from its address."""
    documents, catalog = Documents(tmp_path), Catalog({}, {}, {}, {})
    url = f"{site.url}/page"
    site.pages["/page"] = PAGE
    with documents.changing():
        file = tmp_path / "page.html"
        file.write_text(PAGE, encoding="utf-8")
        documents.add(file, id_of(url), url)

    def once() -> PageNews:
        return look(tmp_path, catalog, documents, Fetcher(local=True), NOW)

    return once


def test_each_changed_figure_is_named_once(site: Site, looked, tmp_path: Path) -> None:
    assert looked().changes == ()
    changed = PAGE.replace("1億2千万円", "120百万円").replace("6月5日", "6月19日").replace("年2回", "年3回")
    site.pages["/page"] = changed
    assert [(c.before, c.after) for c in looked().changes] == [
        ("5月11日から6月5日", "5月11日から6月19日"),
        ("2回", "3回"),
    ]
    site.pages["/page"] = changed.replace("120百万円", "150百万円")
    (cap,) = looked().changes
    assert (cap.before, cap.after, cap.new_sentence) == ("120百万円", "150百万円", "上限は150百万円です。")
    assert looked().changes == ()
    assert len(load_watch(tmp_path).changes) == 3


def test_an_unchanged_page_is_not_read_again(site: Site, looked, tmp_path: Path) -> None:
    assert looked().renewed == 0
    tag = load_watch(tmp_path).pages[f"{site.url}/page"].etag
    assert tag
    assert Fetcher(local=True).fetch(f"{site.url}/page", tag) is None


def test_a_page_that_is_gone_is_a_problem_and_its_document_stays(site: Site, looked, tmp_path: Path) -> None:
    site.pages.clear()
    ((url, problem),) = looked().problems
    assert url == f"{site.url}/page"
    assert "404" in problem.reason
    assert len(Documents(tmp_path).added) == 1


@pytest.mark.parametrize(
    ("path", "local", "reason"),
    [
        ("/page", False, "公開されていない"),
        ("/outside", True, "公開されていない"),
        ("/file", True, "取得できないURL"),
        ("/round", True, "転送が多すぎます"),
        ("/private/page", True, "robots.txt"),
    ],
)
def test_what_must_not_be_fetched_is_refused(site: Site, path: str, local: bool, reason: str) -> None:
    site.pages |= {"/page": PAGE, "/private/page": PAGE}
    site.robots = "User-agent: *\nDisallow: /private/\n"
    site.redirects |= {"/outside": "http://10.0.0.1/", "/file": "file:///etc/hostname", "/round": "/round"}
    with pytest.raises(ReadError, match=reason):
        Fetcher(local=local).fetch(f"{site.url}{path}")


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
MEGABYTE = b"<p>" + b"x" * (1 << 20)


@pytest.mark.parametrize(
    ("part", "seconds_between", "reason"),
    [
        (HEAD + MEGABYTE, 0, r"大きすぎます\(20MBまで\)"),
        (HEAD + b"<p>", 0.05, "1秒で取得しきれません"),  # goes on and on
        (b"HTTP/1.1 200 OK\r\nX: ", 0.05, "1秒で取得しきれません"),  # and so does this, before the page begins
        (HEAD, 60, "1秒で取得しきれません"),  # nothing comes
    ],
    ids=["large", "drips", "head-drips", "silent"],
)
def test_what_comes_without_end_is_cut_off(site: Site, part: bytes, seconds_between: float, reason: str) -> None:
    assert (Fetcher().most_bytes, Fetcher().seconds) == (20 << 20, 30.0)
    site.endless["/page"] = (part, seconds_between)
    fetcher = Fetcher(local=True) if seconds_between == 0 else Fetcher(local=True, seconds=1.0)
    with pytest.raises(ReadError, match=reason):
        fetcher.fetch(f"{site.url}/page")
    assert site.sent < 40 << 20


def test_a_document_is_read_while_another_run_holds_the_list(tmp_path: Path) -> None:
    file, folder = tmp_path / "page.html", tmp_path / "copy"
    file.write_text(PAGE, encoding="utf-8")
    folder.mkdir()
    ours = Documents(tmp_path)
    with Documents(tmp_path).changing():
        reading = ours.read(file, "page.html", "", folder)
    with ours.changing():
        assert ours.put(reading).title == "もり市植樹補助金"


def test_a_redirect_is_followed(site: Site) -> None:
    site.pages["/page"] = PAGE
    site.redirects["/old"] = "/page"
    fetched = Fetcher(local=True).fetch(f"{site.url}/old")
    assert fetched is not None
    assert (fetched.suffix, "植樹" in fetched.content.decode()) == (".html", True)
