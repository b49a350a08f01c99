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


class Manifest(Struct, frozen=True, kw_only=True):
    """What a champion is and how it was made. Signed; names the bundle by its hash."""

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


class ChampionAnnounced(Struct, frozen=True, kw_only=True, tag_field="kind", tag="champion"):
    manifest: Manifest
    signature: str  # Ed25519 over wire.manifest_bytes(manifest), hex
    address: str  # file name in the content-addressed store: <sha256>.skops


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
    # 90 % quantile of |log residual| / region scale
    score_quantile: Annotated[float, Meta(ge=0)] | None


class AliasSet(Struct, frozen=True, kw_only=True, tag_field="kind", tag="alias"):
    market: str
    alias: str  # champion, challenger or previous
    version: str
    reason: str


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
