"""Models as announced, and which of them were active from which offset on.

`housing.models` keys: `<market>/champion/<version>`, `<market>/corrector/<version>`,
`<market>/alias/<name>`. Versions are never overwritten; aliases move.
"""

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


AnyModelMessage = ChampionAnnounced | CorrectorAnnounced | AliasSet


class Activated(Struct, frozen=True, kw_only=True):
    """From this offset of its partition on, a market was served with these versions.

    Written in the transaction of the first batch made with them.
    """

    partition: int
    from_offset: int
    market: str
    champion: str | None
    corrector: str | None
