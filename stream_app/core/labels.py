"""The ledger: what was served for a listing, kept until its sale teaches us.

Not here: predicting (stages/scorer.py), and what a label teaches (scoring/).

Theory of operation
-------------------
One entry per listing, in the partition of its region. It moves through states:

    (none) ── listing ──▶ PENDING ── sale ──▶ JOINED ── correction ──▶ CORRECTED
      │                      │ withdrawal         ▲
      │ sale                 ▼                    │ sale
      ▼                  WITHDRAWN ───────────────┘
    ORPHAN

- A sale joins the newest prediction served before it *arrived*: features and price
  as they were then, never looked up again. Its own time may lie before an amendment
  that overtook it, but not before the first listing: that is SOLD_BEFORE_LISTED.
- The ledger keeps the event id of each (kind, revision). The same id again is a
  DUPLICATE. Another id for the same one is a CONFLICT: the first stands.
- Prices of a sale have a rank, their revision: 0 for a sale, 1 and more for its
  corrections. A rank no higher than the one known is OUTDATED and changes nothing;
  so a correction may overtake its sale.
- A sale without listing is an ORPHAN. A listing that comes after it is scored
  and marked, but never joined: its price was known before.
- A listing amended after its sale is scored and marked; the label stays with
  what was served before. A lower revision than served is OUTDATED.
- A withdrawal after the sale is OUTDATED: the sale stands. A sale after the
  withdrawal joins: homes are sold past the market, too. A withdrawal without
  listing is an ORPHAN; a listing that it overtook is scored, and withdrawn.
- All events of a listing are of one market, that of the first: another one is
  OTHER_MARKET, for a price in another currency would teach nonsense.
- An erasure leaves nothing behind, not even the ids. Nor does expiry
  (expiry.py): what comes later finds a listing that was never heard of.

docs/ledger.md is the same as a table, tried row by row.
"""

from enum import StrEnum, auto

import msgspec
from msgspec import Struct

from stream_app.contract.events import (
    AnyEvent,
    Correction,
    Erasure,
    Listing,
    Sale,
    Withdrawal,
    kind_of,
)
from stream_app.contract.predictions import Arm, Components, Step, Versions
from stream_app.contract.rejects import InvariantBroken


class LabelState(StrEnum):
    PENDING = auto()
    JOINED = auto()
    CORRECTED = auto()
    WITHDRAWN = auto()
    ORPHAN = auto()


SOLD = (LabelState.JOINED, LabelState.CORRECTED, LabelState.ORPHAN)


class Verdict(StrEnum):
    """What became of a believed event; counted per kind."""

    SCORED = auto()
    JOINED = auto()
    CORRECTED = auto()
    WITHDRAWN = auto()
    ERASED = auto()
    ORPHAN = auto()
    DUPLICATE = auto()
    OUTDATED = auto()
    CONFLICT = auto()  # rejected
    OTHER_MARKET = auto()  # rejected
    SOLD_BEFORE_LISTED = auto()  # rejected


class Served(Struct, array_like=True):
    """What was answered to a listing. The scorer fills in what its models say."""

    prediction_id: str
    listed_ms: int
    late: bool
    area_m2: float
    property_type: str
    features: tuple[float, ...]  # NaN is unknown
    price: float | None = None
    price_low: float | None = None
    price_high: float | None = None
    step: Step = Step.NONE
    components: Components | None = None
    versions: Versions | None = None
    region_scale: float | None = None
    arm: Arm = Arm.CHAMPION
    segment_factor: float = 1.0
    source: str = ""  # who listed it
    naive_log: float | None = None  # what the region paid for so many m2, log units
    peer_group: int | None = None  # peers.py: where its sale will be noted
    region_labels: int = 0  # sales that the region's level of the corrector had learned from
    region_factor: float = 1.0


