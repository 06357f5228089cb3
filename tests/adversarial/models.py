"""A server on the loopback that speaks the OpenAI API, and plays chat models that lie, break or dawdle."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
LIES: list[dict[str, Any]] = yaml.safe_load((HERE / "lies.yaml").read_text("utf-8"))
Play = Callable[[str, str], str]
"""The reply of a model: from its name and the prompt."""


def tokens_in(prompt: str) -> list[str]:
    """The sources that a prompt hands out."""
    return re.findall(r"^\[([RS]\d+)\]", prompt, re.M)


def as_reply(sentences: list[str], cites: list[str]) -> str:
    return json.dumps({"sentences": [{"text": text, "sources": cites} for text in sentences]}, ensure_ascii=False)


def lying(name: str, prompt: str) -> str:
    """The reply of the lying model of this name; it cites everything that it was given."""
    lie = next(lie for lie in LIES if lie["name"] == name)
    cites = tokens_in(prompt)
    if "知りたいこと" in prompt:
        facts = re.findall(r"^- (\w+): .*?\((\w+)=", prompt, re.M)
        words = prompt.rpartition("(データ)\n")[2].strip()
        said = [{"fact": fact, "value": value, "evidence": words} for fact, value in facts]
        return json.dumps({"facts": [*said, {"fact": "fiscal_index", "value": "0.1", "evidence": words}]})
    if "raw" in lie:
        return str(lie["raw"]).replace("{cites}", json.dumps(cites)).replace("LONG", "とても大切なことですが、" * 330)
    return as_reply(lie["says"], cites)


@contextmanager
def serving(play: Play = lying, *, before: float = 0.0, structured: bool = True, status: int = 200) -> Iterator[str]:
    """Serves a model; gives its base URL.

    Args:
        play: what it replies.
        before: seconds before it does.
        structured: whether it takes a response format; if not it refuses one with status 400.
        status: the HTTP status of every reply.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            time.sleep(before)
            if status != 200 or (not structured and "response_format" in body):
                self.send_response(status if status != 200 else 400)
                self.end_headers()
                self.wfile.write(b'{"error": {"message": "no"}}')
                return
            reply = play(body["model"], body["messages"][-1]["content"])
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
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
