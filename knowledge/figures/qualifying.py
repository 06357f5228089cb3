"""What is said of a figure beside it: 以上, まで, 未満, 超, 約, 程度, 弱."""

import re

from knowledge.figures.types import Dimension
from knowledge.types import Bound

_BOUNDS: dict[Bound, str] = {
    "at_least": r"以上",
    "at_most": r"以下|以内",
    "below": (
        r"未満|を?下回|を切|切[りっる]|割れ|を割|より?も?(?:下|低|小さ|少な|短)|足らず|弱"
        r"|に?(?:ほんの)?(?:少し|ちょっと|わずかに)?(?:足り|届[かき]|達し|満た)(?:な|ませ)"
    ),
    "above": (
        r"を?超|を?こえ|を?越え|オーバー|を?上回|より?も?(?:上|高|大き|多|長)|強(?![い化み制力])"
        r"|と?(?:ちょっと|少し|端数|いくらか|ちょい)(?=[です、。?も]|$)|余り|あまり"
    ),
}
_LITTLE = r"(?:(?:を|より)?(?:少し|ちょっと|わずかに|僅かに|やや|だけ)\s?)?"
BOUND_AFTER = f"{_LITTLE}(?:{'|'.join(_BOUNDS.values())})"
"""The words behind a number that bound it."""
_UP_TO = r"まで(?!も)"
_ABOUT_AFTER = r"程度|ほど|程(?![度遠])|くらい|ぐらい|前後|近く|あまり|余り|ちょい|内外|弱|強(?![い化み制力])"
_ABOUT_BEFORE = re.compile(r"(?:約|およそ|だいたい|大体|おおよそ|ざっと|概ね|おおむね|ほぼ)\s?$")
_AFTER = re.compile(
    rf"\s?(?P<about>{_ABOUT_AFTER})?\s?(?:の間)?"
    rf"(?:{_LITTLE}(?:{'|'.join(f'(?P<{bound}>{words})' for bound, words in _BOUNDS.items())}|(?P<up_to>{_UP_TO})))?"
)
_NO_LIMIT = frozenset({Dimension.NUMBER, Dimension.OTHER, Dimension.PERCENT})


def qualify(text: str, start: int, end: int, dimension: Dimension) -> tuple[Bound | None, bool]:
    """The bound that the words beside a figure set, and whether they call it approximate."""
    after = _AFTER.match(text, end)
    said = after.groupdict() if after else {}
    about = bool(said.get("about")) or bool(_ABOUT_BEFORE.search(text, max(0, start - 6), start))
    bound: Bound | None = next((bound for bound in _BOUNDS if said.get(bound)), None)
    if said.get("about") in ("弱", "強"):
        bound = "below" if said["about"] == "弱" else "above"
    if bound is None and said.get("up_to") and dimension not in _NO_LIMIT:
        bound = "at_most"
    return bound, about
