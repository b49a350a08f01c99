"""Every market has a currency."""

import pytest

from stream_app.contract.markets import MARKETS


def test_the_markets_are_those_that_have_a_source() -> None:
    assert set(MARKETS) == {"king-county", "hdb"}


@pytest.mark.parametrize("name", MARKETS)
def test_a_market_has_a_currency(name: str) -> None:
    market = MARKETS[name]

    assert market.name == name
    assert len(market.currency) == 3
    assert market.currency.isupper()


def test_nobody_can_add_a_market_at_run_time() -> None:
    with pytest.raises(TypeError):
        MARKETS["atlantis"] = MARKETS["hdb"]  # type: ignore[index]
