"""A pre-flight measures on mature labels, and says how sure it is."""

import argparse

import msgspec
import numpy as np
import pytest

from offline import preflight, preflight_command
from offline.announced import Announced
from offline.difference import SoldTwice
from offline.settings import OfflineSettings
from offline.splits import NotEnough
from stream_app.contract.alerts import PreflightMeasured
from stream_app.contract.settings import KafkaSettings
from tests import sales
from tests.builders import DAY_MS, MARKET
from tests.served_log import served_log


def test_the_newest_mature_listings_are_judged() -> None:
    sold = sales.rows()

    span = preflight.span(sold, labels=200)

    judged = (sold.listed_ms >= span.from_ms) & (sold.listed_ms <= span.to_ms)
    assert 200 <= judged.sum() <= 204  # those listed at the same moment are not torn apart
    assert span.to_ms == sold.sold_ms.max() - sales.SOLD_AFTER_DAYS * DAY_MS


def test_too_few_mature_labels_are_refused() -> None:
    few = sales.rows().take(np.arange(sales.HOMES) < 100)

    with pytest.raises(NotEnough, match="mature labels, 500 are wanted"):
        preflight.span(few)


def test_labels_of_too_short_a_time_are_refused() -> None:
    every = sales.rows()
    short = every.take(every.listed_ms < every.listed_ms.min() + 20 * DAY_MS)

    with pytest.raises(NotEnough, match="weeks, 4 are wanted"):
        preflight.span(short, labels=20)


def test_four_weeks_are_judged_where_fewer_days_have_the_labels() -> None:
    found = preflight.span(sales.rows(), labels=20)

    assert found.to_ms + 1 - found.from_ms == preflight.WEEKS * preflight.WEEK_MS


def test_no_label_at_all_is_refused() -> None:
    none = sales.rows().take(np.zeros(sales.HOMES, dtype=np.bool_))

    with pytest.raises(NotEnough, match="0 mature labels, 500 are wanted"):
        preflight.span(none)


ENDED_MS = 105 * DAY_MS - 1  # whole weeks


def sold(before_log: float, after_log: float, noise: float, homes: int = 400) -> list[SoldTwice]:
    """Answers that are off by so much, and by noise that both share."""
    drawn = np.random.default_rng(3).normal(0, noise, (homes, 2))
    return [
        SoldTwice(
            f"kc-{place}",
            place * DAY_MS // 4,
            100.0,
            100.0 * float(np.exp(before_log + first)),
            100.0 * float(np.exp(after_log + second)),
        )
        for place, (first, second) in enumerate(drawn)
    ]


def test_a_model_that_is_nearer_saves_and_the_interval_says_so() -> None:
    found = preflight.saving(sold(0.10, 0.05, 0.005), ENDED_MS)

    assert found.saving_log == pytest.approx(0.05, abs=0.002)
    assert 0.04 < found.saving_low_log < found.saving_log < found.saving_high_log < 0.06
    assert (found.labels, found.day_blocks) == (400, 15)


def test_an_interval_of_models_that_are_as_good_holds_zero() -> None:
    found = preflight.saving(sold(0.0, 0.0, 0.1), ENDED_MS)

    assert found.saving_low_log < 0 < found.saving_high_log


def test_the_interval_is_wider_where_whole_weeks_are_off_together() -> None:
    plain = sold(0.10, 0.10, 0.02)
    weekly = [
        s._replace(after=s.after * (0.93 if s.listed_ms // (7 * DAY_MS) % 2 else 1.07))
        for s in plain
    ]

    def width(found: preflight.Saving) -> float:
        return found.saving_high_log - found.saving_low_log

    assert width(preflight.saving(weekly, ENDED_MS)) > 3 * width(preflight.saving(plain, ENDED_MS))


def test_homes_of_one_week_alone_are_refused() -> None:
    with pytest.raises(NotEnough, match="20 labels of one week"):
        preflight.saving(sold(0.10, 0.05, 0.02, homes=20), 5 * DAY_MS)


def test_few_weeks_that_agree_by_chance_are_believed_less_than_many() -> None:
    def relative(weeks: int) -> float:
        low, high = preflight.interval(np.tile([0.01, 0.03], weeks), np.repeat(np.arange(weeks), 2))
        return high - low

    unequal = np.array([0.0, 0.02] * 4), np.arange(8)
    assert relative(2) == pytest.approx(0.0)  # equal weeks leave no doubt ...
    few = preflight.interval(unequal[0][:2], unequal[1][:2])
    many = preflight.interval(*unequal)
    assert few[1] - few[0] > 10 * (many[1] - many[0])  # ... two that differ leave a great one


def test_the_command_serves_the_newest_labels_again_with_a_retrained_champion(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = served_log(900)  # enough to train on before the newest
    monkeypatch.setattr("offline.served.by_partition", lambda kafka, numbers, load: log.lineups())
    now = Announced(MARKET, aliases={"champion": "v2"})
    monkeypatch.setattr("offline.announced.read", lambda kafka, market: now)
    given = argparse.Namespace(market=MARKET, labels=80)

    found = preflight_command.run(given, KafkaSettings(), OfflineSettings(), log.partitions())

    # Exactly what the worker passes on.
    measured = msgspec.convert(
        {**found, "kind": "preflight_measured", "request_id": "p-1", "measured_ms": 0},
        PreflightMeasured,
    )
    assert (measured.champion, measured.day_blocks) == ("v2", preflight.WEEKS)
    assert measured.labels >= 80
    assert measured.served_error_log < 0.08  # the market's noise is 0.04
    saving = measured.served_error_log - measured.retrained_error_log
    assert measured.saving_log == pytest.approx(saving)
    assert measured.saving_low_log < saving < measured.saving_high_log
