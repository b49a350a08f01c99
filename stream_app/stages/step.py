"""What a stage takes and gives: plain values, the same for every stage.

`advance(batch, state, serving) -> Step`: no clock, no I/O, no randomness. The
runner makes a step safe in one transaction; a test, a backtest and the oracle
of the kill test put it into a dict.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum, auto
from typing import Generic, NamedTuple, Protocol, TypeVar

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from stream_app.contract.models import CorrectorAnnounced, Handover, Overload, Policy, RolloutMode
from stream_app.contract.topics import Topic
from stream_app.core.expiry import Ledger
from stream_app.scoring.scope import Limits

CONTROL_KEY = "control"  # key of a partition's control record in its state topic

# What the state topic holds for a partition: key -> frozen record.
State = Mapping[str, bytes]


class Record(NamedTuple):
    """One record of the source topic as the broker keeps it."""

    offset: int
    key: bytes | None
    value: bytes | None
    append_time_ms: int  # when the broker took it; a replay from files passes the event time


class Batch(NamedTuple):
    """Consecutive records of one partition, none at or below the applied offset."""

    topic: str  # full name, for the headers of rejects
    topic_id: str  # changes when the topic is recreated
    partition: int
    partitions: int  # of the topic
    records: Sequence[Record]  # one or more, offsets rising


class Output(NamedTuple):
    """One record to publish."""

    topic: Topic
    key: bytes | None
    value: bytes | None
    partition: int | None = None  # None: where murmur2 of the key says
    headers: tuple[tuple[str, bytes], ...] = ()
    # Append time of the record that caused it: the publisher then adds a header
    # `latency_ms`, how long after that it was handed to the broker. None: it adds none.
    cause_ms: int | None = None


class Step(NamedTuple):
    """What one batch comes to. Values only: nothing has happened yet."""

    outputs: tuple[Output, ...]
    state: Mapping[str, bytes | None]  # the changed records only; None: a tombstone
    applied_offset: int


class PriceModel(Protocol):
    """What a stage needs of a champion (scoring/champion.py)."""

    @property
    def version(self) -> str: ...

    @property
    def scale(self) -> float | None:
        """Mean |log residual| on the holdout, where the interval starts from."""

    @property
    def score_quantile(self) -> float | None:
        """90 % quantile of |log residual| / scale on the holdout."""

    @property
    def used(self) -> NDArray[np.bool_]:
        """Shape (features,): which features it looks at; no other changes what it says."""

    @property
    def limits(self) -> Limits | None:
        """What it was made for; None: it does not say."""

    def predict_log(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log prices, shape (n,), of raw feature rows, shape (n, features); NaN is unknown.

        The same bits for a row alone and in any batch.
        """


T = TypeVar("T")


class Thawing(dict[str, T], Generic[T]):
    """A dict that fetches what it misses."""

    def __init__(self, fetch: Callable[[str], T]) -> None:
        super().__init__()
        self._fetch = fetch

    def __missing__(self, key: str) -> T:
        value = self[key] = self._fetch(key)
        return value


class Roster(Struct, array_like=True, frozen=True):
    """Who serves a market, by version, what the challenger is for, and by which policy."""

    champion: str | None = None
    corrector: str | None = None
    previous: str | None = None
    challenger: str | None = None
    mode: RolloutMode = RolloutMode.OFF
    share: float = 0.0
    policy: Policy = Policy()
    overload: Overload = Overload.NONE
    handover: Handover | None = None


class Serving(NamedTuple):
    """The models that serve a market during one batch, and the settings of its step."""

    champion: PriceModel | None = None
    corrector: CorrectorAnnounced | None = None  # the newest frozen market level
    previous: PriceModel | None = None  # answers when the champion cannot
    challenger: PriceModel | None = None
    mode: RolloutMode = RolloutMode.OFF
    share: float = 0.0  # of listings in the challenger's arm, in canary and ab
    policy: Policy = Policy()
    overload: Overload = Overload.NONE
    handover: Handover | None = None  # of the champion; None: it replaced none, or not measured

    @property
    def shadows(self) -> bool:
        """Whether the challenger scores all listings, unheard."""
        shadow = self.mode is RolloutMode.SHADOW and self.challenger is not None
        return shadow and self.overload is not Overload.SHADOW

    @property
    def challenger_share(self) -> float:
        """Share of listings that the challenger answers now; without one it is 0."""
        dealt = self.mode in (RolloutMode.CANARY, RolloutMode.AB)
        return self.share if dealt and self.challenger is not None else 0.0

    @property
    def roster(self) -> Roster:
        """The versions in words."""
        return Roster(
            _version(self.champion),
            _version(self.corrector),
            _version(self.previous),
            _version(self.challenger),
            self.mode,
            self.share,
            self.policy,
            self.overload,
            self.handover,
        )


def _version(model: PriceModel | CorrectorAnnounced | None) -> str | None:
    return None if model is None else model.version


class Mark(StrEnum):
    """What is counted of an event beside its verdict. An event has one verdict and any marks."""

    LATE = auto()
    REPAIRED = auto()
    DOUBTED = auto()  # its publisher
    LEFT_OUT = auto()  # a sale that taught its region nothing: scoring/sources.py


class Control(Struct, array_like=True):
    """A partition's control record: where the state stands."""

    applied_offset: int
    topic_id: str
    watermark_ms: int
    served: dict[str, Roster]  # by market
    counts: dict[str, int]  # events by "kind:verdict" or "rejected:code"; also by "kind:mark"
    publishers: int = 0  # how many have a record of their own (stages/standing.py)
    ledgers: dict[str, Ledger] = {}  # by market; the scorer's


def read_control(state: State) -> Control | None:
    """The partition's control record; None when nothing was ever applied."""
    frozen = state.get(CONTROL_KEY)
    return None if frozen is None else msgspec.msgpack.decode(frozen, type=Control)
