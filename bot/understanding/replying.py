"""Reads a short message as the answer to the question that the last answer asked."""

from collections.abc import Mapping

from bot.types import Conversation
from bot.understanding.denying import denials
from bot.understanding.owning import Scene
from bot.understanding.quantities import index_text
from bot.understanding.towns import take_published
from knowledge.figures import Dimension, normalize
from knowledge.types import Fact, FactQuestion

_LONGEST = 30
"""A longer message than this many characters is read as a new question, not as a bare reply."""

_YES_AND_NO: Mapping[Fact, tuple[str, str]] = {
    Fact.PAST_SELECTION: ("selected", "never"),
    Fact.RECOMMENDATION: ("local_government", "none"),
    Fact.JOINT_PROJECT: ("with_recommender", "none"),
    Fact.SAME_PROJECT: ("same", "other_project"),
    Fact.DISPATCH_YEAR: ("same", "later"),
    Fact.INVESTMENT_OR_NONPROFIT: ("invested", "neither"),
}
"""What はい and いいえ say to the question for a fact."""

_AWAITABLE = (Fact.RECOMMENDATION, Fact.JOINT_PROJECT, Fact.INVESTMENT_OR_NONPROFIT)
"""Facts that may be asked for or hoped for, and are then not there yet (T28)."""

_WORDS: Mapping[Fact, tuple[tuple[str, str], ...]] = {
    Fact.MUNICIPALITY_COUNT: (("same", "same"), ("fewer_than", "fewer"), ("more_than", "more")),
    Fact.DISPATCH_YEAR: (("later", "later"), ("same", "same"), ("now", "same")),
    Fact.SAME_PROJECT: (("different", "other_project"), ("same", "same")),
    Fact.MEETING_MODE: (("on_site", "on_site"), ("online", "online")),
}
"""Concepts that answer the question for a fact in a word."""


def read_reply(scene: Scene, before: Conversation, questions: Mapping[Fact, FactQuestion]) -> dict[Fact, str]:
    """What a short message says to the question that was asked; nothing where it says something else."""
    awaited = next((fact for fact, value in before.facts.items() if value == "awaited"), None)
    fact, message = before.asked_for or awaited, scene.message
    if fact is None or len(message.text) > _LONGEST:
        return {}
    for choice in questions[fact].choices:
        if message.text in (normalize(choice.label), choice.value):
            return {fact: choice.value}
    if fact is Fact.FISCAL_INDEX and (published := take_published(message.text, before)):
        return {fact: published}
    if fact is Fact.FISCAL_INDEX:
        numbers = {index_text(f) for f in message.figures if f.dimension is Dimension.NUMBER}
        return {fact: numbers.pop()} if len(numbers) == 1 else {}
    for concept, value in _WORDS.get(fact, ()):
        if message.says(concept):
            return {fact: value}
    if fact in _YES_AND_NO and not message.asking:
        yes, no = _YES_AND_NO[fact]
        if fact is Fact.RECOMMENDATION and any(body.kind == "regional_bureau" for body in scene.bodies):
            yes = "regional_bureau"
        not_yet = any(message.text.startswith("未", mention.start) for mention in message.saying("deny"))
        if fact in _AWAITABLE and (not_yet or message.says("pending", "hope", "process", "unknown")):
            return {fact: "awaited"}
        if message.says("says_no", "lose") or denials(message, 0, len(message.text)) % 2:
            return {fact: no}
        if message.says("says_yes", "get") and not message.says("acknowledges"):
            return {fact: yes}
    return {}
