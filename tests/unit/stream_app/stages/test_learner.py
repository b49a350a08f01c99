"""The learner on a handful of outcomes: what it learns, judges and announces."""

import math
from collections.abc import Iterable

import msgspec
import pytest

from stream_app.contract import wire
from stream_app.contract.models import CorrectorAnnounced
from stream_app.contract.predictions import Components, Outcome, Step
from stream_app.contract.rejects import InvariantBroken
from stream_app.contract.topics import LEARNER_STATE, MODELS, OUTCOMES
from stream_app.core.features import NAMES
from stream_app.scoring.corrector import FEATURES, frozen_market
from stream_app.scoring.interval import SCORES_KEPT
from stream_app.stages import learner
from stream_app.stages.learner import LAYOUT, VERSION_LABELS, Market
from stream_app.stages.step import Output, Record, read_control
from tests import messages, replay
from tests.builders import MARKET, SOLD_MS
from tests.replay import Ran

ROW = tuple(float(place % 5) for place in range(len(NAMES)))
CHAMPION_LOG = math.log(200_000.0)


def sold(log_error: float = 0.1, **changes: object) -> Outcome:
    """A home sold at `log_error` above the champion's price, which was served uncorrected."""
    return messages.outcome(
        **{
            "price": 200_000.0,
            "sale_price": math.exp(CHAMPION_LOG + log_error),
            "components": Components(None, CHAMPION_LOG, 0.0, 0.0, 1.0),
            "active_residual_log": log_error,
            "features": ROW,
            **changes,
        }
    )


def records(outcomes: Iterable[Outcome]) -> list[Record]:
    return [
        Record(offset, outcome.market.encode(), wire.encode(outcome), outcome.sold_ms)
        for offset, outcome in enumerate(outcomes)
    ]


def run(*outcomes: Outcome) -> Ran:
    return replay.run(learner.advance, [records(outcomes)], {})


def market_of(ran: Ran, name: str = MARKET) -> Market:
    return msgspec.msgpack.decode(ran.state[f"market:{name}"], type=Market)


def announced(outputs: Iterable[Output]) -> list[CorrectorAnnounced]:
    messages_ = [wire.decode_model_message(output.value or b"") for output in outputs]
    return [message for message in messages_ if isinstance(message, CorrectorAnnounced)]


def test_it_reads_outcomes_and_keeps_its_state_beside_them() -> None:
    assert (learner.NAME, learner.SOURCE, learner.STATE_TOPIC) == (
        "learner",
        OUTCOMES,
        LEARNER_STATE,
    )


def test_an_outcome_is_learned_from() -> None:
    market = market_of(run(sold()))

    assert (market.labels, market.linear.labels) == (1, 1)


@pytest.mark.parametrize(
    "outcome",
    [
        sold(corrects=True),
        sold(teaches=False),
        sold(active_champion=None, active_residual_log=None),
    ],
    ids=["a corrected price", "a doubted publisher", "no champion to be measured against"],
)
def test_what_teaches_nothing_is_read_and_left(outcome: Outcome) -> None:
    ran = run(outcome)

    market, control = market_of(ran), read_control(ran.state)
    assert (market.labels, market.linear.labels, market.scores) == (0, 0, [])
    assert control is not None
    assert control.counts == {"outcome:read": 1}


@pytest.mark.parametrize("step", [Step.REGIONAL_MEDIAN, Step.CHALLENGER, Step.PREVIOUS])
def test_what_the_champion_did_not_answer_teaches_but_is_not_judged(step: Step) -> None:
    market = market_of(run(sold(step=step)))

    assert market.labels == 1
    assert (market.guard.champion.weight, market.scale.weight, market.scores) == (0.0, 0.0, [])


def test_the_guard_compares_the_full_correction_with_none() -> None:
    halved = sold(0.1, components=Components(None, CHAMPION_LOG, 0.03, 0.01, 0.5))

    guard = market_of(run(halved)).guard

    assert (guard.champion.total, guard.corrected.total) == pytest.approx((0.1, 0.06))


def test_a_harmful_correction_weighs_nothing_after_a_few_versions() -> None:
    harmful = sold(0.1, components=Components(None, CHAMPION_LOG, -0.004, -0.004, 1.0))

    versions = announced(run(*[harmful] * 3 * VERSION_LABELS).outputs)

    weights = [version.guard_weight for version in versions]
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] == 0.0


def test_a_score_is_told_apart_from_what_its_region_explains() -> None:
    market = market_of(run(sold(-0.1, region_factor=0.5)))

    assert market.scores == pytest.approx([0.2])
    assert market.scale.total == pytest.approx(0.1)


