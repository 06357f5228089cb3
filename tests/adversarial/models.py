"""A server on the loopback that speaks the OpenAI API, and plays chat models that point, lie, break or dawdle."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Play = Callable[[str, str], str]
"""The reply of a model: from its name and the prompt."""

SENTENCES = "## 資料の文"


def groups_in(prompt: str) -> list[str]:
    """The groups of sentences that a prompt hands out, in order."""
    listed = prompt.partition(SENTENCES)[2].partition("\n\n## ")[0]
    return re.findall(r"^\d+\. \[[^\]]*\] (.*(?:\n(?!\d+\. \[).*)*)", listed, re.M)


def as_choice(*numbers: int, heading: str = "概要") -> str:
    """A reply that points to these groups."""
    return json.dumps({"parts": [{"heading": heading, "numbers": list(numbers)}]}, ensure_ascii=False)


def first_two(name: str, prompt: str) -> str:
    """Points to the first two groups, whatever is asked."""
    return as_choice(1, 2) if SENTENCES in prompt else "{}"


@contextmanager
def serving(
    play: Play = first_two,
    *,
    before: float = 0.0,
    structured: bool = True,
    status: int = 200,
    forms: list[bool] | None = None,
) -> Iterator[str]:
    """Serves a model; gives its base URL.

    Args:
        play: what it replies.
        before: seconds before it does.
        structured: whether it takes a response format; if not it refuses one with status 400.
        status: the HTTP status of every reply.
        forms: gets for each request whether it asks for structured output.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            time.sleep(before)
            if forms is not None:
                forms.append("response_format" in body)
            if status != 200 or (not structured and "response_format" in body):
                self.send_response(status if status != 200 else 400)
                self.end_headers()
                self.wfile.write(b'{"error": {"message": "no"}}')
                return
            reply = play(body["model"], body["messages"][-1]["content"])
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            with suppress(ConnectionError):  # who has heard enough hangs up
                for start in range(0, len(reply), 40):
                    self._chunk(body["model"], {"content": reply[start : start + 40]}, None)
                self._chunk(body["model"], {}, "stop")
                self.wfile.write(b"data: [DONE]\n\n")

        def _chunk(self, model: str, delta: dict[str, str], finish: str | None) -> None:
            choice = {"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": finish}
            chunk = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": model, "choices": [choice]}
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
