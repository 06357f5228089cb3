"""The log of a process: lines that say which event and conversation they belong to, and never what people wrote.

Libraries say what is wrong and no more: below that, some tell whole requests, and with them what people wrote.
"""

import json
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

Format = Literal["text", "json"]

HASH_SHOWN = 12
"""Characters of the keyed hash of a conversation that lines show: enough to tell them apart."""

_OURS = ("bot", "knowledge", "ingest")

_about: ContextVar[Mapping[str, Any]] = ContextVar("about")
_NOTHING: Mapping[str, Any] = {}


def set_about(**names: Any) -> None:
    """What the lines of this task, and of those that it starts, are about from here on: ids and hashes, no texts."""
    _about.set({**_about.get(_NOTHING), **names})


def log_to_stderr(level: str, format: Format) -> None:
    """Sets up the log of a process."""
    handler = logging.StreamHandler()
    handler.setFormatter(_AsJson() if format == "json" else _AsText("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=max(logging.getLevelName(level), logging.WARNING))
    for ours in _OURS:
        logging.getLogger(ours).setLevel(level)
    if level == "DEBUG":
        logging.getLogger("uvicorn.access").setLevel(logging.INFO)  # methods and paths


def _told(record: logging.LogRecord) -> dict[str, Any]:
    """What a line is about: what its task is, and what was given with it as `extra={"about": {...}}`."""
    return {**_about.get(_NOTHING), **getattr(record, "about", _NOTHING)}


class _AsText(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the library's name)
        told = " ".join(f"{name}={value}" for name, value in _told(record).items() if not isinstance(value, dict))
        return super().formatMessage(record) + (f" [{told}]" if told else "")


class _AsJson(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, ZoneInfo("Asia/Tokyo"))
        line = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_told(record),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
