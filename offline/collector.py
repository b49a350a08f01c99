"""Gathers rows while a partition is replayed: one per sold home, the newest word on its sale holds.

What a row is made of is put into arrays at once, and a later word takes its place there, so a
row costs its numbers and texts and no more. Beside the rows it holds a line for each home that
is listed and not sold; like the replay's own state, which is larger, that grows with what is on
the market, and not with the length of the log.

No row comes of a sale that teaches nobody (its publisher is doubted), and none is left of a home
that was erased. Not here: the data set of all partitions (dataset.py).
"""

import hashlib
import math
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from offline.activated import BY_DEFAULT, Policies, PolicySince
from offline.log import Cut, Head, Line, Partition
from stream_app.contract import topics, wire
from stream_app.contract.events import Erasure, kind_of_type
from stream_app.contract.predictions import Outcome
from stream_app.contract.rules import RULES
from stream_app.core.features import NAMES
from stream_app.stages.step import Step

NUMBERS: Mapping[str, Literal["d", "q"]] = {  # column -> type code
    "log_price": "d",
    "naive_log": "d",
    "area_m2": "d",
    "listed_ms": "q",
    "sold_ms": "q",
    "partition": "q",
    "listing_offset": "q",
    "sale_offset": "q",
}
TEXTS = ("region", "property_type", "listing_id", "home_id", "source")
ERASED, DOUBTED = "row:erased", "row:source_doubted"  # counted beside the step's own verdicts
EXAMPLES_PER_RULE = 3
_ERASURE = kind_of_type(Erasure)
_RULES = frozenset(str(rule.code) for rule in RULES)
_LISTED_FORGOTTEN_FROM = 10_000  # below, it is not worth looking who is still on the market

Key = tuple[str, str]  # region and listing


class Read(Struct, frozen=True):
    """What was read of one partition."""

    partition: int
    first_offset: int
    end_offset: int  # after the last record
    records: int
    sha256: str  # over offsets and values
    topic_id: str
    policies: tuple[PolicySince, ...] = ()  # none: the default


class Gathered(NamedTuple):
    """What a partition came to. Plain values, so that a process can send it."""

    rows: NDArray[np.float64]
    numbers: dict[str, NDArray[Any]]
    texts: dict[str, list[str]]
    counts: dict[str, int]  # events by "kind:verdict": what was dropped, and why
    examples: dict[str, list[str]]  # of what a rule refused, by its code
    read: Read | None  # None: nobody counted


class Reading:
    """A partition's lines on their way through: how many, of which offsets, and their hash."""

    def __init__(self, partition: Partition) -> None:
        self.records = 0
        self._partition = partition
        self._offsets: list[int] = []  # of the first and the newest
        self._digest = hashlib.sha256()
        self._policies: Policies = BY_DEFAULT
        self._since: list[PolicySince] = []

    def lines(self) -> Iterator[Line]:
        for line in self._partition.lines:
            offset, value = line.record.offset, line.record.value or b""
            self._offsets[1:] = [offset]
            self.records += 1
            self._digest.update(b"%d %d " % (offset, len(value)))
            self._digest.update(value)
            if line.policies is not self._policies:
                self._note(line.policies, offset)
            yield line

    def _note(self, policies: Policies, offset: int) -> None:
        for market, policy in policies.items():
            if self._policies.get(market) != policy:
                self._since.append(PolicySince(offset, market, policy))
        self._policies = policies

    def done(self) -> Read:
        first, last = (self._offsets[0], self._offsets[-1]) if self.records else (0, -1)
        return Read(
            self._partition.number,
            first,
            last + 1,
            self.records,
            self._digest.hexdigest(),
            self._partition.topic_id,
            tuple(self._since),
        )


class _Listed(NamedTuple):
    """A home on the market."""

    state_key: str
    offset: int
    home_id: str


class _Said(Struct):
    """What is looked at of a prediction."""

    prediction_id: str
    source_offset: int


_said = msgspec.json.Decoder(_Said)


class _Columns:
    """Rows as arrays that grow."""

    def __init__(self) -> None:
        self.features = array("d")
        self.numbers: dict[str, array[Any]] = {name: array(code) for name, code in NUMBERS.items()}
        self.texts: dict[str, list[str]] = {name: [] for name in TEXTS}

    def __len__(self) -> int:
        return len(self.texts["region"])

    def put(
        self,
        place: int,
        features: Sequence[float | None],
        numbers: Mapping[str, float],
        texts: Mapping[str, str],
    ) -> None:
        """Write a row: at the end, or in place of one."""
        known = [math.nan if value is None else value for value in features]
        self.features[place * len(NAMES) : (place + 1) * len(NAMES)] = array("d", known)
        for name, values in self.numbers.items():
            values[place : place + 1] = array(NUMBERS[name], [numbers[name]])
        for name, kept in self.texts.items():
            kept[place : place + 1] = [texts[name]]


