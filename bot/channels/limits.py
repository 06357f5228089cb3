"""How often one sender may ask, on any channel."""

from collections import Counter
from datetime import datetime

TOO_MANY = "質問が続いたため、少しお休みしています。1分ほど待ってから、もう一度お試しください。"


class RateLimit:
    """Counts how often each key comes within a minute of the clock."""

    def __init__(self, per_minute: int) -> None:
        """Allows so many a minute for each key."""
        self._per_minute = per_minute
        self._minute = -1
        self._counts: Counter[str] = Counter()

    def allows(self, key: str, now: datetime) -> bool:
        """Whether this key may come once more."""
        minute = int(now.timestamp()) // 60
        if minute != self._minute:
            self._minute, self._counts = minute, Counter()
        self._counts[key] += 1
        return self._counts[key] <= self._per_minute
