"""Whose fault is it?

the sender's: a value. It goes to `housing.rejects`, the stream goes on.
    Rejected(code, detail, raw)

ours: an exception. It ends the process with exit status 70.
    OurFault
    ├── InvariantBroken    state contradicts itself
    ├── Undelivered        nothing was committed
    ├── SourceChanged      a topic was recreated or shortened under us
    └── ModelNotOpened     a champion cannot serve; the old one stays (the only ones that
        │                  are caught: see shell/shelf.py)
        ├── ModelRefused       it failed a check: not tried again until announced anew
        └── ModelUnavailable   nobody could look at it just now: tried again
"""

from enum import StrEnum, auto

from msgspec import Struct


class RejectCode(StrEnum):
    """Why an event was refused. A closed set: consumers may switch on it."""

    TOO_LARGE = auto()
    NOT_JSON = auto()
    SCHEMA_VERSION = auto()
    KIND = auto()
    UNKNOWN_FIELD = auto()
    SCHEMA = auto()
    MARKET = auto()
    KEY = auto()
    PARTITION = auto()
    FUTURE = auto()
    TIME = auto()
    PRICE = auto()
    AREA = auto()
    ROOMS = auto()
    YEARS = auto()
    PLACE = auto()
    RANGE = auto()
    SOLD_BEFORE_LISTED = auto()
    CONFLICT = auto()
    OTHER_MARKET = auto()


class Rejected(Struct, frozen=True):
    """An event that will not be used, with what the sender must know to mend it."""

    code: RejectCode
    detail: str  # names the value, the limit and the place
    raw: bytes


class RejectHeaders(Struct, frozen=True):
    """The headers of a record in `housing.rejects`; its value is the original bytes.

    Values are text. Of an event above 1 MB the value is empty, and `sha256` and
    `size` say which bytes they were.
    """

    code: RejectCode
    detail: str
    source_topic: str
    source_partition: str
    source_offset: str
    publisher: str  # "unknown" when the event could not be read
    size: str  # bytes
    sha256: str


class OurFault(Exception):
    """Something that only we can have done wrong."""


class InvariantBroken(OurFault):
    """State contradicts itself."""


class Undelivered(OurFault):
    """A transaction did not commit: nothing of the batch is visible."""


class SourceChanged(OurFault):
    """The source topic is not the one, or not as long as, the state remembers."""


class ModelNotOpened(OurFault):
    """A champion cannot serve."""


class ModelRefused(ModelNotOpened):
    """It failed a check before activation."""


class ModelUnavailable(ModelNotOpened):
    """It could not be checked just now: that says nothing of the model."""
