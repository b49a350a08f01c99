"""A replay skips nothing, whenever it stops; it keeps its pace by the clock it is given."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.pace import Pace
from producers.replayer import Replayer, Report, World
from stream_app.contract.events import AnyEvent
from tests import builders
from tests.unit.producers.fakes import Died, FakeClock, FakeSender

NOW_MS = builders.SOLD_MS
EVENTS: Sequence[AnyEvent] = [
    builders.listing(listing_id=f"home-{n}", event_time_ms=builders.LISTED_MS + n * 60_000)
    for n in range(100)
]
IDS = [event.event_id for event in EVENTS]


def run(
    sender: FakeSender,
    pace: Pace | None = None,
    *,
    clock: FakeClock | None = None,
    saved: list[int] | None = None,
    events: Sequence[AnyEvent] = EVENTS,
    position: int = 0,
    refuse: bool = False,
) -> Report:
    """Replay with fakes; `saved` gets every position that was kept."""
    clock = clock or FakeClock()
    world = World(
        clock_s=clock,
        wall_ms=lambda: NOW_MS,
        wait=clock.wait,
        show=lambda position: None,
        save=(saved if saved is not None else []).append,
    )
    return Replayer(events, sender, world, pace or Pace(), position=position, refuse=refuse).run()


def test_every_event_is_sent_once_in_order_and_confirmed() -> None:
    sender, saved = FakeSender(), list[int]()

    report = run(sender, saved=saved)

    assert sender.event_ids == IDS
    assert sender.confirmed == 100
    assert saved[-1] == 100
    assert (report.complete, report.sent) == (True, {"listing": 100})


@settings(derandomize=True, database=None, deadline=None)
@given(
    dies_at=st.integers(0, 99),
    confirm_every=st.integers(1, 20),
    tick_s=st.sampled_from([0.0, 0.3, 2.0]),
)
def test_a_replay_that_dies_anywhere_goes_on_without_skipping(
    dies_at: int, confirm_every: int, tick_s: float
) -> None:
    dying, saved = FakeSender(confirm_every, dies_at), [0]
    with pytest.raises(Died):
        run(dying, Pace(per_s=10), clock=FakeClock(tick_s=tick_s), saved=saved)
    heir, place = FakeSender(), saved[-1]

    run(heir, saved=saved, position=place)

    # Repeats (between the place and the death) are allowed, gaps and another order are not.
    assert place <= dying.confirmed <= len(dying.event_ids) == dies_at
    assert dying.event_ids[:place] + heir.event_ids == IDS
    assert saved == sorted(saved)
    assert saved[-1] == 100


def check_resumes(saved_position: int, dying: FakeSender) -> None:
    """Nothing that the dead replay had not confirmed may be skipped."""
    heir = FakeSender()
    run(heir, position=saved_position)
    assert set(dying.event_ids[: dying.confirmed]) | set(heir.event_ids) == set(IDS)


def test_the_check_catches_a_position_that_counts_what_was_sent_and_not_what_was_confirmed() -> (
    None
):
    dying, saved = FakeSender(confirm_every=20, dies_at=50), [0]
    with pytest.raises(Died):
        run(dying, Pace(per_s=10), clock=FakeClock(tick_s=2.0), saved=saved)

    check_resumes(saved[-1], dying)
    with pytest.raises(AssertionError):
        check_resumes(len(dying.event_ids), dying)


def test_told_to_stop_it_confirms_what_it_sent_and_keeps_the_place() -> None:
    sender, saved = FakeSender(confirm_every=20), list[int]()

    report = run(sender, Pace(per_s=10), clock=FakeClock(stop_at_s=3.05), saved=saved)

    assert not report.complete
    assert saved[-1] == report.position == sender.confirmed == len(sender.event_ids)
    assert 25 <= report.position <= 35


def test_at_full_speed_it_looks_often_enough_to_be_stopped() -> None:
    report = run(FakeSender(), clock=FakeClock(tick_s=0.1, stop_at_s=5))

    assert not report.complete
    assert report.position % 64 == 0


def test_a_rate_is_kept_and_the_waits_are_short() -> None:
    clock = FakeClock()

    report = run(FakeSender(), Pace(per_s=2), clock=clock)

    assert report.seconds == pytest.approx(99 / 2)
    assert max(clock.waits) <= 0.25


def test_times_real_time_follows_the_event_times() -> None:
    report = run(FakeSender(), Pace(times_real=60))

    assert report.seconds == pytest.approx(99)


def test_a_resumed_replay_paces_from_where_it_goes_on() -> None:
    report = run(FakeSender(), Pace(times_real=60), position=90)

    assert report.seconds == pytest.approx(9)
    assert (report.resumed_at, report.sent) == (90, {"listing": 10})


def test_a_complete_replay_sends_nothing_more() -> None:
    sender = FakeSender()

    report = run(sender, position=100)

    assert sender.event_ids == []
    assert report.complete
    assert report.per_s == 0


def with_a_bad_one(at: int) -> list[AnyEvent]:
    events = list(EVENTS)
    events[at] = builders.listing(listing_id="tiny", area_m2=3.0)
    return events


def test_an_event_against_the_rules_is_sent_for_the_scorer_to_reject() -> None:
    sender = FakeSender()

    report = run(sender, events=with_a_bad_one(50))

    assert len(sender.event_ids) == 100
    assert (report.against_rules, report.refused) == ({"area": 1}, 0)


@pytest.mark.parametrize("at", [0, 50, 99], ids=["first", "within", "last"])
def test_refuse_keeps_it_back_and_the_position_counts_it(at: int) -> None:
    sender, saved = FakeSender(), list[int]()

    report = run(sender, events=with_a_bad_one(at), refuse=True, saved=saved)

    assert len(sender.event_ids) == 99
    assert (report.against_rules, report.refused) == ({"area": 1}, 1)
    assert saved[-1] == report.position == 100


def test_positions_kept_meanwhile_never_pass_an_unconfirmed_event() -> None:
    sender, saved = FakeSender(confirm_every=7, dies_at=60), list[int]()

    with pytest.raises(Died):
        run(
            sender,
            Pace(per_s=10),
            clock=FakeClock(tick_s=0.5),
            events=with_a_bad_one(3),
            refuse=True,
            saved=saved,
        )

    # One refused event stands before them, so 7 confirmed ones end at place 8.
    assert all((position - 1) % 7 == 0 for position in saved if position)
    assert all(earlier <= later for earlier, later in pairwise(saved))


def test_events_of_the_future_are_counted_as_such() -> None:
    tomorrow = builders.listing(event_time_ms=NOW_MS + builders.DAY_MS)

    assert run(FakeSender(), events=[tomorrow]).against_rules == {"future": 1}


def test_a_replay_of_nothing_is_complete() -> None:
    assert run(FakeSender(), events=[]).complete
