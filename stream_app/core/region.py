"""The record of a region: all that is remembered between its events.

One record, so that one write changes all of it or nothing. The parts know
nothing of each other: the clock (watermark.py), rings of sales and listings
(windows.py), what is usual for a home there (typical.py), and the numbers of the
region's own corrector and error scale, which scoring/ reads and writes.

Thawed it is a value to work on within one batch; frozen it is bytes. Equal
regions freeze to equal bytes. `LAYOUT` is the first thing in the bytes: a
record of another layout is refused, never guessed at.
"""

import msgspec
from msgspec import Struct

from stream_app.contract.models import LATENESS_MAX_H
from stream_app.contract.rejects import InvariantBroken
from stream_app.contract.spans import DAY_MS, HOUR_MS
from stream_app.core import peers
from stream_app.core.peers import Peers
from stream_app.core.watermark import Clock, Timing, observe
from stream_app.core.windows import Ring, Tally, Window, insert, micro, newest_ms, tally

LAYOUT = 6

# The longest window, the bucket under way, and the largest lateness that a policy may allow
# (see windows.py). Not the policy's own: a ring would then forget what a wider one wants back.
HOURS = Window(HOUR_MS, 24 + LATENESS_MAX_H + 1)
DAYS = Window(DAY_MS, 90 + LATENESS_MAX_H // 24 + 1)


class Linear(Struct, array_like=True):
    """A linear residual model as plain numbers, in the order of its features.

    What River keeps in dictionaries; scoring/corrector.py turns one into the other.
    """

    counts: list[float] = []
    means: list[float] = []
    variances: list[float] = []
    weights: list[float] = []
    intercept: float = 0.0
    labels: int = 0


class Decayed(Struct, array_like=True):
    """An exponentially weighted mean as its two sums."""

    total: float = 0.0
    weight: float = 0.0


class Typical(Struct, array_like=True, gc=False):
    """What is usual for a home, by feature in their order (typical.py)."""

    feature_set: str = ""  # of another one, it is begun anew
    homes: int = 0
    known: list[int] = []  # homes that tell the feature
    means: list[float] = []  # of those; of no use for a code
    votes: list[dict[int, int]] = []  # for each feature that is a code: code -> how many


class Moments(Struct, array_like=True):
    """Weighted sums of residuals and of their squares."""

    weight: float = 0.0
    total: float = 0.0
    squares: float = 0.0


class Source(Struct, array_like=True):
    """State of one source of labels (scoring/sources.py)."""

    newest: Moments = msgspec.field(default_factory=Moments)  # of all that it sent
    learned: Moments = msgspec.field(default_factory=Moments)  # of what was learned
    learned_at: int = 0  # labels of all sources by the newest of those
    labels: int = 0
    left_out: int = 0
    is_out: bool = False


class Sources(Struct, array_like=True):
    """State of the sources of a market, or of a region."""

    labels: int = 0
    newcomers: Moments = msgspec.field(default_factory=Moments)  # of the newest that they sent
    newcomers_out: bool = False
    by_name: dict[str, Source] = {}


class Region(Struct, array_like=True):
    """State of one region."""

    layout: int = LAYOUT
    clock: Clock = msgspec.field(default_factory=Clock)
    last_sale_ms: int = 0  # event time; 0: none yet
    sales_hours: Tally = {}
    sales_days: Ring = msgspec.field(default_factory=Ring)
    listings_hours: Tally = {}
    listings_days: Tally = {}
    corrector: Linear = msgspec.field(default_factory=Linear)
    handed_over: float = 0.0  # taken from its intercept when the champion took over, log units
    scale: Decayed = msgspec.field(default_factory=Decayed)  # of errors; 1 is the market's
    typical: Typical = msgspec.field(default_factory=Typical)
    peers: Peers = msgspec.field(default_factory=Peers)
    sources: Sources = msgspec.field(default_factory=Sources)


_encoder = msgspec.msgpack.Encoder()  # rings keep their order: windows.py
_decoder = msgspec.msgpack.Decoder(Region)


def freeze(region: Region) -> bytes:
    """Region to bytes; equal regions give equal bytes."""
    return _encoder.encode(region)


def thaw(frozen: bytes) -> Region:
    """Bytes to region.

    Raises
    ------
    InvariantBroken : the bytes are no region of this layout
    """
    try:
        region = _decoder.decode(frozen)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvariantBroken(f"region record of {len(frozen)} bytes: {error}") from error
    if region.layout != LAYOUT:
        raise InvariantBroken(f"region record of layout {region.layout}, this is {LAYOUT}")
    return region


def tell_time(region: Region, at_ms: int, event_id: str, lateness_ms: int) -> Timing:
    """Judge an event by the region's clock, see watermark.py.

    When the clock turns back from a first date that was absurd, what that event counted goes:
    buckets of that date would keep out all that is to come.
    """
    before_ms = region.clock.newest_ms
    timing = observe(region.clock, at_ms, event_id, lateness_ms)
    if region.clock.newest_ms < before_ms:
        region.last_sale_ms = 0
        region.sales_hours, region.sales_days = {}, Ring()
        region.listings_hours, region.listings_days = {}, {}
        region.peers = Peers()
    return timing


def note_listing(region: Region, at_ms: int, timing: Timing) -> None:
    """Count a listing, unless its time is closed or not believed."""
    if timing is Timing.ON_TIME:
        tally(HOURS, region.listings_hours, at_ms)
        tally(DAYS, region.listings_days, at_ms)


def note_sale(
    region: Region,
    at_ms: int,
    timing: Timing,
    log_price_per_m2: float,
    peer_group: int | None = None,
) -> None:
    """Count a sale and its price, unless its time is closed or not believed."""
    if timing is Timing.ON_TIME:
        value = micro(log_price_per_m2)
        tally(HOURS, region.sales_hours, at_ms)
        insert(DAYS, region.sales_days, at_ms, value)
        region.last_sale_ms = max(region.last_sale_ms, at_ms)
        if peer_group is not None:
            peers.insert(region.peers, peer_group, at_ms, value)


def sale_age_ms(region: Region, at_ms: int) -> int | None:
    """How long before `at_ms` the newest sale was that is not after it; None: no such sale.

    To the millisecond, but for a listing older than the region's newest sale: then to the
    bucket, of an hour or a day.
    """
    if region.last_sale_ms <= at_ms:
        return at_ms - region.last_sale_ms if region.last_sale_ms else None
    sold_ms = newest_ms(HOURS, region.sales_hours, at_ms)
    if sold_ms is None:
        sold_ms = newest_ms(DAYS, region.sales_days.buckets, at_ms)
    return None if sold_ms is None else at_ms - sold_ms
