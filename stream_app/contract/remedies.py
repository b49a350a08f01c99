"""What a publisher does about a reject, and a consumer about a degraded answer.

One line for every code. What must hold, and why, stands here only for the codes
that rules.py does not know: those that need the bytes, the record or the ledger.
An example in braces is what is changed of an event that would be accepted; it is
refused with just this code, and a test tries that.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from stream_app.contract.predictions import Doubt, QualityReason
from stream_app.contract.rejects import RejectCode


class Remedy(NamedTuple):
    """One refused example, and how to mend it."""

    example: str
    fix: str


class Suspicion(NamedTuple):
    """When a publisher's word is not learned from, and how that ends."""

    meaning: str
    ends_when: str


class Condition(NamedTuple):
    """What an event must be that no rule about its values can say."""

    must_hold: str
    why: str
    judged_in: str


REMEDIES: Mapping[RejectCode, Remedy] = MappingProxyType(
    {
        RejectCode.TOO_LARGE: Remedy(
            "an event with a description of 1,200,000 bytes",
            "send the fields of the contract only; no event of them comes near",
        ),
        RejectCode.NOT_JSON: Remedy(
            '{"kind": "sale", "sale_price": NaN}',
            "send UTF-8 without a byte order mark; leave a field out where there is no number",
        ),
        RejectCode.SCHEMA_VERSION: Remedy(
            '{"schema_version": 9}', "send version 1, or update the consumer first"
        ),
        RejectCode.KIND: Remedy(
            '{"kind": "sold"}', "send listing, sale, correction, withdrawal or erasure"
        ),
        RejectCode.UNKNOWN_FIELD: Remedy(
            '{"owner_phone": "206-555-0100"}',
            "correct the name, or leave the field out; units stand in the names",
        ),
        RejectCode.SCHEMA: Remedy(
            '{"area_m2": "large"}', "send the type that events.md names, null where it may be"
        ),
        RejectCode.MARKET: Remedy(
            '{"market": "atlantis"}', "send a market of contract/markets.py, or add it there"
        ),
        RejectCode.KEY: Remedy(
            "key kc-98101 on an event of region kc-98178",
            "use the event's region, in UTF-8, as the record's key",
        ),
        RejectCode.PARTITION: Remedy(
            "an event sent by a client that partitions by CRC32",
            "set the partitioner to murmur2 (murmur2_random in librdkafka clients)",
        ),
        RejectCode.FUTURE: Remedy(
            "an event of tomorrow", "set the publisher's clock, and send UTC"
        ),
        RejectCode.TIME: Remedy('{"event_time_ms": 1405296000}', "multiply seconds by 1,000"),
        RejectCode.PRICE: Remedy(
            '{"asking_price": 0}', "leave an unknown asking price out; send a sale when it is paid"
        ),
        RejectCode.AREA: Remedy('{"area_m2": 5500}', "convert square feet to m2: times 0.09290304"),
        RejectCode.ROOMS: Remedy(
            '{"bedrooms": 33, "area_m2": 151}', "correct the number, or leave it out"
        ),
        RejectCode.YEARS: Remedy(
            '{"built_year": 1990, "renovated_year": 1985}',
            "leave renovated_year out when the home never was; 0 is no year",
        ),
        RejectCode.PLACE: Remedy(
            '{"latitude": -122.257, "longitude": 47.5112}',
            "send latitude first and both in degrees, or neither",
        ),
        RejectCode.RANGE: Remedy(
            '{"condition": 10}', "use the scale that events.md names, areas in m2"
        ),
        RejectCode.SOLD_BEFORE_LISTED: Remedy(
            "a sale of 1 May of a home listed on 3 May",
            "send the time of the listing in the listing, that of the sale in the sale",
        ),
        RejectCode.CONFLICT: Remedy(
            "a second event with the listing_id, kind and revision of another, but a new event_id",
            "raise the revision to amend; repeat the event_id to send the same again",
        ),
        RejectCode.OTHER_MARKET: Remedy(
            "a sale with market hdb of a listing with market king-county",
            "send all events of a listing with its own market",
        ),
    }
)

CONDITIONS: Mapping[RejectCode, Condition] = MappingProxyType(
    {
        RejectCode.TOO_LARGE: Condition(
            "at most 1,000,000 bytes",
            "one large event would hold up its partition",
            "contract/wire.py",
        ),
        RejectCode.NOT_JSON: Condition(
            "one JSON value in UTF-8", "nothing else can be read safely", "contract/wire.py"
        ),
        RejectCode.SCHEMA_VERSION: Condition(
            "schema_version is 1, or absent",
            "an unknown version may mean something else by the same name",
            "contract/wire.py",
        ),
        RejectCode.KIND: Condition(
            "kind is one of the five", "it says which fields there are", "contract/wire.py"
        ),
        RejectCode.UNKNOWN_FIELD: Condition(
            "no field beyond those of its kind",
            "it is a typing error, or personal data that must not be here",
            "contract/wire.py",
        ),
        RejectCode.SCHEMA: Condition(
            "required fields are there, and of their type",
            "a guessed value would be priced as if it were known",
            "contract/wire.py",
        ),
        RejectCode.KEY: Condition(
            "the record's key is the event's region",
            "all that concerns a region lies in one partition in one order",
            "stages/intake.py",
        ),
        RejectCode.PARTITION: Condition(
            "the record lies in the partition that murmur2 of its key gives",
            "two partitioners would split a region in two",
            "stages/intake.py",
        ),
        RejectCode.FUTURE: Condition(
            "event_time_ms is at most 5 minutes after the broker took the record",
            "clocks differ by seconds; more would close windows too early",
            "contract/rules.py",
        ),
        RejectCode.SOLD_BEFORE_LISTED: Condition(
            "a sale is not before its listing",
            "a label without a time on the market is a mistake in one of the two",
            "core/labels.py",
        ),
        RejectCode.CONFLICT: Condition(
            "one event per listing_id, kind and revision; the first one stands",
            "two would make the answer depend on which came last",
            "core/labels.py",
        ),
        RejectCode.OTHER_MARKET: Condition(
            "all events of a listing_id name one market, that of the first",
            "a price in another currency would be learned as if it were this one",
            "core/labels.py",
        ),
    }
)

