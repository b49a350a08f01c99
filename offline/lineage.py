"""Where a version comes from and where it went: data, features, offsets served, answers.

Put together from what others wrote down: the version's papers, `housing.activations` (who
served from which offset on) and `housing.predictions`. Not here: reading those
(lineage_command.py), the picture (lineage_picture.py).
"""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from offline.collector import Read
from offline.replay_options import Spot
from stream_app.contract.models import Activated, Alias
from stream_app.contract.predictions import Prediction


class Span(Struct, frozen=True):
    """Offsets of one partition of `housing.events` that a version had a role for."""

    partition: int
    role: str  # of Alias
    from_offset: int
    to_offset: int | None  # the first that is not of it; None: it still has the role
    predictions: int  # answers by the version in the log now, of listings in the span


class Lineage(Struct, frozen=True, kw_only=True):
    """One version's."""

    market: str
    version: str
    events: str | None  # what the log was; None: not recorded
    read: tuple[Read, ...]  # by partition: offsets, records, hash
    files: dict[str, str]  # of a source, by name: sha256
    data_sha256: str
    training_rows: int
    features_read: tuple[str, ...]  # that some tree is split on
    features_not_read: tuple[str, ...]
    bundle_sha256: str
    reference_sha256: str | None
    served: tuple[Span, ...] | None  # None: no broker was asked
    predictions: int | None  # in the log now


def spans(
    version: str, market: str, activations: Iterable[Activated], answered: Iterable[int] = ()
) -> list[Span]:
    """What a version was in one partition, and for which offsets.

    Parameters
    ----------
    activations : of one partition, in log order
    answered : source offsets that the version answered
    """
    found: list[tuple[int, str, int, int | None]] = []
    began: dict[str, int] = {}
    partition = 0
    for change in activations:
        if change.market != market:
            continue
        partition = change.partition
        for role, named in _roles(change).items():
            if named == version:
                began.setdefault(role, change.from_offset)
            elif role in began:
                found.append((partition, role, began.pop(role), change.from_offset))
    found += [(partition, role, first, None) for role, first in began.items()]
    offsets = sorted(answered)
    return [Span(*each, predictions=_within(offsets, each[2], each[3])) for each in found]


def answered(predictions: Iterable[Prediction], version: str) -> Iterator[int]:
    """Offsets of the listings that a version answered."""
    return (p.source_offset for p in predictions if p.versions.champion == version)


def readers(read: Mapping[str, Iterable[str]], feature: str) -> list[str]:
    """The versions that read a feature.

    >>> readers({"c1": ["home_grade"], "c2": []}, "home_grade")
    ['c1']
    """
    return [version for version, features in read.items() if feature in features]


def holds(read: Iterable[Read], event: Spot) -> bool:
    """Whether the event was among what was read."""
    return any(
        each.partition == event.partition and each.first_offset <= event.offset < each.end_offset
        for each in read
    )


def _roles(change: Activated) -> dict[str, str | None]:
    return {
        Alias.CHAMPION: change.champion,
        Alias.CHALLENGER: change.challenger,
        Alias.PREVIOUS: change.previous,
    }


def _within(offsets: Iterable[int], first: int, end: int | None) -> int:
    return sum(first <= offset and (end is None or offset < end) for offset in offsets)
