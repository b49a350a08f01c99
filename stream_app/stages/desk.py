"""What a batch works on: thawed from the state on first use, and frozen into it again."""

from collections.abc import Iterator, Mapping, MutableMapping

import msgspec

from stream_app.contract.markets import MARKETS
from stream_app.core import labels, region
from stream_app.core.expiry import Ledger, Shelf
from stream_app.core.labels import Entry
from stream_app.core.pipeline import Desk
from stream_app.core.publishers import Publisher
from stream_app.core.region import Region
from stream_app.stages.step import Control, Serving, State, Thawing
from stream_app.stages.warm import Warm

NOBODY = Serving()
# Thawed regions at hand. One of King County takes 20 kB.
WARM_MAX = 500
_warm: Warm[bytes, Region] = Warm(WARM_MAX)


def region_key(name: str) -> str:
    """Under which a region's record stands in the state."""
    return f"region:{name}"


def lay_out(
    state: State,
    control: Control,
    serving: Mapping[str, Serving],
    publishers: MutableMapping[str, Publisher],
) -> Desk:
    """The desk of a batch. Ledgers are those of `control`; policies those that serve."""

    def thaw_region(name: str) -> Region:
        frozen = state.get(region_key(name))
        return Region() if frozen is None else _warm.take(frozen) or region.thaw(frozen)

    def thaw_entry(name: str) -> Entry | None:
        frozen = state.get(f"listing:{name}")
        return None if frozen is None else labels.thaw(frozen)

    def thaw_page(name: str) -> list[str]:
        frozen = state.get(name)
        return [] if frozen is None else msgspec.msgpack.decode(frozen, type=list[str])

    entries, pages = Thawing(thaw_entry), Thawing(thaw_page)
    shelves = {
        name: Shelf(
            name,
            control.ledgers.setdefault(name, Ledger()),
            serving.get(name, NOBODY).policy,
            entries,
            pages,
        )
        for name in MARKETS
    }
    return Desk(Thawing(thaw_region), entries, pages, shelves, publishers)


def changed(desk: Desk) -> Iterator[tuple[str, bytes | None]]:
    """The records that were touched, but for those of publishers; None: gone."""
    for name, record in desk.regions.items():
        frozen = region.freeze(record)
        _warm.keep(frozen, record)
        yield region_key(name), frozen
    for name, entry in desk.entries.items():
        yield f"listing:{name}", None if entry is None else labels.freeze(entry)
    for name, keys in desk.pages.items():
        yield name, msgspec.msgpack.encode(keys) if keys else None
