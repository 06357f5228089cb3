"""What a message asks: read once, admitted, and resolved with the conversation."""

from bot.types import Inquiry, Understanding
from bot.understanding.message import read_message
from bot.understanding.programs import beside_names
from bot.understanding.resolving import resolve
from knowledge.catalog import Catalog

__all__ = ["beside_names", "understand"]


def understand(inquiry: Inquiry, catalog: Catalog) -> Understanding:
    """What the message asks, in the light of the conversation. Never raises, whatever the text."""
    return resolve(read_message(inquiry.text, inquiry.as_of), inquiry, catalog)
