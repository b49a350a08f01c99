"""How soon it is told that sales are missing, and how often falsely: on quiet streams. Pure.

Streams are those of the price detectors, drawn from real sales by blocks of a week: how many are
sold in a week is real, and no season is left. Half or more of a stream's sales are then lost. What
is told of months in their own order, with their seasons, is in report_card_real.py.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence

from monitoring import report_card
from monitoring.detectors.finding import Event, Finding, Labelled
from monitoring.detectors.volume import VolumeWatch
from monitoring.report_card import Plant, Power, Quiet

NAME = "volume"
LEFT = {"4 of 5 sales missing": 0.2, "2 of 3 missing": 1 / 3, "1 of 3 missing": 2 / 3}


class VolumeAlarm:
    """The watch, of a market's sales alone."""

    def __init__(self) -> None:
        self._watch = VolumeWatch()

    def update(self, row: Labelled) -> list[Finding]:
        """Take in a sale; tell when the market as a whole is off."""
        found = self._watch.update(Event(row.market, "all", row.sold_ms, {"kind": "sale"}))
        return [each for each in found if each.segment == "kind=sale"]


def quiet(days: Sequence[Sequence[Labelled]], streams: int, seed: int) -> Quiet:
    """Count false alarms, as report_card.py does."""
    return report_card.quiet_of(NAME, VolumeAlarm, days, streams, seed)


def power(days: Sequence[Sequence[Labelled]], streams: int, seed: int) -> list[Power]:
    """Measure it on what is lost. Delays are in sales that are left."""
    return [
        report_card.measured(NAME, VolumeAlarm, plant, act, days, streams, seed)
        for plant, act in _plants().items()
    ]


def _plants() -> Mapping[str, Plant]:
    return {name: _left(share) for name, share in LEFT.items()}


def _left(share: float) -> Callable[[Labelled, float], Labelled | None]:
    def act(row: Labelled, _days: float) -> Labelled | None:
        drawn = zlib.crc32(f"{row.sold_ms} {row.error_log}".encode()) % 1_000
        return row if drawn < 1_000 * share else None

    return act