class Collector:
    """Gathers one partition's rows of one market."""

    def __init__(self, market: str, partition: int = 0) -> None:
        self.market = market
        self._partition = partition
        self._columns = _Columns()
        self._places: dict[Key, int] = {}  # where in the columns
        self._doubted: set[Key] = set()
        self._listed: dict[str, _Listed] = {}  # by prediction id, until it is sold
        self._listed_max = _LISTED_FORGOTTEN_FROM
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, list[str]] = {}

    def take(self, cut: Cut, done: Step) -> list[Outcome]:
        """Take in what the step made of a batch; give its outcomes of this market."""
        refused = self._note_refused(done)
        records = zip(cut.batch.records, cut.heads, strict=True)
        heads = {r.offset: head for r, head in records if r.offset not in refused}
        offsets = {_names(head): offset for offset, head in reversed(heads.items())}  # first wins
        erasures = (head for head in heads.values() if head.kind == _ERASURE)
        found: list[Outcome] = []
        for output in done.outputs:
            if output.topic is topics.PREDICTIONS and output.value is None:
                self._erase(next(erasures))
            elif output.topic is topics.PREDICTIONS:
                self._list(_said.decode(output.value or b""), heads)
            elif output.topic is topics.OUTCOMES:
                outcome = wire.decode_outcome(output.value or b"")
                if outcome.market == self.market:
                    found.append(outcome)
                    self._sell(outcome, offsets)
        return found

    def forget(self, state: Mapping[str, bytes]) -> None:
        """Let go of homes that the ledger has forgotten: no sale of theirs will be joined."""
        if len(self._listed) > self._listed_max:
            known = self._listed.items()
            self._listed = {name: home for name, home in known if home.state_key in state}
            self._listed_max = max(_LISTED_FORGOTTEN_FROM, 2 * len(self._listed))

    def gathered(self, counts: Mapping[str, int], read: Read | None = None) -> Gathered:
        """All rows so far; `counts` are the step's own, of this partition."""
        kept, columns = list(self._places.values()), self._columns
        doubted = len(self._doubted - self._places.keys())
        return Gathered(
            rows=np.array(columns.features).reshape(-1, len(NAMES))[kept],
            numbers={name: np.array(values)[kept] for name, values in columns.numbers.items()},
            texts={name: [values[at] for at in kept] for name, values in columns.texts.items()},
            counts={**counts, **self._counts, **({DOUBTED: doubted} if doubted else {})},
            examples=self._examples,
            read=read,
        )

    def _note_refused(self, done: Step) -> set[int]:
        """Offsets of what was refused; a few details are kept per rule.

        They name values, and no text but the market's. Beyond the rules a detail may quote a
        publisher's text, which may hold anything.
        """
        refused: set[int] = set()
        for output in done.outputs:
            if output.topic is topics.REJECTS:
                headers = {name: value.decode() for name, value in output.headers}
                refused.add(int(headers["source_offset"]))
                kept = self._examples.setdefault(headers["code"], [])
                if headers["code"] in _RULES and len(kept) < EXAMPLES_PER_RULE:
                    kept.append(headers["detail"].split(": must hold")[0])
        return refused

    def _list(self, said: _Said, heads: Mapping[int, Head]) -> None:
        head = heads[said.source_offset]
        state_key = f"listing:{head.region}:{head.listing_id}"
        listed = _Listed(state_key, said.source_offset, head.home_id or "")
        self._listed[said.prediction_id] = listed

    def _sell(self, outcome: Outcome, offsets: Mapping[tuple[str, ...], int]) -> None:
        key = outcome.region, outcome.listing_id
        if not outcome.teaches:
            self._doubted.add(key)
            return
        place = self._places.setdefault(key, len(self._columns))
        home_id, listing_offset = self._home_of(place, outcome)
        naive_log = outcome.components.naive_log
        numbers = {
            "log_price": math.log(outcome.sale_price),
            "naive_log": math.nan if naive_log is None else naive_log,
            "area_m2": outcome.area_m2,
            "listed_ms": outcome.listed_ms,
            "sold_ms": outcome.sold_ms,
            "partition": self._partition,
            "listing_offset": listing_offset,
            "sale_offset": offsets[(*key, outcome.sale_event_id)],
        }
        texts = {
            "region": outcome.region,
            "property_type": outcome.property_type,
            "listing_id": outcome.listing_id,
            "home_id": home_id,
            "source": outcome.source,
        }
        self._columns.put(place, outcome.features, numbers, texts)

    def _home_of(self, place: int, outcome: Outcome) -> tuple[str, int]:
        """Its id, and the offset of its listing: what a correction leaves as it is."""
        if place == len(self._columns):
            listed = self._listed.pop(outcome.prediction_id)
            return listed.home_id, listed.offset
        columns = self._columns
        return columns.texts["home_id"][place], columns.numbers["listing_offset"][place]

    def _erase(self, head: Head) -> None:
        key = head.region, head.listing_id
        if self._places.pop(key, None) is not None or key in self._doubted:
            self._doubted.discard(key)
            self._counts[ERASED] += 1


def _names(head: Head) -> tuple[str, ...]:
    return head.region, head.listing_id, head.event_id
