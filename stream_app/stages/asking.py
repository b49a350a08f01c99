"""What one model says of homes: prices, why, and whether it was made for them. One call.

Not here: who is asked (scorer.py), and which answer is given (answer.py).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stream_app.contract.predictions import Reason
from stream_app.scoring import reasons
from stream_app.scoring.scope import NO_MARKS, Limits, Marks
from stream_app.stages.step import PriceModel

Row = tuple[float, ...]

# Beyond this a log price is none, nor are the ends of its interval; a model that is
# out of its mind must not end the worker.
LOG_LIMIT = 100.0


class Said(NamedTuple):
    """What a model says of a home."""

    log_price: float | None  # None: no price
    reasons: tuple[Reason, ...] = ()
    marks: Marks = NO_MARKS
    limits: Limits | None = None  # its scope; None: it declares none


def ask(model: PriceModel, homes: Sequence[Row], typical: Sequence[Row | None]) -> list[Said]:
    """Ask for the rows of homes, one or more, and for the variants that tell why."""
    # Against itself a home is usual in everything: nothing is asked of it.
    usual = [other or home for other, home in zip(typical, homes, strict=True)]
    rows = np.array(homes, dtype=np.float64)
    asked = reasons.what_if(rows, np.array(usual, dtype=np.float64), model.used)
    said = model.predict_log(np.concatenate([rows, asked.rows])).tolist()
    own, variants = said[: len(homes)], said[len(homes) :]
    why = reasons.explain(asked, own, variants)
    limits = model.limits
    marks = [NO_MARKS] * len(homes) if limits is None else limits.marks(rows)
    return [
        Said(value if abs(value) < LOG_LIMIT else None, reason, mark, limits)
        for value, reason, mark in zip(own, why, marks, strict=True)
    ]
