"""The corrector follows what the champion misses, and knows no sale before it was made."""

import numpy as np

from offline import corrected
from tests import sales


def test_the_answer_follows_a_level_that_the_champion_does_not_know() -> None:
    rows = sales.rows()
    too_low = rows.log_price - 0.2

    answer = corrected.answers(rows, too_low)

    newest = answer[-200:] - rows.log_price[-200:]
    assert abs(np.median(newest)) < 0.05


def test_nothing_is_corrected_before_the_first_sale() -> None:
    rows = sales.rows()
    first = int(np.argmin(rows.listed_ms))

    assert corrected.answers(rows, rows.log_price - 0.2)[first] == rows.log_price[first] - 0.2
