"""What is read of a talk: its program, what its last message wants decided, and what it says of the case.

What is said stands as it is after the last message: what was put right as it was put right, of another body what
belongs to that one, and `unclear` for what is mentioned and not settled.
"""

from collections.abc import Mapping
from itertools import accumulate, pairwise

UNSAID = "unsaid"
UNCLEAR = "unclear"

PROGRAM = "program"
WANTED = "wanted"

SLOTS: Mapping[str, tuple[str, ...]] = {
    PROGRAM: ("keikaku", "suishin", "adviser"),
    WANTED: (
        *("none", "eligibility", "calls_per_year", "budget", "support_provider"),
        *("cap", "repeat", "window", "report_due", "questionnaire"),
    ),
    "applicant": (
        *(UNSAID, "municipality", "prefecture", "special_ward", "association", "nonprofit", "invested", "company"),
        *("provider", "voluntary", "individual", "national", "bureau", "other_corporation", UNCLEAR),
    ),
    "index": (UNSAID, "below", "at_or_above", "mixed", UNCLEAR),
    "invested": (UNSAID, "yes", "no", UNCLEAR),
    "nonprofit": (UNSAID, "yes", "no", UNCLEAR),
    "selected": (UNSAID, "yes", "never", "applied", UNCLEAR),
    "count": (UNSAID, "more", "same", "fewer", UNCLEAR),
    "with": (UNSAID, "municipalities", "alone", "no_prefecture"),
    "recommended": (UNSAID, "yes", "no", UNCLEAR),
    "joint": (UNSAID, "recommender", "other", "no", UNCLEAR),
    "mode": (UNSAID, "on_site", "online", "both"),
    "project": (UNSAID, "same", "different", UNCLEAR),
    "adviser": (UNSAID, "same", "different", UNCLEAR),
    "year": (UNSAID, "same", "different", UNCLEAR),
    "amounts": (UNSAID, "one", "sum"),
}
"""The values of each slot. `amounts` tells whether figures of the talk have to be added, multiplied or taken off."""

_ENDS = (0, *accumulate(len(values) for values in SLOTS.values()))

COLUMNS: Mapping[str, slice] = {name: slice(*ends) for name, ends in zip(SLOTS, pairwise(_ENDS), strict=True)}
"""Where the values of a slot stand, when those of all slots stand beside each other."""
