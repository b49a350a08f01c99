"""What consumers read: predictions, and predictions joined with their sale.

Prices are in the market's currency. "log" means the natural logarithm of a
price. A feature or figure that is not known is null, never 0.
"""

from enum import StrEnum, auto
from typing import Annotated

from msgspec import Meta, Struct


class Quality(StrEnum):
    OK = auto()
    DEGRADED = auto()


class Arm(StrEnum):
    """Whom a listing was given to: by a fixed hash of its id, so it stays there."""

    CHAMPION = auto()
    CHALLENGER = auto()


class Step(StrEnum):
    """Which rung of the fallback ladder answered."""

    CHALLENGER = auto()  # of listings in its arm
    CHAMPION = auto()
    PREVIOUS = auto()
    REGIONAL_MEDIAN = auto()
    NONE = auto()


class QualityReason(StrEnum):
    """Why an answer is worth less than usual. A closed set."""

    CHALLENGER_UNUSABLE = auto()  # the listing is in its arm, and it says no price
    NO_CHAMPION = auto()  # no champion is active
    CHAMPION_UNUSABLE = auto()  # it says no price
    PREVIOUS_UNUSABLE = auto()  # the champion before it neither
    NO_REGIONAL_SALES = auto()  # no model answered, and the region had no sale to take a median of
    NO_INTERVAL = auto()  # too few scored sales to promise a coverage
    LATE = auto()  # the event came after its time was closed: windows do not hold it
    TIME_JUMP = auto()  # far ahead of the region's time and unconfirmed so far
    ALREADY_SOLD = auto()  # the sale was seen before the listing
    REPAIRED = auto()  # a value had to be repaired before it could be read
    PUBLISHER_DOUBTED = auto()  # its publisher's events enter no window and teach nothing
    UNSEEN_CATEGORY = auto()  # a type, design, street or region that the model never saw
    OUTSIDE_TRAINING = auto()  # a number beyond those that the model was trained with
    OUT_OF_SCOPE = auto()  # the property type or the price is not what the model was made for
    OVERLOADED = auto()  # more came than could be answered in full: the price has no reasons


class Doubt(StrEnum):
    """Why a publisher is not learned from. A closed set; limits in core/publishers.py."""

    REJECTS = auto()  # too many of its newest events were refused
    FIELD = auto()  # a field that it used to send is gone
    UNIT = auto()  # its sales are off by a factor, as by another unit


class Components(Struct, frozen=True):
    """What the answer is made of: log price, and corrections to it, in log units."""

    naive_log: Annotated[float | None, Meta(description="regional median per m2 times area")]
    champion_log: Annotated[
        float | None, Meta(description="the offline model that answered, alone")
    ]
    market_correction: float
    region_correction: float
    guard_weight: Annotated[float, Meta(description="0 to 1: share of the correction used")]


class ReasonGroup(StrEnum):
    """What a reason is about; which features, scoring/reasons.py says."""

    SIZE = auto()
    ROOMS = auto()
    CONDITION = auto()  # and construction quality
    AGE = auto()  # and lease left
    LOCATION = auto()  # within the region, with floor and view
    TYPE = auto()  # and design
    MARKET_LEVEL = auto()  # prices and activity of the region, against what is usual there
    SEASON = auto()


class Reason(Struct, frozen=True):
    """What makes a home dearer or cheaper than one typical of its region."""

    group: ReasonGroup
    effect_log: Annotated[
        float,
        Meta(
            description="the champion's log price, less that with the group as usual in the region"
        ),
    ]


class What(StrEnum):
    """What can be another thing than it was when the superseded prediction was made."""

    HOME = auto()  # the listing was amended
    TIME = auto()  # the new offer is of another time
    MARKET = auto()  # what was sold and listed in the region since
    REGION_LEVEL = auto()  # the region's correction has learned from sales since
    MODEL = auto()  # another version answered
    CORRECTOR = auto()  # another version corrected, with its guard
    STEP = auto()  # another rung of the ladder answered
    ARM = auto()


