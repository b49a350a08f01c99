"""Every market has a currency and a centre that is on the map."""

import pytest

from stream_app.contract.markets import MARKETS


def test_the_markets_are_those_that_have_a_source() -> None:
    assert set(MARKETS) == {"king-county", "hdb"}


@pytest.mark.parametrize("name", MARKETS)
def test_a_market_has_a_currency_and_a_centre(name: str) -> None:
    market = MARKETS[name]

    assert market.name == name
    assert len(market.currency) == 3
    assert market.currency.isupper()
    assert -90 <= market.centre_latitude <= 90
    assert -180 <= market.centre_longitude <= 180


def test_nobody_can_add_a_market_at_run_time() -> None:
    with pytest.raises(TypeError):
        MARKETS["atlantis"] = MARKETS["hdb"]  # type: ignore[index]
