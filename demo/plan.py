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
    history_from: str  # where the files begin
    split: str  # the champion is trained on what was sold before
    middle: str  # the report compares split..middle with middle..end
    end: str  # the first day after the last sale
    events_per_s: int  # of the rest: slow enough that latency is not waiting in line
    limit: str = ""  # what is left out, in words


PLANS: Mapping[str, Plan] = {
    plan.market: plan
    for plan in (
        Plan(
            market="king-county",
            files=("data/king_county.csv.gz",),
            history_from="2014-01-01",
            split="2014-12-01",
            middle="2015-03-01",
            end="2015-06-01",
            events_per_s=1_000,
        ),
        Plan(
            market="hdb",
            files=(
                "data/hdb_resale_2012-03_2014-12.csv.gz",
                "data/hdb_resale_2015-01_2016-12.csv.gz",
            ),
            history_from="2012-01-01",
            split="2015-01-01",
            middle="2016-01-01",
            end="2017-01-01",
            events_per_s=1_500,
        ),
    )
}
