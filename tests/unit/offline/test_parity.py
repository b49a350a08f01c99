"""Rebuilt features are those that were served, on every row to the bit; one that is not is found."""

import math
from collections.abc import Iterable, Sequence

import msgspec
import pytest

from offline import parity
from offline.parity import Certificate, Compared, Row, Scope
from offline.parity_rows import Sides, compare_partition, rebuilt
from stream_app.contract.events import AnyEvent
from stream_app.contract.models import Policy
from stream_app.core.features import NAMES
from stream_app.stages import scorer
from stream_app.stages.step import Serving, Step
from tests import builders, replay, sales
from tests.fakes.champion import FakeChampion

EVERYTHING = Scope(sales.MARKET)


def some() -> list[AnyEvent]:
    """Listings, one amended, one erased, and sales; one event of another market, one of none."""
    home = sales.events(40)
    last_ms = home[-1].event_time_ms
    return [
        *home,
        builders.listing(listing_id="kc-3", region="kc-0", revision=1, event_time_ms=last_ms),
        builders.listing(listing_id="hdb-1", market="hdb", region="hdb-1", event_time_ms=last_ms),
        builders.listing(listing_id="kc-9", region="kc-0", area_m2=-1.0, event_time_ms=last_ms),
        builders.erasure(listing_id="kc-6", region="kc-0", event_time_ms=last_ms),
    ]


def served_by_a_worker(events: Iterable[AnyEvent], policy: Policy = Policy()) -> list[Row]:  # noqa: B008
    """What a scorer with a champion put on the topic, in batches of its own."""
    serving = {sales.MARKET: Serving(FakeChampion(), policy=policy)}
    pieces = replay.cut(replay.records(events), [1, 7, 2, 30])
    outputs = replay.run(scorer.advance, pieces, serving).outputs
    return [row for row in rebuilt(Step(tuple(outputs), {}, 0)) if row.features is not None]


def certified(
    events: Sequence[AnyEvent], served: Sequence[Row], scope: Scope = EVERYTHING
) -> Certificate:
    partition = sales.partition(list(events))
    return _certify(
        scope, compare_partition(scope, Sides(partition, tuple(served)), lambda n: None)
    )


def _certify(scope: Scope, *found: Compared) -> Certificate:
    return parity.certify(scope, found, "topic", {})


def counts(certificate: Certificate) -> dict[str, int]:
    values = msgspec.structs.asdict(certificate)
    names = ("not_rebuilt", "not_served", "superseded", "not_yet_served", "other_feature_set")
    return {name: values[name] for name in ("different", *names) if values[name]}


def test_what_a_worker_served_is_rebuilt_to_the_bit() -> None:
    found = certified(some(), served_by_a_worker(some()))

    assert found.verdict == "equal"
    assert (found.compared, found.equal, counts(found)) == (41, 41, {})
    assert found.partitions[0].read.end_offset == len(some())


def test_one_feature_that_is_off_by_one_unit_in_the_last_place_is_found() -> None:
    served = served_by_a_worker(some())
    features = list(served[7].features or ())
    place = NAMES.index("home_log_area")
    was = features[place]
    assert was is not None
    features[place] = math.nextafter(was, math.inf)
    served[7] = served[7]._replace(features=tuple(features))

    found = certified(some(), served)

    assert (found.verdict, found.different, found.equal) == ("different", 1, 40)
    (difference,) = found.differences
    assert (difference.feature, difference.served, difference.rebuilt) == (
        "home_log_area",
        features[place],
        was,
    )
    assert (difference.offset, difference.listing_id) == (served[7].offset, served[7].listing_id)


@pytest.mark.parametrize("skewed", [-0.0, None], ids=["minus zero", "null"])
def test_a_zero_is_no_minus_zero_and_no_null(skewed: float | None) -> None:
    served = served_by_a_worker(some())
    features = list(served[0].features or ())
    place = NAMES.index("home_basement_m2")
    assert features[place] == 0.0
    features[place] = skewed

    found = certified(some(), [served[0]._replace(features=tuple(features)), *served[1:]])

    assert [d.feature for d in found.differences] == ["home_basement_m2"]


