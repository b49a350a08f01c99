"""What a corrector gives back when a new champion takes over: what that one knows by itself.

A region's corrector was learned against the old champion. Where the new one was trained on
what the corrector had learned (a shock, say), keeping both would count it twice, for as many
weeks as the region needs to unlearn it. The shift that was announced with the champion says by
how much its prices differ there. The corrector gives back no more than it has: of a shift that
goes its own way, or beyond what it knew, nobody has yet seen whether it is right.

The market level gives back the mean shift, each region what it differs by.
"""

import math
from collections.abc import Sequence

from stream_app.contract.models import Handover, SegmentShift

_REGION = "region="


def handover(replaces: str | None, told: Sequence[SegmentShift]) -> Handover | None:
    """From what was announced with a champion; None: nobody was replaced, or nothing measured."""
    regions = [shift for shift in told if shift.segment.startswith(_REGION)]
    if replaces is None or not regions:
        return None
    homes = sum(shift.homes for shift in regions)
    market_log = sum(shift.homes * shift.median_log for shift in regions) / homes
    return Handover(
        replaces=replaces,
        market_log=market_log,
        regions={
            shift.segment.removeprefix(_REGION): shift.median_log - market_log for shift in regions
        },
    )


def given_back(intercept: float, shift_log: float) -> float:
    """What to take from a corrector's intercept when its champion's prices shift by so much.

    >>> given_back(0.2, 0.15), given_back(-0.2, -0.3), given_back(0.2, -0.1)
    (0.15, -0.2, 0.0)
    """
    if intercept * shift_log <= 0:
        return 0.0
    return math.copysign(min(abs(intercept), abs(shift_log)), shift_log)
