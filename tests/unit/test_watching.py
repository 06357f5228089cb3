"""Pages that change, served over a loopback server: what is fetched, what is refused, and which figures are named."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ingest.documents import Documents
from ingest.fetching import Fetcher, id_of
from ingest.types import ReadError
from ingest.watching import PageNews, look
from knowledge.catalog import Catalog
from knowledge.watching import load_watch

NOW = datetime.fromisoformat("2026-05-10T09:00:00+09:00")
PAGE = (
    "<html><head><title>もり市植樹補助金</title></head><body><main><h1>もり市植樹補助金</h1>"
    "<p>上限は1億2千万円です。</p><p>受付は5月11日から6月5日までです。</p><p>1団体につき年2回まで申請できます。</p></main></body></html>"
)


@dataclass
class Site:
    """What a loopback server gives: pages by path, redirects by path, and what was asked for."""

    url: str = ""
    pages: dict[str, str] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    robots: str = ""
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = served.robots if self.path == "/robots.txt" else served.pages.get(self.path, "")
            tag = f'"{hash(content)}"'
            if self.path != "/robots.txt":
                served.asked.append(self.path)
            if target := served.redirects.get(self.path):
                self.send_response(302)
                self.send_header("Location", target)
            elif not content:
                self.send_response(404)
            elif self.headers["If-None-Match"] == tag:
                self.send_response(304)
            else:
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("ETag", tag)
                self.end_headers()
                self.wfile.write(content.encode())
                return
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield served
    server.shutdown()
    server.server_close()


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


def test_a_page_that_is_too_large_or_too_slow_is_refused(site: Site) -> None:
    assert (Fetcher().most_bytes, Fetcher().seconds) == (20 << 20, 30.0)
    site.pages["/page"] = PAGE
    with pytest.raises(ReadError, match="大きすぎます"):
        Fetcher(local=True, most_bytes=100).fetch(f"{site.url}/page")
    with pytest.raises(ReadError, match=r"取得しきれません|つながりません"):
        Fetcher(local=True, seconds=0.0).fetch(f"{site.url}/page")


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
