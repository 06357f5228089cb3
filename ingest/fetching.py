"""Fetches a document from its address: public hosts only, within bounds, as its site's robots.txt allows."""

import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit
from urllib.robotparser import RobotFileParser

import httpcore

from ingest.extracting import SUFFIXES, suffix_of
from ingest.types import ReadError

AGENT = "madoguchi-ingest"
"""What the fetches call themselves, and the name that robots.txt may speak of."""

_REDIRECTS = 5
_PAUSE = 1.0  # seconds between two fetches from one host, where its robots.txt asks for no more
_LONGEST_PAUSE = 30.0
_TYPES = {
    "application/pdf": ".pdf",
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}


@dataclass(frozen=True)
class Fetched:
    """What lay at an address: its content, the ending of its format, and what asks for it again only if it changed."""

    content: bytes
    suffix: str
    etag: str = ""
    modified: str = ""


class _Until(httpcore.NetworkStream):
    """A connection that ends at a moment, however little at a time comes over it. Raises as the one it stands for."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline))
        return _Until(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    """The seconds until then. Raises ReadTimeout where it is over."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout
    return left


class _Hosts(httpcore.NetworkBackend):
    """Connects, until a moment, to the addresses that were checked: to no others that a name may turn to in between."""

    def __init__(self, deadline: float, *, local: bool) -> None:
        self._deadline = deadline
        self._local = local
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise _unreachable(host) from error
        addresses = [str(entry[4][0]) for entry in found]
        for address in addresses:
            place = ipaddress.ip_address(address)
            if not (place.is_global and not place.is_multicast) and not (self._local and place.is_loopback):
                raise ReadError(
                    f"公開されていないアドレスです({host})", "インターネットで公開されたURLを指定してください"
                )
        left = _left(self._deadline)
        stream = self._backend.connect_tcp(addresses[0], port, left, local_address, socket_options)
        return _Until(stream, self._deadline)


@dataclass
class Fetcher:
    """Fetches politely: one at a time, hosts by their robots.txt and not too often.

    `local` lets it fetch from this machine, for tests. A document has `most_bytes` at most, and comes within `seconds`,
    redirects included.
    """

    local: bool = False
    most_bytes: int = 20 << 20
    seconds: float = 30.0
    _robots: dict[str, RobotFileParser] = field(default_factory=dict)
    _fetched_at: dict[str, float] = field(default_factory=dict)

    def fetch(self, url: str, etag: str = "", modified: str = "") -> Fetched | None:
        """What lies at an address; None where it has not changed since it gave `etag` or `modified`.

        Raises:
            ReadError: it cannot be fetched; the reason names it.
        """
        deadline = time.monotonic() + self.seconds
        for _ in range(_REDIRECTS + 1):
            _check(url)
            self._ask_robots(url, deadline)
            status, headers, content = self._get(url, etag, modified, deadline)
            if status == 304:
                return None
            if status in (301, 302, 303, 307, 308) and headers["location"]:
                target = urljoin(url, str(headers["location"]))
                if urlsplit(url).scheme == "https" and urlsplit(target).scheme == "http":
                    raise ReadError("httpsからhttpへ転送されるURLです", "転送先のURLを確かめて指定してください")
                url = target
                continue
            if status != 200:
                raise ReadError(f"取得できませんでした(HTTP {status})", "URLをブラウザーで開いて確かめてください")
            return Fetched(
                content, _suffix(url, headers, content), headers["etag"] or "", headers["last-modified"] or ""
            )
        raise ReadError("転送が多すぎます", "転送先のURLを指定してください")

    def _ask_robots(self, url: str, deadline: float) -> None:
        """Waits as long as a host asks for; raises ReadError where its robots.txt forbids the address."""
        parts = urlsplit(url)
        host = f"{parts.scheme}://{parts.netloc}"
        if host not in self._robots:
            robots = RobotFileParser()
            status, _, content = self._get(f"{host}/robots.txt", "", "", deadline)
            robots.parse(content.decode("utf-8", "replace").splitlines() if status == 200 else [])
            self._robots[host] = robots
        robots = self._robots[host]
        if not robots.can_fetch(AGENT, url):
            raise ReadError("robots.txt で取得が断られています", "ファイルをダウンロードして追加してください")
        if not self.local:
            asked = float(robots.crawl_delay(AGENT) or _PAUSE)
            since = time.monotonic() - self._fetched_at.get(host, -_LONGEST_PAUSE)
            time.sleep(max(0.0, min(asked, _LONGEST_PAUSE) - since))
        self._fetched_at[host] = time.monotonic()

    def _get(self, url: str, etag: str, modified: str, deadline: float) -> tuple[int, Message, bytes]:
        sent = {
            "User-Agent": AGENT,
            "Accept-Encoding": "identity",
            "If-None-Match": etag,
            "If-Modified-Since": modified,
        }
        given = [(name, value) for name, value in sent.items() if value]
        hosts = _Hosts(deadline, local=self.local)
        try:
            with (
                httpcore.ConnectionPool(ssl.create_default_context(), network_backend=hosts) as pool,
                pool.stream("GET", url, headers=given) as response,
            ):
                content = bytearray()
                for part in response.iter_stream():
                    content += part
                    if len(content) > self.most_bytes:
                        most = f"{self.most_bytes >> 20}MBまで"
                        raise ReadError(f"大きすぎます({most})", "ダウンロードして追加してください")
                headers = Message()
                for name, value in response.headers:
                    headers[name.decode("latin-1")] = value.decode("latin-1")
                return response.status, headers, bytes(content)
        except httpcore.TimeoutException as error:
            raise ReadError(
                f"{self.seconds:.0f}秒で取得しきれませんでした", "時間をおいてやり直してください"
            ) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError) as error:
            raise _unreachable(urlsplit(url).netloc) from error


def _check(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ReadError("取得できないURLです(httpかhttpsだけ)", "https:// で始まるURLを指定してください")


def _unreachable(host: str) -> ReadError:
    return ReadError(f"{host} につながりません", "URLとネットワークを確かめ、時間をおいてやり直してください")


def _suffix(url: str, headers: Message, content: bytes) -> str:
    """The ending that names the format: by the address, by the type that is told, else by the content."""
    ending = re.search(r"\.[a-z]{2,4}$", urlsplit(url).path.lower())
    if ending and ending[0] in SUFFIXES:
        return ending[0]
    return _TYPES.get(headers.get_content_type() if headers["content-type"] else "", suffix_of(content))


def id_of(url: str) -> str:
    """What a fetched document is called on the list: its host and path."""
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return unquote(f"{parts.netloc}{parts.path}".rstrip("/") + query)
