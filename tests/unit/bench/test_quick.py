from bench import quick
from bench.quick import Ratios

KEPT = Ratios(cpu=0.6, rate=0.7)


def test_noise_is_no_loss() -> None:
    assert quick.losses(Ratios(cpu=0.4, rate=0.3), KEPT) == []


def test_twice_the_processor_time_is_a_loss() -> None:
    assert quick.losses(Ratios(cpu=0.29, rate=0.7), KEPT) != []


def test_who_waits_where_nobody_should_is_noticed_by_the_rate() -> None:
    (told,) = quick.losses(Ratios(cpu=0.6, rate=0.1), KEPT)

    assert told == "events a second: 0.10 of the loop by hand, it was 0.70"


def test_to_be_faster_is_no_loss() -> None:
    assert quick.losses(Ratios(cpu=1.2, rate=2.0), KEPT) == []


def test_a_baseline_is_kept() -> None:
    assert 0 < quick.baseline().cpu < 2
