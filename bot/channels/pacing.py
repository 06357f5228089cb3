"""Whose turn it is in a place that the platform has asked us to leave alone for a while."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_APART = 1.15
"""Turns are so many times as far apart as the platform asked for, which leaves room for the way there..."""

_JITTER = 0.1
"""...and for this part of it, by which several processes fall out of step."""


@dataclass
class _Queue:
    apart: float
    last: float
    turns: dict[str, float] = field(default_factory=dict)


class Turns:
    """Lets one delivery through at a time, from the first refusal until nobody waits any more. Of one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Has no place to hold back in.

        Args:
            clock: seconds.
        """
        self._clock = clock
        self._queues: dict[str, _Queue] = {}

    def wait(self, place: str, delivery: str) -> float:
        """Seconds until a delivery may call; 0 for now. Who comes while others wait gets a turn after theirs."""
        now, queue = self._clock(), self._queues.get(place)
        if queue is None:
            return 0
        if now > queue.last + queue.apart:  # the last turn was used
            del self._queues[place]
            return 0
        if delivery not in queue.turns:
            return self._give(queue, delivery)
        turn = queue.turns[delivery]
        if turn <= now:
            del queue.turns[delivery]
            return 0
        return turn - now

    def refused(self, place: str, delivery: str, seconds: float) -> float:
        """The platform asked for so many seconds; returns in how many this delivery's turn is."""
        queue = self._queues.setdefault(place, _Queue(seconds, self._clock()))
        queue.apart = seconds
        return self._give(queue, delivery)

    def _give(self, queue: _Queue, delivery: str) -> float:
        now = self._clock()
        queue.last = max(now, queue.last) + _APART * queue.apart
        queue.turns[delivery] = queue.last + random.uniform(0, _JITTER) * queue.apart
        return queue.turns[delivery] - now
