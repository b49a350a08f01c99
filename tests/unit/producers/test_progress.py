"""Where there is no terminal, a line now and then says how far a replay is."""

from producers.progress import plain_lines
from tests.unit.producers.fakes import FakeClock


def test_lines_come_seldom_and_at_the_end() -> None:
    clock, lines = FakeClock(), list[str]()
    show = plain_lines(total=1_000, resumed_at=0, clock_s=clock, write=lines.append)

    for second in range(1, 11):
        clock.now_s = second
        show(second * 100)

    assert lines == [
        "replay 500 of 1,000, 100 events/s, 5 s left",
        "replay 1,000 of 1,000, 100 events/s, 0 s left",
    ]


def test_the_rate_of_a_resumed_replay_is_that_of_this_run() -> None:
    clock, lines = FakeClock(), list[str]()
    show = plain_lines(total=1_000, resumed_at=900, clock_s=clock, write=lines.append)

    clock.now_s = 10
    show(950)

    assert lines == ["replay 950 of 1,000, 5 events/s, 10 s left"]
