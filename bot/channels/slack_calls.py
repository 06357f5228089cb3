"""The calls of Slack's Web API as they lie in the inbox, before they are made."""

from typing import Any

Json = dict[str, Any]


def api_call(method: str, optional: bool = False, **arguments: Any) -> Json:
    """A call of a method; where an `optional` one fails, the rest goes on."""
    return {"method": method, "arguments": arguments, "optional": optional}


def post(**arguments: Any) -> Json:
    """A message, without previews of the pages that it links."""
    return api_call("chat.postMessage", unfurl_links=False, unfurl_media=False, **arguments)


def respond(url: str, **arguments: Any) -> Json:
    """An answer through a response URL, below what was tapped or typed."""
    return {"method": "respond", "url": url, "arguments": {"replace_original": False, **arguments}}
