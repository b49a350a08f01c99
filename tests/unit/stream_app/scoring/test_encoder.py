"""Codes become the numbers of the manifest; what it does not know, the default."""

import numpy as np
import pytest

from stream_app.scoring.encoder import Encoder

NAMES = ("area", "type", "street")


@pytest.mark.parametrize(
    ("code", "number"),
    [(3.0, 0.3), (4_294_967_295.0, 0.9), (2.0, 0.1), (5e9, 0.1), (np.nan, 0.1)],
    ids=["known", "largest code", "unseen, small", "unseen, beyond all", "unknown"],
)
def test_a_code_becomes_its_number(code: float, number: float) -> None:
    encode = Encoder(NAMES, {"type": {"4294967295": 0.9, "3": 0.3}}, {"type": 0.1})

    assert encode(np.array([[60.0, code, 1.0]])).tolist() == [[60.0, number, 1.0]]


def test_a_category_that_the_market_lacks_becomes_its_default() -> None:
    encode = Encoder(NAMES, {"street": {}}, {"street": 0.4})

    assert encode(np.array([[60.0, 1.0, np.nan], [60.0, 1.0, 9.0]]))[:, 2].tolist() == [0.4, 0.4]
