"""A site on this machine whose pages change, move, and come too slowly or without end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = (
    "<html><head><title>もり市植樹補助金</title></head><body><main><h1>もり市植樹補助金</h1>"
    "<p>上限は1億2千万円です。</p><p>受付は5月11日から6月5日までです。</p><p>1団体につき年2回まで申請できます。</p></main></body></html>"
)
_MOST_PARTS = 1000
"""Where nobody hangs up, a page without end has one all the same."""


@dataclass
class Site:
    """What is given: pages by path, redirects by path; what was asked for, and how much of endless pages was sent.

    `endless` has by path a part of a page that is sent again and again, and the seconds before each.
    """

    url: str = ""
    pages: dict[str, str] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    endless: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    robots: str = ""
    asked: list[str] = field(default_factory=list)
    sent: int = 0


@contextmanager
def served_site() -> Iterator[Site]:
    """Serves a site over loopback."""
    site, closing = Site(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = site.robots if self.path == "/robots.txt" else site.pages.get(self.path, "")
            tag = f'"{hash(content)}"'
            if self.path != "/robots.txt":
                site.asked.append(self.path)
            if self.path in site.endless:
                self._send_on(*site.endless[self.path])
                return
            if target := site.redirects.get(self.path):
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

        def _send_on(self, part: bytes, seconds: float) -> None:
            """Sends parts, a head that does not end included, until the other end has enough."""
            try:
                for _ in range(_MOST_PARTS):
                    if closing.wait(seconds):
                        return
                    site.sent += self.wfile.write(part)
            except OSError:
                return

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield site
    closing.set()
    server.shutdown()
    server.server_close()
