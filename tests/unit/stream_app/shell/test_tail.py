"""One prediction as a line for a person."""

import msgspec

from stream_app.contract.predictions import Quality, QualityReason, Step
from stream_app.shell.tail import line
from tests import messages


def test_a_line_tells_day_home_price_interval_and_worth() -> None:
    prediction = msgspec.structs.replace(
        messages.prediction(),
        event_time_ms=1_405_296_000_000,
        region="kc-98178",
        listing_id="kc-1",
        currency="USD",
        price=310_000.4,
        price_low=270_000.0,
        price_high=356_000.0,
        step=Step.CHAMPION,
        quality=Quality.DEGRADED,
        quality_reasons=(QualityReason.LATE, QualityReason.REPAIRED),
    )

    assert line(prediction) == (
        "2014-07-14  kc-98178  kc-1  310,000 USD (270,000 to 356,000)  champion  "
        "degraded (late, repaired)"
    )


def test_a_home_without_a_price_says_so() -> None:
    prediction = msgspec.structs.replace(
        messages.prediction(), price=None, price_low=None, price_high=None
    )

    assert "  no price  " in line(prediction)


def test_an_id_cannot_command_the_terminal() -> None:
    prediction = msgspec.structs.replace(messages.prediction(), listing_id="kc\x1b[2J\n1")

    assert "kc?[2J?1" in line(prediction)