class Entry(Struct, array_like=True):
    """State of one listing, or of what was said of one that never came."""

    state: LabelState
    market: str  # of its first event
    event_ids: dict[str, str] = {}  # "kind:revision" -> event id
    revision: int = -1  # of the newest listing event
    listed_ms: int = 0  # of the first one: amending does not move it
    rank: int = -1  # of the price known
    served: Served | None = None  # what a sale will join, or has joined
    amended: Served | None = None  # the newest answer, where it came after the sale
    # Weeks since 1970 (expiry.py): of its newest event; under which its key is filed, and on
    # which page there; in which it was counted as listed, -1: never.
    touched_week: int = 0
    filed_week: int = 0
    page: int = 0
    listed_week: int = -1


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(Entry)


def freeze(entry: Entry) -> bytes:
    """Entry to bytes; equal entries give equal bytes."""
    return _encoder.encode(entry)


def thaw(frozen: bytes) -> Entry:
    """Bytes to entry.

    Raises
    ------
    InvariantBroken : the bytes are no entry
    """
    try:
        return _decoder.decode(frozen)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvariantBroken(f"ledger record of {len(frozen)} bytes: {error}") from error


def unwanted(entry: Entry | None, event: AnyEvent) -> Verdict | None:
    """DUPLICATE or CONFLICT when this (kind, revision) was here before; OTHER_MARKET; else None.

    An erasure is never unwanted.
    """
    if entry is None or isinstance(event, Erasure):
        return None
    known = entry.event_ids.get(_slot(event))
    if known is None:
        return None if entry.market == event.market else Verdict.OTHER_MARKET
    return Verdict.DUPLICATE if known == event.event_id else Verdict.CONFLICT


def list_(entry: Entry | None, listing: Listing, served: Served) -> tuple[Entry, Verdict]:
    """Enter a listing, new or amended, and what it is answered.

    The entry is new or changed in place. With OUTDATED, `served` is not used.
    """
    entry = entry or Entry(LabelState.PENDING, listing.market)
    entry.event_ids[_slot(listing)] = listing.event_id
    if listing.revision < entry.revision:
        return entry, Verdict.OUTDATED
    overtaken = entry.state is LabelState.WITHDRAWN and entry.revision < 0
    if entry.revision < 0:
        entry.listed_ms = listing.event_time_ms
    entry.revision = listing.revision
    if entry.state in SOLD:
        entry.amended = served
    else:
        entry.served = served
        entry.state = LabelState.WITHDRAWN if overtaken else LabelState.PENDING
    return entry, Verdict.SCORED


def newest(entry: Entry | None) -> Served | None:
    """What was answered last; None before the first listing."""
    return None if entry is None else entry.amended or entry.served


def label(entry: Entry | None, event: Sale | Correction) -> tuple[Entry, Verdict]:
    """Enter a sale price. JOINED and CORRECTED: `entry.served` is what it belongs to."""
    if entry is None or entry.served is None:
        entry = entry or Entry(LabelState.ORPHAN, event.market)
        entry.state = LabelState.ORPHAN
        entry.event_ids[_slot(event)] = event.event_id
        return entry, Verdict.ORPHAN
    if event.event_time_ms < entry.listed_ms:
        return entry, Verdict.SOLD_BEFORE_LISTED
    entry.event_ids[_slot(event)] = event.event_id
    rank = event.revision
    if rank <= entry.rank:
        return entry, Verdict.OUTDATED
    first = entry.rank < 0
    entry.rank = rank
    entry.state = LabelState.JOINED if first else LabelState.CORRECTED
    return entry, Verdict.JOINED if first else Verdict.CORRECTED


def withdraw(entry: Entry | None, event: Withdrawal) -> tuple[Entry, Verdict]:
    """Enter a withdrawal; of a listing that never came it is an ORPHAN."""
    entry = entry or Entry(LabelState.WITHDRAWN, event.market)
    entry.event_ids[_slot(event)] = event.event_id
    if entry.state in SOLD:
        return entry, Verdict.OUTDATED
    entry.state = LabelState.WITHDRAWN
    return entry, Verdict.ORPHAN if entry.revision < 0 else Verdict.WITHDRAWN


def _slot(event: AnyEvent) -> str:
    return f"{kind_of(event)}:{event.revision}"