def test_a_score_does_not_ask_what_the_scale_was_when_it_was_served() -> None:
    assert market_of(run(sold(-0.1, region_scale=0.05))).scores == pytest.approx([0.1])


def test_the_newest_scores_are_kept() -> None:
    ran = run(sold(0.3), *[sold(0.1)] * SCORES_KEPT)

    assert market_of(ran).scores == pytest.approx([0.1] * SCORES_KEPT)


def test_each_market_learns_alone() -> None:
    ran = run(sold(), sold(market="hdb"), sold())

    assert (market_of(ran).labels, market_of(ran, "hdb").labels) == (2, 1)


def test_below_the_number_of_labels_no_version_is_announced() -> None:
    assert run(*[sold()] * (VERSION_LABELS - 1)).outputs == []


def test_a_version_is_announced_when_its_labels_are_together() -> None:
    ran = run(*[sold()] * VERSION_LABELS)

    (output,) = ran.outputs
    assert (output.topic, output.key, output.partition) == (
        MODELS,
        b"king-county/corrector/000001",
        0,
    )


def test_labels_of_two_batches_make_one_version() -> None:
    taken = records([sold()] * VERSION_LABELS)

    ran = replay.run(learner.advance, replay.cut(taken, [VERSION_LABELS - 1]), {})

    assert [version.version for version in announced(ran.outputs)] == ["000001"]


def test_versions_are_numbered_on() -> None:
    ran = run(*[sold()] * (2 * VERSION_LABELS))

    first, second = announced(ran.outputs)
    assert (first.version, second.version) == ("000001", "000002")


def test_a_version_names_the_last_outcome_it_has_learned_from() -> None:
    (version,) = announced(run(sold(corrects=True), *[sold()] * (VERSION_LABELS + 5)).outputs)

    assert (version.outcome_partition, version.outcome_offset) == (0, VERSION_LABELS)
    assert version.labels == VERSION_LABELS


def test_a_version_says_what_the_market_level_says() -> None:
    ran = run(*[sold()] * VERSION_LABELS)

    (version,) = announced(ran.outputs)
    assert version.feature_names == FEATURES
    assert 0.0 < frozen_market(version).predict(ROW) < 0.1


def test_a_version_carries_guard_scale_and_quantile() -> None:
    (version,) = announced(run(*[sold()] * VERSION_LABELS).outputs)

    assert version.guard_weight == 1.0
    assert version.scale == pytest.approx(0.1)
    assert version.score_quantile == pytest.approx(1.0)


def test_a_version_tells_the_errors_of_all_three_prices_on_the_same_sales() -> None:
    served = Components(CHAMPION_LOG - 0.2, CHAMPION_LOG, 0.0, 0.0, 1.0)
    without_naive = sold(0.4)

    (version,) = announced(
        run(without_naive, *[sold(components=served)] * (VERSION_LABELS - 1)).outputs
    )

    assert version.errors is not None
    assert version.errors.sales == VERSION_LABELS - 1
    assert (version.errors.naive, version.errors.champion, version.errors.answer) == pytest.approx(
        (0.3, 0.1, 0.1)
    )


def test_without_a_sale_that_has_all_three_prices_a_version_tells_no_errors() -> None:
    (version,) = announced(run(*[sold()] * VERSION_LABELS).outputs)

    assert version.errors is None


def test_errors_are_those_of_the_newest_sales() -> None:
    served = Components(CHAMPION_LOG, CHAMPION_LOG, 0.0, 0.0, 1.0)
    early, late = sold(0.4, components=served), sold(0.1, components=served)

    versions = announced(run(*[early] * VERSION_LABELS, *[late] * 25 * VERSION_LABELS).outputs)

    errors = versions[-1].errors
    assert errors is not None
    assert errors.sales == 26 * VERSION_LABELS
    assert (errors.naive, errors.champion, errors.answer) == pytest.approx((0.1,) * 3, abs=1e-3)


def test_a_version_widens_what_is_hard_to_price() -> None:
    cheap = [
        sold(error, price=100_000.0 + place, sale_price=100_000.0 * math.exp(0.2))
        for place, error in enumerate([0.2] * VERSION_LABELS)
    ]
    dear = [sold() for _ in range(VERSION_LABELS)]

    *_, version = announced(run(*cheap, *dear, *cheap, *dear).outputs)

    assert version.band_factors[0] > 1.2 > version.band_factors[-1]
    assert list(version.type_factors) == [messages.outcome().property_type]


