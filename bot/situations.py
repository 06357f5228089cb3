"""Reads what a message says of the person's case: who applies, with which index, since when, how much."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from bot.types import Conversation
from bot.wordings import load_wordings
from knowledge.japanese import (
    CountMention,
    Mention,
    find_amounts,
    find_dates,
    find_ratios,
    fiscal_year_of,
    normalize,
)
from knowledge.rules.tables import BESIDE
from knowledge.types import ApplicantKind, Fact, FactQuestion, Unit

_BLANK = "\0"
"""Takes the place of words that have been read, so that nothing else reads them or across them."""

_REPLY_LENGTH = 30
"""A longer message than this many characters is read as a new question, not as a bare reply."""

_ASKS_FOR_EACH = {Fact.MEETING_MODE: "asks_both_modes", Fact.PAST_SELECTION: "asks_both_selections"}
"""The signs that a message asks about every value of a fact, and states none."""


_WHEN_DENIED = {
    Fact.RECOMMENDATION: "none",
    Fact.JOINT_PROJECT: "none",
    Fact.INVESTMENT_OR_NONPROFIT: "neither",
    Fact.PAST_SELECTION: "",
}
"""What a fact is where its clause denies it. Who was not selected last year may have been before: that stays open."""

_OFTEN_A_TOPIC = (ApplicantKind.MUNICIPALITY, ApplicantKind.PREFECTURE, ApplicantKind.COMPANY)
"""Kinds that are spoken of so often that mentioning one does not make the writer one."""


def read_facts(text: str, signs: frozenset[str], used: frozenset[Fact]) -> tuple[dict[Fact, str], str]:
    """The facts, of those `used`, that a message states, and the message without what it says of others.

    Words about third parties and earlier times are blanked in the second.
    """
    said: dict[Fact, str] = {}
    unread = text
    for fact, values in (*load_wordings().relations.items(), *load_wordings().facts.items()):
        if fact not in used or _ASKS_FOR_EACH.get(fact) in signs:
            continue
        found = [
            (match, value)
            for value, patterns in values.items()
            if (match := next((match for pattern in patterns if (match := pattern.search(text))), None))
        ]
        if not found:
            continue
        match, value = found[0]
        if value == "none" and len(found) > 1 and not _overlap(match, found[1][0]):
            match, value = found[1]
        if fact in _WHEN_DENIED and value not in ("none", "never", "neither") and _is_denied(text[match.end() :]):
            value = _WHEN_DENIED[fact]
        if value:
            said[fact] = value
        blanked = fact in load_wordings().relations or fact in (Fact.PAST_SELECTION, Fact.SAME_PROJECT)
        if blanked and (fact, value) != (Fact.PARTNERSHIP, "alone"):
            for match, _ in found:
                unread = unread[: match.start()] + _blanks(match) + unread[match.end() :]
    if Fact.MEETING_MODE in used and "mixes_modes" in signs:
        said[Fact.MEETING_MODE] = "on_site"
    if index := _fiscal_index(text):
        said[Fact.FISCAL_INDEX] = index
    mentioned = load_wordings().around["counted_governments"].sub(_blanks, unread)
    own = (
        load_wordings().around["areas"].sub(_blanks, load_wordings().around["places_of_index"].sub(_blanks, mentioned))
    )
    kind = _applicant_kind(own) or _applicant_kind(mentioned)
    if kind:
        said[Fact.APPLICANT_KIND] = kind
    if said.get(Fact.INVESTMENT_OR_NONPROFIT) == "invested" and kind is not ApplicantKind.NONPROFIT:
        said[Fact.APPLICANT_KIND] = ApplicantKind.INVESTED_CORPORATION
    return said, unread


def _is_denied(after: str) -> bool:
    """Whether the clause that goes on so denies what was just said (市の推薦 … は、まだもらえていません)."""
    around = load_wordings().around
    clause = around["clause_ends"].split(after)[0]
    return not around["affirmed"].search(clause) and around["denied"].search(clause) is not None


def _overlap(first: re.Match[str], second: re.Match[str]) -> bool:
    return first.start() < second.end() and second.start() < first.end()


def _blanks(match: re.Match[str]) -> str:
    return _BLANK * len(match[0])


def _applicant_kind(text: str) -> ApplicantKind | None:
    """The kind of body that writes: of all that are mentioned, the one said most plainly to be the writer."""
    around = load_wordings().around
    best: tuple[int, int, ApplicantKind] | None = None
    read = text
    for order, (kind, pattern) in enumerate(load_wordings().kinds):
        for match in pattern.finditer(read):
            before, after = text[max(0, match.start() - 8) : match.start()], text[match.end() :]
            weight = (
                4 * bool(around["self_before"].search(before))
                + 4 * bool(around["self_after"].search(after))
                + 4 * match[0].startswith(("弊", "当", "本", "うち", "わが", "我が"))
                + 2 * bool(around["self_topic"].search(after))
                - 6 * bool(around["other_after"].search(after))
                - 9 * bool(around["other_before"].search(before))
            )
            is_writer = kind not in _OFTEN_A_TOPIC or around["stands_alone"].search(after) is not None
            if (weight > 0 or (weight == 0 and is_writer)) and (best is None or (weight, -order) > best[:2]):
                best = (weight, -order, kind)
        read = pattern.sub(_blanks, read)
    return best[2] if best else None


def _fiscal_index(text: str) -> str:
    """The financial strength index that a message states, as decimal text; 未満 and 超 are read as just beside.

    Of several, that of the area of the work goes before that of the seat (T16), a municipality's own before its
    prefecture's (T17).
    """
    ratios = [ratio for ratio in find_ratios(text) if ratio.bound is None or "指数" in text]
    if not ratios:
        return ""
    around = load_wordings().around

    def words_before(start: int) -> str:
        return re.split(r"[。、,!?\s]|けど|ですが|でも|が、", text[:start])[-1]

    def is_anothers(start: int) -> bool:
        at_the_seat = around["index_of_the_seat"].search(words_before(start))
        return bool(at_the_seat or around["index_of_a_prefecture"].search(text[:start]))

    of_the_work = [ratio for ratio in ratios if around["index_of_the_work"].search(words_before(ratio.start))]
    own = of_the_work or [ratio for ratio in ratios if not is_anothers(ratio.start)] or ratios
    ratio = own[0]
    if ratio.bound in (None, "at_least", "at_most"):
        return str(ratio.value)
    return str(ratio.value - BESIDE if ratio.bound == "below" else ratio.value + BESIDE)


def read_reply(text: str, before: Conversation, questions: Mapping[Fact, FactQuestion]) -> dict[Fact, str]:
    """What a short message says to the question that the last answer asked."""
    fact = before.asked_for
    if fact is None or len(text) > _REPLY_LENGTH:
        return {}
    for choice in questions[fact].choices:
        if text in (normalize(choice.label), choice.value):
            return {fact: choice.value}
    if fact is Fact.FISCAL_INDEX and (number := re.search(r"\d+(?:\.\d+)?", text)) and not _fiscal_index(text):
        return {fact: number[0]}
    for value, pattern in load_wordings().replies.get(fact, {}).items():
        if pattern.search(text):
            return {fact: value}
    return {}


def municipality_change(text: str, counts: tuple[int, ...], before: Conversation) -> str:
    """How the number of joining municipalities compares with the last time: more, same, fewer, or "" when open."""
    if len(counts) == 1 and re.search(r"(?:前回|去年|昨年)も(?:今回|今年)も", text):
        return "same"
    told = re.search(r"(?:前回|前|去年|昨年)[^\d。]{0,8}(\d+)[^\d。]{0,12}(?:今回|今年|今度|次)[^\d。]{0,6}(\d+)", text)
    if told and counts:  # 前回5市町村、今回も5
        counts = (int(told[1]), int(told[2]))
    if len(counts) == 1 and len(before.counts) == 1:
        counts = (*before.counts, *counts)
    if len(counts) < 2 or not re.search(r"前|過去|昨年|去年|今回|今年|今度|から|→|選", text):
        return ""
    first, second = counts[:2]
    now_first = re.search(rf"(?:今回|今年|今度|次)[^。\d]{{0,12}}{first}(?!\d)", text)
    earlier, now = (second, first) if now_first and first != second else (first, second)
    return "more" if now > earlier else "same" if now == earlier else "fewer"


def dispatch_year(text: str, as_of: date) -> dict[Fact, str]:
    """Whether the dispatch asked for is in the fiscal year of the earlier one, where the message gives its date."""
    earlier = [mention for mention in find_dates(text, as_of, past=True) if mention.end_on < as_of]
    if not earlier:
        return {}
    later = [mention.start_on for mention in find_dates(text, as_of) if mention.start > earlier[0].start]
    now = later[-1] if later and later[-1] >= as_of else as_of
    return {Fact.DISPATCH_YEAR: "same" if fiscal_year_of(earlier[0].end_on) == fiscal_year_of(now) else "later"}


def read_amount(text: str, counts: Iterable[CountMention]) -> tuple[Decimal | None, Unit | None]:
    """The amount that a question puts forward: yen, days or hours of support (days of any kind count, T13), or times.

    What goes beyond an amount (10時間を超えて) puts none forward, but shows that the cap in its unit is asked about.
    A length for each of several times is multiplied (90分を7回 is 10.5 hours), one for each of nobody knows how many
    (1回4時間) puts none forward; a sum that is written (計3日) is taken.
    """
    around = load_wordings().around

    def goes_beyond(mention: Mention) -> bool:
        return around["goes_beyond"].search(text[mention.end :]) is not None

    amounts = [mention for mention in find_amounts(text) if mention.modifier != "未満"]
    if any(amount.modifier == "超" or goes_beyond(amount) for amount in amounts):
        return None, "yen"
    if amounts:
        return amounts[-1].value, "yen"
    counts = [
        count
        for count in counts
        if not around["for_each"].search(text[count.end :]) and not around["part_of"].search(text)
    ]
    unit: Unit
    for unit in ("day", "hour"):
        if any(count.unit == unit and goes_beyond(count) for count in counts):
            return None, unit
    several = [count for count in counts if count.unit == "time" and count.value > 1]
    times = next((count.value for count in several if around["times"].search(text[: count.start])), Decimal(1))
    days = [count for count in counts if count.unit == "day"]
    hours = [count for count in counts if count.unit == "hour"]
    if days and hours:
        return None, None
    written = days or hours
    unit = "day" if days else "hour"
    for count in written:
        if around["in_all"].search(text[: count.start]):
            return count.value, unit
    if not written:
        yearly = [c for c in counts if c.unit == "time" and around["times_a_year"].search(text[: c.start])]
        return (yearly[0].value, "count") if yearly else (None, None)
    if times == 1 and around["each_time"].search(text[: written[0].start]):
        if len(several) != 1:
            return None, unit
        times = several[0].value
    return sum((count.value for count in written), Decimal(0)) * times, unit
