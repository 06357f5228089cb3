"""What a message asks: read once, admitted, and resolved with the conversation."""

from bot.types import Inquiry, Proposals, Understanding
from bot.understanding.message import read_message
from bot.understanding.offline import OfflineReader
from bot.understanding.owning import Scene
from bot.understanding.programs import beside_names
from bot.understanding.resolving import resolve
from knowledge.catalog import Catalog

__all__ = ["NOTHING", "beside_names", "read_scene", "understand"]


NOTHING = Proposals()
"""No proposals: a message is read without a chat model."""


def understand(inquiry: Inquiry, catalog: Catalog, proposals: Proposals = NOTHING) -> Understanding:
    """What the message asks, in the light of the conversation. Never raises, whatever the text."""
    return resolve(read_message(inquiry.text, inquiry.as_of), inquiry, catalog, proposals)


def read_scene(inquiry: Inquiry) -> Scene:
    """The message with its bodies, and whose things are, as it is read without a model."""
    return OfflineReader(read_message(inquiry.text, inquiry.as_of), inquiry.conversation).scene
