"""What sales files do not say and a replay needs: when the home was listed.

Every draw is a keyed hash of (seed, purpose, listing id), never a running
generator: any part of a file gets the dates that the whole file gives.
All of it is named in `simulated_fields` of the events.
"""

import hashlib
import math
from statistics import NormalDist

from msgspec import Struct

from stream_app.contract.spans import DAY_MS

MINUTE_MS = 60_000
_NORMAL = NormalDist()
_BITS = 52  # one fewer than a double holds, so that the half below never rounds up to 1
_STEPS = float(1 << _BITS)


class DaysOnMarket(Struct, frozen=True):
    """A log-normal distribution, truncated.

    Raising `median_days` makes labels later; raising `spread`, the standard
    deviation of the logarithm, makes slow sellers slower and quick ones quicker.
    """

    median_days: float
    spread: float
    least_days: float = 3.0
    most_days: float = 180.0

    def quantile(self, share: float) -> float:
        """Days that `share` of the homes stay at most, share in (0, 1).

        >>> round(DaysOnMarket(median_days=30.0, spread=0.8).quantile(0.5), 1)
        29.7
        """
        low, high = (_NORMAL.cdf(self._score(d)) for d in (self.least_days, self.most_days))
        score = _NORMAL.inv_cdf(low + share * (high - low))
        return self.median_days * math.exp(self.spread * score)

    def _score(self, days: float) -> float:
        return math.log(days / self.median_days) / self.spread


def draw(seed: int, purpose: str, listing_id: str) -> float:
    """A number in (0, 1), evenly spread: the same for the same three, on any machine.

    >>> draw(0, "day", "kc-1") == draw(0, "day", "kc-1") != draw(1, "day", "kc-1")
    True
    """
    digest = hashlib.blake2b(f"{seed}/{purpose}/{listing_id}".encode(), digest_size=8).digest()
    return ((int.from_bytes(digest, "big") >> (64 - _BITS)) + 0.5) / _STEPS


def listed_ms(sold_ms: int, days: DaysOnMarket, seed: int, listing_id: str) -> int:
    """When the home came onto the market: whole minutes before its sale."""
    stayed_days = days.quantile(draw(seed, "days on market", listing_id))
    return sold_ms - round(stayed_days * DAY_MS / MINUTE_MS) * MINUTE_MS


def moment_ms(span_ms: tuple[int, int], seed: int, listing_id: str) -> int:
    """A minute of the span, its end left out, for a file that gives only the span."""
    from_ms, until_ms = span_ms
    minutes = (until_ms - from_ms) // MINUTE_MS
    return from_ms + int(draw(seed, "sale", listing_id) * minutes) * MINUTE_MS