def test_a_score_is_told_apart_from_what_its_segment_explains() -> None:
    market = market_of(run(sold(-0.1, segment_factor=2.0)))

    assert market.scores == pytest.approx([0.05])
    assert market.scale.total == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("judged", "scale", "score_quantile"),
    [(29, None, None), (30, 0.1, None), (199, 0.1, None), (200, 0.1, 1.0)],
)
def test_a_version_tells_scale_and_quantile_only_of_enough_labels(
    judged: int, scale: float | None, score_quantile: float | None
) -> None:
    by_another = [sold(step=Step.CHALLENGER)] * (VERSION_LABELS - judged)

    (version,) = announced(run(*by_another, *[sold()] * judged).outputs)

    assert (version.scale, version.score_quantile) == pytest.approx((scale, score_quantile))


def test_a_market_that_makes_no_errors_has_no_quantile() -> None:
    (version,) = announced(run(*[sold(0.0)] * VERSION_LABELS).outputs)

    assert version.scale == pytest.approx(0.0, abs=1e-12)
    assert version.score_quantile is None


@pytest.mark.parametrize(
    ("frozen", "told"),
    [
        (msgspec.msgpack.encode(Market(layout=LAYOUT + 1)), f"layout {LAYOUT + 1}, this is"),
        (msgspec.msgpack.encode([[[]], 7]), "market record of 4 bytes"),
    ],
    ids=["a later one", "of before there were layouts"],
)
def test_a_record_of_another_layout_is_refused(frozen: bytes, told: str) -> None:
    with pytest.raises(InvariantBroken, match=told):
        replay.run(learner.advance, [records([sold()])], {}, {f"market:{MARKET}": frozen})


def test_a_version_of_a_market_never_served_knows_neither_scale_nor_quantile() -> None:
    never = sold(step=Step.NONE, price=None, components=Components(None, None, 0.0, 0.0, 1.0))

    (version,) = announced(run(*[never] * VERSION_LABELS).outputs)

    assert (version.scale, version.score_quantile) == (None, None)


def test_the_control_record_says_where_the_state_stands() -> None:
    ran = run(sold(sold_ms=SOLD_MS), sold(sold_ms=SOLD_MS - 1))

    control = read_control(ran.state)
    assert control is not None
    assert (control.applied_offset, control.topic_id) == (1, replay.TOPIC_ID)
    assert control.watermark_ms == SOLD_MS


def test_a_source_that_contradicts_the_others_teaches_and_judges_nothing_and_is_told_of() -> None:
    wrong = [sold(0.9, source="wrong")] * 30
    ran = run(*[sold()] * 100, *wrong, *[sold()] * (VERSION_LABELS - 100))

    (version,) = announced(ran.outputs)
    assert version.left_out == {"wrong": 30}
    market = market_of(ran)
    assert market.labels == VERSION_LABELS
    assert market.scores == pytest.approx([0.1] * VERSION_LABELS)
    assert market.linear == market_of(run(*[sold()] * VERSION_LABELS)).linear


def under(champion: str, replaced: str | None = None, shift_log: float = 0.0) -> Outcome:
    return sold(active_champion=champion, active_replaced=replaced, active_shift_log=shift_log)


SECOND = under("v2", "v1", 0.3)
BACK = under("v1", "v2", -0.3)


@pytest.mark.parametrize(
    ("outcomes", "lowered"),
    [
        ([under("v1")], 0.0),
        ([SECOND], 0.0),
        ([under("v1"), SECOND, SECOND], 0.3),
        ([under("v1"), SECOND, under("v1"), SECOND], 0.3),
        ([under("v1"), SECOND, BACK], 0.0),
        ([under("v1"), SECOND, BACK, SECOND, BACK], 0.0),
        ([under("v1"), under("v2")], 0.0),
        ([under("v1"), under("v2"), under("v3", "v2", 0.3)], 0.3),
    ],
    ids=[
        "the first champion",
        "nothing learned of the one before",
        "a swap",
        "a partition that swaps later",
        "a roll back",
        "a roll back that a partition hears of later",
        "a swap that nobody measured",
        "a swap after that",
    ],
)
def test_the_market_level_goes_on_with_what_a_new_champion_leaves(
    outcomes: list[Outcome], lowered: float
) -> None:
    found = market_of(run(*outcomes)).linear.intercept

    # Each lesson moves it by some thousandths.
    assert found == pytest.approx(-lowered, abs=0.01)


def test_a_version_says_whose_errors_it_knows() -> None:
    (version,) = announced(run(*[under("v1")] * (VERSION_LABELS - 1), SECOND).outputs)

    assert version.champion == "v2"