def test_another_policy_than_the_active_one_is_found() -> None:
    """The planted skew that a replay with the default policy would have."""
    base = builders.LISTED_MS
    times = [base, base + builders.DAY_MS, base + builders.DAY_MS - 1, base + builders.DAY_MS]
    given: list[AnyEvent] = [
        builders.listing(listing_id=str(n), event_time_ms=at) for n, at in enumerate(times)
    ]
    strict = Policy(listing_late_h=0)
    served = served_by_a_worker(given, strict)
    partition = sales.partition(given)
    lines = [line._replace(policies={sales.MARKET: strict}) for line in partition.lines]

    by_default = certified(given, served)
    as_active = _certify(
        EVERYTHING,
        compare_partition(
            EVERYTHING, Sides(partition._replace(lines=lines), tuple(served)), lambda n: None
        ),
    )

    assert (by_default.verdict, as_active.verdict) == ("different", "equal")
    assert by_default.differences[0].feature.startswith("region_listings")


def test_what_was_served_twice_or_out_of_nothing_is_found() -> None:
    served = [row for row in served_by_a_worker(some()) if row.market == sales.MARKET]
    made_up = served[-1]._replace(offset=served[-1].offset + 100)

    found = certified(some(), [served[0], *served, made_up])

    assert (found.verdict, counts(found)) == ("different", {"not_rebuilt": 2})
    assert found.missing[0].offset == served[0].offset


def test_what_was_not_served_is_found_and_the_tail_is_only_counted() -> None:
    served = served_by_a_worker(some())

    found = certified(some(), [*served[:5], *served[6:-3]])

    assert counts(found) == {"not_served": 1, "not_yet_served": 2}  # and one of another market
    assert (found.missing[0].listing_id, found.verdict) == (served[5].listing_id, "different")


def test_what_compaction_and_erasure_took_away_is_no_fault() -> None:
    served = served_by_a_worker(some())
    erased, amended = {"kc-6"}, {"kc-3"}
    newest = {row.listing_id: row for row in served}
    left = [
        row
        for row in served
        if row.listing_id not in erased
        and (row.listing_id not in amended or row is newest[row.listing_id])
    ]

    found = certified(some(), left)

    assert (found.verdict, counts(found)) == ("equal", {"superseded": 2})


def test_rows_of_another_feature_set_are_counted_and_not_compared() -> None:
    served = [row._replace(feature_set="older") for row in served_by_a_worker(some())]

    found = certified(some(), served)

    assert (found.verdict, counts(found)) == ("nothing to compare", {"other_feature_set": 41})


def test_a_sample_draws_the_same_listings_on_both_sides() -> None:
    served = served_by_a_worker(some())

    found = certified(some(), served, Scope(sales.MARKET, share=0.4))

    assert 5 < found.compared < 30
    assert (found.verdict, counts(found)) == ("equal", {})
    wrong = [row._replace(features=(None,) * len(NAMES)) for row in served]
    assert certified(some(), wrong, Scope(sales.MARKET, share=0.4)).different == found.compared


def test_rows_before_an_offset_are_left_out() -> None:
    served = served_by_a_worker(some())
    from_offset = served[30].offset

    found = certified(some(), served[30:], Scope(sales.MARKET, from_offset=from_offset))

    assert (found.verdict, found.compared) == ("equal", 11)


def test_the_hash_of_a_certificate_follows_all_of_it() -> None:
    served = served_by_a_worker(some())

    one, same = certified(some(), served), certified(some(), served)
    other = certified(some(), served[:-1])

    assert one.sha256 == same.sha256 != other.sha256
    assert len(one.sha256) == 64
