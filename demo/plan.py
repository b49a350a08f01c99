"""What the demo does for each market: files, dates, pace. Data.

The older part trains the champion, the rest is priced with it. Dates are event
time (UTC), the first day of a part in, its last out.
"""

from collections.abc import Mapping

from msgspec import Struct


class Plan(Struct, frozen=True):
    """One market's demo."""

    market: str
    files: tuple[str, ...]
    split: str  # the champion is trained on what was sold before
    middle: str  # the report compares split..middle with middle..end
    end: str
    events_per_s: int  # of the rest: slow enough that latency is not waiting in line


_KING_COUNTY = ("data/king_county.csv.gz",)
_HDB = (
    "data/hdb_resale_2012-03_2014-12.csv.gz",
    "data/hdb_resale_2015-01_2016-12.csv.gz",
)

WHOLE: Mapping[str, Plan] = {
    plan.market: plan
    for plan in (
        Plan("king-county", _KING_COUNTY, "2014-12-01", "2015-03-01", "2015-06-01", 1_000),
        Plan("hdb", _HDB, "2015-01-01", "2016-01-01", "2017-01-01", 2_000),
    )
}

# A few months: enough for every step to have something to do, and for few more figures.
QUICK: Mapping[str, Plan] = {
    plan.market: plan
    for plan in (
        Plan("king-county", _KING_COUNTY, "2014-09-01", "2014-09-22", "2014-10-13", 1_000),
        Plan("hdb", _HDB[:1], "2012-08-01", "2012-09-01", "2012-10-01", 1_000),
    )
}