class Change(Struct, frozen=True):
    """One thing that is not as it was."""

    what: What
    before: Annotated[
        str | None, Meta(description="version, step or arm; labels learned, of a region's level")
    ] = None
    after: str | None = None
    features: Annotated[
        tuple[str, ...], Meta(description="those that differ, of home, time and market")
    ] = ()


class Versions(Struct, frozen=True):
    champion: Annotated[
        str | None, Meta(description="the offline model that answered; `step` says in which role")
    ]
    corrector: str | None  # null until the market's first version
    feature_set: str  # hash of the feature names in order


class Prediction(Struct, frozen=True, kw_only=True):
    """The price of one listing, as served. Key of the record: `listing_id`."""

    prediction_id: Annotated[str, Meta(description="deterministic: same event, same id")]
    event_id: str
    listing_id: str
    revision: int
    market: str
    region: str
    event_time_ms: int
    source_partition: int
    source_offset: Annotated[int, Meta(description="of the listing in housing.events")]
    trace_id: str | None
    currency: str
    price: Annotated[float | None, Meta(description="null when nothing can be said")]
    price_low: Annotated[float | None, Meta(description="lower end of the 90 % interval")]
    price_high: Annotated[float | None, Meta(description="upper end of the 90 % interval")]
    step: Step
    quality: Quality
    quality_reasons: tuple[QualityReason, ...]
    quality_details: Annotated[
        tuple[str, ...], Meta(description="features and fields that the marks mean, 8 at most")
    ] = ()
    components: Components
    reasons: Annotated[
        tuple[Reason, ...],
        Meta(
            description="the 3 greatest effects; none without a champion or a typical home, or in overload"
        ),
    ] = ()
    versions: Versions
    features: Annotated[
        tuple[float | None, ...], Meta(description="in the order of core/features.py")
    ]
    feature_age_ms: Annotated[
        int | None, Meta(description="since the region's newest sale, in event time")
    ]
    supersedes: Annotated[str | None, Meta(description="prediction_id it takes the place of")]
    changed: Annotated[
        tuple[Change, ...], Meta(description="since the superseded one; nothing else has")
    ] = ()
    moved_log: Annotated[
        float | None, Meta(description="log price less that of the superseded one")
    ] = None
    arm: Arm = Arm.CHAMPION


class Outcome(Struct, frozen=True, kw_only=True):
    """A served prediction joined with its sale. Key of the record: `market`."""

    prediction_id: str
    listing_id: str
    market: str
    region: str
    source: Annotated[str, Meta(description="who reported the sale")]
    sale_event_id: str
    sale_revision: Annotated[int, Meta(description="0, or the number of the correction")]
    corrects: Annotated[bool, Meta(description="an outcome of this sale was published before")]
    teaches: Annotated[
        bool, Meta(description="false while its publisher, or the listing's, is doubted")
    ] = True
    listed_ms: int
    sold_ms: int
    sale_price: float
    price: float | None
    price_low: float | None
    price_high: float | None
    step: Step
    late: bool
    area_m2: float
    property_type: str
    components: Components
    versions: Versions
    region_scale: Annotated[
        float | None, Meta(description="mean |log residual| of the region, as served")
    ]
    segment_factor: Annotated[
        float, Meta(description="of the interval: price band and property type, as served")
    ] = 1.0
    region_factor: Annotated[
        float,
        Meta(description="of the interval: errors of the region, 1 is its market's, as served"),
    ] = 1.0
    active_champion: Annotated[str | None, Meta(description="version active at the sale")]
    active_residual_log: Annotated[
        float | None,
        Meta(description="log sale price less the active champion's, on the served features"),
    ]
    active_replaced: Annotated[
        str | None, Meta(description="whose place that champion took; null: not measured")
    ] = None
    active_shift_log: Annotated[
        float, Meta(description="the market's log prices moved by so much with that")
    ] = 0.0
    features: tuple[float | None, ...]
    arm: Arm = Arm.CHAMPION
