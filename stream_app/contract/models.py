"""Models as announced, and which of them were active from which offset on.

`housing.models` keys: `<market>/champion/<version>`, `<market>/corrector/<version>`,
`<market>/alias/<name>`, `<market>/rollout`. Versions are never overwritten; aliases and
the rollout move.
"""

from collections.abc import Mapping
from enum import StrEnum, auto
from types import MappingProxyType
from typing import Annotated

from msgspec import Meta, Struct


class GoldenRow(Struct, frozen=True):
    """A feature row and what the model must say to it, to the bit."""

    features: tuple[float | None, ...]
    log_price: float


class Scope(Struct, frozen=True, kw_only=True):
    """What a champion was made for. What lies beyond is priced, and marked."""

    ranges: dict[str, tuple[float, float]]  # number -> least and greatest of the training rows
    property_types: tuple[str, ...]  # as markets name them
    prices: tuple[float, float]  # least and greatest, in the market's currency


class Manifest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a champion is and how it was made. Signed; names the bundle by its hash.

    What is left at its default is not encoded: so a manifest of before a field was added
    has the bytes that were signed.
    """

    market: str
    version: str
    bundle_sha256: str
    bundle_bytes: int
    reference_sha256: str | None  # drift reference: a Parquet sample of the training rows
    feature_names: tuple[str, ...]
    feature_set: str
    # Feature -> {category code as text -> the number the model was trained with}:
    # the mean log price per m2 of the category in the training rows, or their mean.
    encodings: dict[str, dict[str, float]]
    encoding_defaults: dict[str, float]
    golden_rows: tuple[GoldenRow, ...]
    holdout_abs_log_errors: tuple[float, ...]  # newest first; at most 500
    metrics: dict[str, float]
    trained_from_ms: int
    trained_to_ms: int
    training_rows: int
    data_sha256: str
    seed: int
    library_versions: dict[str, str]
    cpu_features: tuple[str, ...]
    made_ms: int
    scope: Scope | None = None  # None: made before there were any; nothing is marked


class ChampionAnnounced(Struct, frozen=True, kw_only=True, tag_field="kind", tag="champion"):
    manifest: Manifest
    signature: str  # Ed25519 over wire.manifest_bytes(manifest), hex
    address: str  # file name in the content-addressed store: <sha256>.skops


class LiveErrors(Struct, frozen=True):
    """Decayed means of |log sale price - log price|, as served, on the same sales."""

    naive: float  # regional median per m2 times area
    champion: float  # the offline model alone
    answer: float  # with the correction, as far as the guard let it
    sales: int  # how many were judged in all; the newest weigh most


class CorrectorAnnounced(Struct, frozen=True, kw_only=True, tag_field="kind", tag="corrector"):
    """The market level of the corrector, frozen. Constant until the next is activated."""

    market: str
    version: str
    outcome_partition: int
    outcome_offset: int  # the last outcome it has learned from
    labels: int
    # River's state in the order of `feature_names` (scoring/corrector.py).
    feature_names: tuple[str, ...]
    counts: tuple[float, ...]
    means: tuple[float, ...]
    variances: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    guard_weight: Annotated[float, Meta(ge=0, le=1)]
    scale: Annotated[float, Meta(ge=0)] | None  # market mean of |log residual|
    # 90 % quantile of |log residual| / (region scale * segment factor)
    score_quantile: Annotated[float, Meta(ge=0)] | None
    # Of the interval's width: by band of the predicted price, and by property type.
    band_edges_log: tuple[float, ...] = ()  # rising; one fewer than the factors
    band_factors: tuple[float, ...] = ()
    type_factors: dict[str, float] = {}
    # Source -> how many of its labels were not learned from, ever: it contradicted the others.
    left_out: dict[str, int] = {}
    errors: LiveErrors | None = None  # null: no sale yet that all three were asked about
    champion: Annotated[
        str | None, Meta(description="version whose errors it has learned from last")
    ] = None


class Alias(StrEnum):
    """What a version is called, here and in the registry."""

    CHAMPION = auto()  # serves
    PREVIOUS = auto()  # the way back
    CHALLENGER = auto()  # is tried beside the champion; in the registry: registered last


class SegmentShift(Struct, frozen=True, kw_only=True):
    """By how much prices move where one champion follows another, on the same homes."""

    segment: Annotated[str, Meta(description="region=... or property_type=...; empty: all")]
    homes: int
    median_log: Annotated[
        float, Meta(description="log price of the new champion less the old one's, both bare")
    ]


class AliasSet(Struct, frozen=True, kw_only=True, tag_field="kind", tag="alias"):
    market: str
    alias: str  # of Alias; any other one moves nobody
    version: str
    reason: str
    replaces: Annotated[
        str | None, Meta(description="of a champion: who served before, and a roll back returns to")
    ] = None
    expected_shift: Annotated[
        tuple[SegmentShift, ...],
        Meta(description="of a champion against that one; empty: not measured"),
    ] = ()


class RolloutMode(StrEnum):
    """What the challenger is for."""

    OFF = auto()  # it waits
    SHADOW = auto()  # it scores all listings, on `housing.shadow`; what is served stays as it is
    CANARY = auto()  # it answers a small share of the listings
    AB = auto()  # it answers as many as are needed to compare it with the champion


Share = Annotated[
    float, Meta(ge=0, le=1, description="of listings that the challenger answers in canary and ab")
]


# Where nobody names another: enough to see a fault on, and the quickest comparison.
DEFAULT_SHARES: Mapping[RolloutMode, float] = MappingProxyType(
    {
        RolloutMode.OFF: 0.0,
        RolloutMode.SHADOW: 0.0,
        RolloutMode.CANARY: 0.10,
        RolloutMode.AB: 0.50,
    }
)


class RolloutSet(Struct, frozen=True, kw_only=True, tag_field="kind", tag="rollout"):
    market: str
    mode: RolloutMode
    share: Share
    reason: str


AnyModelMessage = ChampionAnnounced | CorrectorAnnounced | AliasSet | RolloutSet


# A ring of hours keeps its buckets this much longer than its window, whatever the policy.
LATENESS_MAX_H = 168
LatenessH = Annotated[int, Meta(ge=0, le=LATENESS_MAX_H)]
LedgerDays = Annotated[int, Meta(ge=30, le=3_650)]
LedgerEntries = Annotated[int, Meta(ge=1, le=10_000_000)]


class Policy(Struct, frozen=True, kw_only=True):
    """Settings that change what the scorer's step comes to: a replay needs the same ones.

    Hours of event time that an event of a kind may lie behind the newest of its region
    before it is late; and what a partition's ledger keeps of a market.
    """

    # Publishers send in batches over night; a day covers that.
    listing_late_h: LatenessH = 24
    # A sale is known when its deed is recorded, some days later.
    sale_late_h: LatenessH = 168
    # It comes from where sales come from.
    correction_late_h: LatenessH = 168
    # It comes from where listings come from.
    withdrawal_late_h: LatenessH = 24
    # A year on the market and a month for its papers; later, a sale is an orphan.
    ledger_days: LedgerDays = 400
    # Of about 1.2 kB: 120 MB for a partition at most.
    ledger_entries: LedgerEntries = 100_000


class Overload(StrEnum):
    """What the scorer leaves out while more comes than it can answer in full. Never a price."""

    NONE = auto()
    REASONS = auto()
    SHADOW = auto()  # and reasons


class Handover(Struct, frozen=True, kw_only=True):
    """How a champion's prices differ from those of the one whose place it took."""

    replaces: str
    market_log: Annotated[
        float, Meta(description="log price of the new champion less the old one's: mean of regions")
    ]
    regions: Annotated[
        dict[str, float], Meta(description="region -> the same there, less that of the market")
    ]


class Activated(Struct, frozen=True, kw_only=True):
    """From this offset of its partition on, a market was served with these versions.

    Written in the transaction of the first batch made with them.
    """

    partition: int
    from_offset: int
    market: str
    champion: str | None
    corrector: str | None
    previous: Annotated[str | None, Meta(description="what a roll back would return to")] = None
    challenger: str | None = None
    mode: RolloutMode = RolloutMode.OFF
    share: Share = 0.0
    policy: Policy = Policy()
    overload: Annotated[
        Overload, Meta(description="what the scorer leaves out; shadow: reasons, too")
    ] = Overload.NONE
    handover: Annotated[
        Handover | None,
        Meta(description="of the champion; correctors of regions give it back where it takes over"),
    ] = None
