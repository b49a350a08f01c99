"""The log served again gives what was served, and with something else it begins where it is told."""

import math
import statistics
from collections.abc import Sequence

import msgspec
import pytest

from offline import difference, replay
from offline.learning import Learning
from offline.replay import Change, Here, Placed, Served, Way
from stream_app.contract.predictions import Prediction
from stream_app.contract.topics import OUTCOMES, PREDICTIONS
from tests import builders, sales
from tests.builders import MARKET
from tests.fakes.champion import FakeChampion
from tests.served_log import PARTITIONS, SECOND, ServedLog, served, served_log


@pytest.fixture(scope="module")
def log() -> ServedLog:
    return served_log()


def run(
    log: ServedLog,
    *changes: Change | None,
    begins: Here = lambda placed: True,
    ends: Here = lambda placed: False,
) -> list[Served]:
    way = Way(MARKET, log.partitions(), log.lineups())
    return list(replay.replay(log.partitions(), way, changes, begins, ends))


def said(found: Sequence[Served], way: int = 0) -> dict[str, Prediction]:
    """By listing."""
    answers = [a for each in found for a in difference.predictions(each.outputs[way], MARKET)]
    return {answer.listing_id: answer for answer in answers}


def at(partition: int, offset: int) -> Here:
    return lambda placed: placed.partition == partition and placed.line.record.offset >= offset


def check_as_served(log: ServedLog, way: Way) -> None:
    found = list(replay.replay(log.partitions(), way, [None]))
    outputs = [output for each in found for output in each.outputs[0]]
    for topic in (PREDICTIONS, OUTCOMES):
        assert served(outputs, topic) == served(log.outputs, topic)


def test_a_replay_as_served_gives_what_was_served_to_the_bit(log: ServedLog) -> None:
    assert len(log.correctors) >= 2
    check_as_served(log, Way(MARKET, log.partitions(), log.lineups()))


def test_the_law_catches_a_lineup_that_is_taken_too_late(log: ServedLog) -> None:
    """Planted: the last change of a partition is overlooked."""
    overlooked = {n: found[:-1] for n, found in log.lineups().items()}

    with pytest.raises(AssertionError):
        check_as_served(log, Way(MARKET, log.partitions(), overlooked))


def test_a_file_is_dealt_to_partitions_as_publishers_do() -> None:
    partitions = replay.dealt(sales.partition(sales.events(20)), "housing.events", PARTITIONS)

    for partition in partitions:
        lines = list(partition.lines)
        assert [line.record.offset for line in lines] == list(range(len(lines)))
    assert sum(len(list(p.lines)) for p in partitions) == 40


def test_another_champion_serves_from_the_start_of_the_range_on(log: ServedLog) -> None:
    found = run(log, None, Change(FakeChampion("v9", 8.0)), begins=at(0, 200))

    before, after = said(found, 0), said(found, 1)
    assert before.keys() == after.keys()
    assert {a.versions.champion for a in after.values()} == {"v9"}
    assert {a.versions.champion for a in before.values()} == {"v1", "v2"}
    assert len(before) < 600  # what lies before the range is not told


def test_its_corrector_learns_from_its_own_sales(log: ServedLog) -> None:
    low = run(log, Change(FakeChampion("low", 7.0)))

    last = list(said(low).values())[-1]
    assert last.versions.corrector is not None
    assert last.components.market_correction > 0.2  # this champion is far too low


def test_with_nothing_changed_prices_differ_only_by_when_versions_serve(log: ServedLog) -> None:
    found = run(log, None, Change())

    before, after = said(found, 0), said(found, 1)
    moved = [abs(math.log(after[k].price or 0) - math.log(before[k].price or 0)) for k in before]
    assert statistics.median(moved) < 0.01


def test_a_source_that_is_left_out_teaches_nothing() -> None:
    plain = served_log()
    poisoned = msgspec.structs.replace
    events = [
        poisoned(e, source="liar", sale_price=e.sale_price * 1.3)
        if hasattr(e, "sale_price") and int(e.listing_id[3:]) % 4 == 0
        else e
        for e in plain.events
    ]
    lied = plain._replace(events=events)

    found = run(lied, Change(), Change(without_source="liar"))

    with_it, without = said(found, 0), said(found, 1)
    outcomes = [o for each in found for o in each.outputs[1] if o.topic is OUTCOMES]
    assert len(outcomes) == 450  # of 600 sales the liar told 150
    newest = list(without)[-50:]
    risen = [math.log((with_it[k].price or 0) / (without[k].price or 1)) for k in newest]
    assert sum(risen) / len(risen) > 0.005  # its prices were 30 % too high


def test_a_corrector_that_is_rewound_begins_with_what_it_had_learned(log: ServedLog) -> None:
    learning = Learning()

    fresh, learned = run(log, Change(SECOND, learning=learning), Change(SECOND), begins=at(0, 250))[
        0
    ].outputs

    first_of = [difference.predictions(outputs, MARKET)[0] for outputs in (fresh, learned)]
    assert [answer.versions.corrector is None for answer in first_of] == [True, False]
    assert learning.newest is None  # the way goes on with a copy


def test_the_range_ends_before_the_first_record_that_is_beyond(log: ServedLog) -> None:
    found = run(log, None, begins=at(1, 10), ends=at(1, 20))

    taken = [placed for each in found for placed in each.chunk]
    assert [p.line.record.offset for p in taken if p.partition == 1] == list(range(10, 20))


def test_partitions_take_turns_in_the_order_of_the_broker() -> None:
    log = served_log()

    times = [p.line.record.append_time_ms for p in replay.interleaved(log.partitions())]

    assert times == sorted(times)
    assert len(times) == 1_200


def test_a_range_that_nothing_lies_in_gives_nothing(log: ServedLog) -> None:
    def never(placed: Placed) -> bool:
        return placed.line.head.event_time_ms > sales.ENDED_MS + builders.DAY_MS

    assert run(log, None, begins=never) == []
