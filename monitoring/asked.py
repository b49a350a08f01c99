"""What a report is asked for. Values only: read by the command line without what measures."""

from enum import StrEnum, auto
from pathlib import Path
from typing import NamedTuple

from monitoring.windows import Windows


class Kind(StrEnum):
    """What a report measures."""

    DRIFT = auto()
    QUALITY = auto()
    DATA = auto()


class Asked(NamedTuple):
    """What the command line said."""

    market: str
    windows: Windows
    archive: Path
    out: Path
    prefix: str
    kinds: tuple[Kind, ...] = tuple(Kind)
    job: str = ""  # of the schedule; empty: by hand
