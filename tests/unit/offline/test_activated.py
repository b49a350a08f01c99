"""A log that was served is replayed with the policies that were active."""

from offline import activated, dataset, log
from offline.activated import PolicySince
from offline.log import Line
from stream_app.contract import wire
from stream_app.contract.models import Activated, Policy
from stream_app.stages.step import Record
from tests import builders, sales
from tests.builders import DAY_MS, LISTED_MS

STRICT = Policy(listing_late_h=0)


def change(from_offset: int, policy: Policy, market: str = sales.MARKET) -> bytes:
    return wire.encode(
        Activated(
            partition=0,
            from_offset=from_offset,
            market=market,
            champion=None,
            corrector=f"k{from_offset}",
            policy=policy,
        )
    )


def test_only_changes_of_the_policy_are_spans() -> None:
    found = activated.spans(
        [change(0, Policy()), change(3, Policy()), change(5, STRICT), change(5, STRICT, "hdb")]
    )

    assert found == [
        PolicySince(0, sales.MARKET, Policy()),
        PolicySince(5, sales.MARKET, STRICT),
        PolicySince(5, "hdb", STRICT),
    ]


def test_each_record_has_what_held_for_it() -> None:
    records = [Record(offset, b"", b"", 0) for offset in (0, 4, 5, 9)]
    changes = [PolicySince(1, "hdb", STRICT), PolicySince(5, "king-county", STRICT)]

    found = [dict(policies) for _, policies in activated.along(records, changes)]

    both = {"hdb": STRICT, "king-county": STRICT}
    assert found == [{}, {"hdb": STRICT}, both, both]


def test_a_batch_ends_where_another_policy_begins() -> None:
    lines = _lines(changed_from=2)

    cuts = list(log.batches(log.Partition("events", 0, 1, lines)))

    assert [len(cut.heads) for cut in cuts] == [2, 2]
    assert [dict(cut.policies) for cut in cuts] == [{}, {sales.MARKET: STRICT}]


def test_what_was_late_follows_the_active_policy() -> None:
    served_so = dataset.collect([log.Partition("events", 0, 1, _lines(0))], sales.MARKET, 2**52)
    by_default = dataset.collect([log.Partition("events", 0, 1, _lines(9))], sales.MARKET, 2**52)

    assert served_so.counts["listing:late"] == 1
    assert "listing:late" not in by_default.counts
    assert served_so.read[0].policies == (PolicySince(0, sales.MARKET, STRICT),)
    assert by_default.read[0].policies == ()


def _lines(changed_from: int) -> list[Line]:
    """Four listings, the last one an hour behind the others."""
    times = (LISTED_MS, LISTED_MS + DAY_MS, LISTED_MS + DAY_MS, LISTED_MS + DAY_MS - 3_600_000)
    events = [builders.listing(listing_id=str(n), event_time_ms=at) for n, at in enumerate(times)]
    partition = log.of_lines(map(builders.raw, events))
    strict = {sales.MARKET: STRICT}
    return [
        line._replace(policies=strict) if line.record.offset >= changed_from else line
        for line in partition.lines
    ]