QUALITY_MEANINGS: Mapping[QualityReason, str] = MappingProxyType(
    {
        QualityReason.CHALLENGER_UNUSABLE: "the listing is in the challenger's arm, which says no "
        "price for it",
        QualityReason.NO_CHAMPION: "no champion is active: `step` names what answered instead",
        QualityReason.CHAMPION_UNUSABLE: "the champion says no price for this home: `step` names "
        "what answered instead",
        QualityReason.PREVIOUS_UNUSABLE: "the champion before it says none either",
        QualityReason.NO_REGIONAL_SALES: "no model answered, and the region had no sale to take a "
        "median of",
        QualityReason.NO_INTERVAL: "too few scored sales to promise a coverage",
        QualityReason.LATE: "the event came after its time was closed: windows do not hold it",
        QualityReason.TIME_JUMP: "far ahead of the region's time and unconfirmed so far",
        QualityReason.ALREADY_SOLD: "the sale was seen before the listing",
        QualityReason.REPAIRED: "a number came as text, such as 1,200, and was read as one",
        QualityReason.PUBLISHER_DOUBTED: "its publisher is doubted, see below: the answer is as "
        "good as any, but its events enter no window and teach nothing",
        QualityReason.UNSEEN_CATEGORY: (
            "a type, design, street or region that the model never saw: `quality_details` name it"
        ),
        QualityReason.OUTSIDE_TRAINING: (
            "a number beyond those that the model was trained with: `quality_details` name it"
        ),
        QualityReason.OUT_OF_SCOPE: (
            "the property type or the price is not what the model was made for. Whatever the "
            "marks: no price of this system is made for credit decisions"
        ),
        QualityReason.OVERLOADED: "more came than could be answered in full: the price is as good "
        "as any, and has no reasons",
    }
)

# An example, and who does what about it: the publisher, or whoever runs the models.
QUALITY_REMEDIES: Mapping[QualityReason, Remedy] = MappingProxyType(
    {
        QualityReason.CHALLENGER_UNUSABLE: Remedy(
            "a challenger whose model says no finite number",
            "nothing for a consumer: the champion answered; look at the challenger's checks",
        ),
        QualityReason.NO_CHAMPION: Remedy(
            "the first listing of a market that has no model yet",
            "announce a champion, or read the price as that of a usual home of the region",
        ),
        QualityReason.CHAMPION_UNUSABLE: Remedy(
            "a champion whose model says no finite number",
            "announce another champion, or roll back",
        ),
        QualityReason.PREVIOUS_UNUSABLE: Remedy(
            "the same of the champion before it", "announce another champion"
        ),
        QualityReason.NO_REGIONAL_SALES: Remedy(
            "a listing in a region without a sale in 90 days, and no model",
            "send past sales of the region; until then there is no price",
        ),
        QualityReason.NO_INTERVAL: Remedy(
            "a champion without holdout errors, before the market's tenth sale",
            "train with a holdout, or wait for sales",
        ),
        QualityReason.LATE: Remedy(
            "a listing of Monday that comes on Thursday",
            "send events on the day; a market may allow more lateness",
        ),
        QualityReason.TIME_JUMP: Remedy(
            "a listing of September where the region's newest event is of July",
            "nothing if the date is right: the next event of that time confirms it",
        ),
        QualityReason.ALREADY_SOLD: Remedy(
            "a sale of 13 August, and after it the listing that it sold", "send the listing first"
        ),
        QualityReason.REPAIRED: Remedy('{"area_m2": "1,200"}', "send numbers as numbers"),
        QualityReason.PUBLISHER_DOUBTED: Remedy(
            "a listing of a publisher whose last 15 events were refused",
            "mend what the rejects say: `python -m producers rejects group`",
        ),
        QualityReason.UNSEEN_CATEGORY: Remedy(
            '{"street": "never heard of"}',
            "spell it as before; a new one is known after the next training",
        ),
        QualityReason.OUTSIDE_TRAINING: Remedy(
            '{"area_m2": 4900}',
            "see that the value is right; trust the interval less than usual",
        ),
        QualityReason.OUT_OF_SCOPE: Remedy(
            '{"property_type": "castle"}', "do not rely on the price: the model knows no such homes"
        ),
        QualityReason.OVERLOADED: Remedy(
            "a listing behind some ten thousand others",
            "nothing, it ends by itself; whoever runs the scorers starts more of them",
        ),
    }
)

DOUBTS: Mapping[Doubt, Suspicion] = MappingProxyType(
    {
        Doubt.REJECTS: Suspicion(
            "more than 20 % of its newest events were refused (decayed, half-life 44 events; "
            "judged from 50 events on)",
            "below 10 %: about 150 good events after the worst of bursts",
        ),
        Doubt.FIELD: Suspicion(
            "a field that 75 % of its listings had is in less than 25 % of the newest 16 or so",
            "the field is back in half of them, or some 300 listings have come without it",
        ),
        Doubt.UNIT: Suspicion(
            "the median of its newest 15 sales is off by a factor of 3 or more from what their "
            "regions paid per m2",
            "the median is within a factor of 2: 8 good sales",
        ),
    }
)
