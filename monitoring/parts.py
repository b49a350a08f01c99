"""What an archiver holds of each partition, and what it has done. Values only."""

import time
from dataclasses import dataclass, field

from msgspec import Struct

from monitoring.chain import Source
from monitoring.settings import MonitoringSettings
from monitoring.tables import Taken


class Limits(Struct, frozen=True):
    """When what was taken is published, over all partitions of one archiver."""

    rows: int
    size_bytes: int
    age_s: float


@dataclass
class Part:
    """One assigned partition: the open range."""

    source: Source
    first_offset: int
    next_offset: int
    lost_to_offset: int
    records: list[Taken] = field(default_factory=list)
    size_bytes: int = 0  # of the records
    at_end: bool = False  # nothing more was there when last asked
    was_at_end: bool = False  # since it was assigned

    def begin(self, offset: int) -> None:
        """Open a new, empty range at `offset`."""
        self.records, self.size_bytes = [], 0
        self.first_offset = self.next_offset = self.lost_to_offset = offset


@dataclass
class Progress:
    """What this archiver did so far."""

    rows: int = 0
    ranges: int = 0
    files: int = 0
    size_bytes: int = 0
    yielded: int = 0  # ranges that another archiver had published already
    assigned: bool = False
    idle_since_s: float = field(default_factory=time.monotonic)


def limits_of(settings: MonitoringSettings) -> Limits:
    """Take the flush limits out of the settings."""
    return Limits(settings.flush_rows, settings.flush_bytes, settings.flush_age_s)
