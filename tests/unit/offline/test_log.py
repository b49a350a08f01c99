"""Events come in order, whatever they are kept in."""

import sys
from pathlib import Path

import pytest

from offline import log
from offline.faults import BrokerAway
from stream_app.contract.settings import KafkaSettings
from tests import builders
from tests.builders import DAY_MS, SOLD_MS, listing, sale

EVENTS = [builders.listing(), builders.sale(), builders.listing(listing_id="kc-2")]


def test_a_file_is_a_log_of_one_partition(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\n".join(map(builders.raw, EVENTS)) + b"\n\n")

    partition = log.of_file(path)

    records = [line.record for line in partition.lines]
    assert (partition.number, partition.partitions) == (0, 1)
    assert [r.offset for r in records] == [0, 1, 2]
    assert [r.value for r in records] == list(map(builders.raw, EVENTS))
    assert [r.append_time_ms for r in records] == [e.event_time_ms for e in EVENTS]
    assert {r.key for r in records} == {builders.REGION.encode()}


def test_a_line_that_is_no_event_is_left_for_the_step_to_reject() -> None:
    (line,) = log.of_lines([b"[" * 100_000]).lines

    assert line.head == log.Head()


def test_a_line_that_the_step_repairs_is_known_by_what_it_will_be() -> None:
    sent = builders.raw(builders.listing())
    as_text = sent.replace(str(builders.LISTED_MS).encode(), b'"%d"' % builders.LISTED_MS)
    (good,), (repaired,) = log.of_lines([sent]).lines, log.of_lines([as_text]).lines

    assert as_text != sent
    assert repaired.head == good.head
    assert repaired.record.key == good.record.key


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(log.LogUnreadable, match=r"none\.jsonl: no such file"):
        log.of_file(tmp_path / "none.jsonl")


def test_a_conversion_that_fails_is_no_short_log() -> None:
    values = log._output_of([sys.executable, "-c", "print('{}'); raise SystemExit(3)"])

    with pytest.raises(log.LogUnreadable, match="exit status 3"):
        list(values)


def test_a_broker_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_ANSWER_S", 0.5)

    with pytest.raises(BrokerAway, match=r"127\.0\.0\.1:1"):
        log.of_topic(KafkaSettings(bootstrap_servers="127.0.0.1:1"))


def test_a_batch_ends_where_it_is_full_or_a_boundary_lies() -> None:
    listings = [builders.listing(listing_id=str(n), event_time_ms=n) for n in range(1_200)]
    partition = log.of_lines(map(builders.raw, listings))

    cut = log.batches(partition, boundary=lambda head: head.event_time_ms >= 700)

    assert [len(each.heads) for each in cut] == [500, 200, 500]


def test_events_that_are_not_wanted_leave_no_gap_in_the_batch() -> None:
    partition = log.of_lines(map(builders.raw, EVENTS))

    (cut,) = log.batches(partition, wanted=lambda head: head.listing_id == "kc-2")

    assert [record.offset for record in cut.batch.records] == [2]
    assert [head.listing_id for head in cut.heads] == ["kc-2"]


def test_partitions_merge_in_the_order_of_event_time() -> None:
    one = log.of_lines([builders.raw(builders.listing(event_time_ms=at)) for at in (1, 5)])
    two = log.of_lines([builders.raw(builders.listing(event_time_ms=at)) for at in (2, 3)])

    lines = list(log.merged([one, two]).lines)

    assert [line.head.event_time_ms for line in lines] == [1, 2, 3, 5]
    assert [line.record.offset for line in lines] == [0, 1, 2, 3]


@pytest.mark.parametrize("redated", [False, True], ids=["late", "redated"])
def test_sales_that_become_known_later_come_later_and_nothing_else_moves(redated: bool) -> None:
    early, late = listing(), listing(listing_id="kc-2", event_time_ms=SOLD_MS + 5 * DAY_MS)
    told = log.of_lines(map(builders.raw, (early, sale(), late)))

    lines = list(log.with_late_sales(told, 30 * DAY_MS, redated=redated).lines)

    assert [line.head.kind for line in lines] == ["listing", "listing", "sale"]
    assert [line.record.offset for line in lines] == [0, 1, 2]
    assert lines[-1].record.append_time_ms == SOLD_MS + 30 * DAY_MS
    assert lines[-1].head.event_time_ms == SOLD_MS + (30 * DAY_MS if redated else 0)


def test_a_sale_comes_before_what_happens_after_it_became_known() -> None:
    after = listing(listing_id="kc-2", event_time_ms=SOLD_MS + 31 * DAY_MS)
    told = log.of_lines(map(builders.raw, (sale(), after)))

    lines = log.with_late_sales(told, 30 * DAY_MS).lines

    assert [line.head.kind for line in lines] == ["sale", "listing"]


def test_a_sale_that_cannot_be_read_is_left_as_it_is() -> None:
    raw = b'{"kind":"sale","region":"kc-98178","event_time_ms":1405296000000}'

    (line,) = log.with_late_sales(log.of_lines([raw]), DAY_MS, redated=True).lines

    assert line.record.value == raw


def test_without_a_delay_the_log_is_as_it_was() -> None:
    told = log.of_lines([builders.raw(sale())])

    assert log.with_late_sales(told, 0).lines is told.lines
