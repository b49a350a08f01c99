"""Peers of a home: the newest sales of its property type in its street.

Not here: which listing has which peers (features.py), what is late (watermark.py).

A group of peers is a street and a property type of a region. Of each group are kept
the newest `USED` sales, and what a listing that comes late might still ask for: those
no older than the largest lateness. They stand in the order of event time, so that the
order of arrival leaves no trace. A market that names no streets has no peers.
"""

import zlib

from msgspec import Struct

from stream_app.contract.models import LATENESS_MAX_H
from stream_app.contract.spans import DAY_MS
from stream_app.core.windows import MICRO

USED = 5  # how many tell the level of a street: HDB's streets sell some ten of a type in a year
_OPEN_DAYS = LATENESS_MAX_H // 24 + 1
# A street that sells more in the open days than any of HDB's in a year; older ones go.
KEPT_MAX = 64
# Towns of HDB have 123 at most in ten years; of more, that with the oldest newest sale goes.
GROUPS_MAX = 256


class Sold(Struct, array_like=True, gc=False, order=True):
    """One sale."""

    day: int  # of event time, since 1970
    ppm2_micro: int  # log price per m2 in millionths


class Peers(Struct, array_like=True):
    """State of a region. Groups rise, sales of a group rise: equal peers are equal bytes."""

    groups: dict[int, list[Sold]] = {}


def group_of(street: str | None, property_type: str) -> int | None:
    """Number of a home's group; None where the street is not known.

    >>> group_of("ang mo kio ave 4", "3 room"), group_of(None, "house")
    (2409651090, None)
    """
    return None if street is None else zlib.crc32(f"{street}\n{property_type}".encode())


def insert(peers: Peers, group: int, at_ms: int, ppm2_micro: int) -> None:
    """Take one sale in."""
    if group not in peers.groups:
        peers.groups = dict(sorted([*peers.groups.items(), (group, [])]))
    sold = sorted([*peers.groups[group], Sold(at_ms // DAY_MS, ppm2_micro)])
    closed = sum(each.day < sold[-1].day - _OPEN_DAYS for each in sold)
    peers.groups[group] = sold[max(0, closed - USED) :][-KEPT_MAX:]
    if len(peers.groups) > GROUPS_MAX:
        del peers.groups[min(peers.groups, key=lambda each: (peers.groups[each][-1].day, each))]


def mean(peers: Peers, group: int | None, at_ms: int) -> float | None:
    """Mean log price per m2 of the newest peers sold up to the day of `at_ms`; None without any.

    >>> peers = Peers()
    >>> insert(peers, 7, 3 * DAY_MS, 8_000_000)
    >>> insert(peers, 7, 9 * DAY_MS, 9_000_000)
    >>> mean(peers, 7, 5 * DAY_MS), mean(peers, 7, 9 * DAY_MS), mean(peers, None, 0)
    (8.0, 8.5, None)
    """
    if group is None:
        return None
    known = [each for each in peers.groups.get(group, ()) if each.day <= at_ms // DAY_MS][-USED:]
    return sum(each.ppm2_micro for each in known) / len(known) / MICRO if known else None
