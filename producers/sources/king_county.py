"""House sales of King County, Washington: a row to a listing and its sale.

The only place where square feet are known. Dates are days; a sale stands at
00:00 UTC of its day. The listing is simulated (simulated.py).
"""

import re
from collections import Counter
from datetime import UTC, datetime

from producers.sources.rows import BadCell, Row
from producers.sources.simulated import DaysOnMarket, listed_ms
from producers.sources.source import Offer, Source
from stream_app.contract.events import Listing, Sale
from stream_app.contract.ids import fingerprint

SQUARE_FOOT_M2 = 0.09290304  # exact: (0.3048 m)**2
PUBLISHER = "king-county-sales"
# About what brokers reported for King County in 2014 and 2015.
DAYS = DaysOnMarket(median_days=30.0, spread=0.8)
ID_DIGITS = 10  # of a parcel; spreadsheets drop the leading zeros
_COUNTY_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_ZIP = re.compile(r"(\d{5})(-\d{4}|\.0)?", re.ASCII)


def read_row(row: Row, seed: int, twins: Counter[str]) -> Offer:  # noqa: ARG001 - ids are keys here
    """Map one row. A home sold twice is two listings of one `home_id`."""
    home_id = f"kc-{_parcel(row)}"
    sold_ms = _sold_ms(row)
    listing_id = f"{home_id}-{_day(sold_ms)}"
    region = f"kc-{_zipcode(row)}"
    listing = _listing(row, listing_id, region, home_id, listed_ms(sold_ms, DAYS, seed, listing_id))
    sale = Sale(
        event_id=fingerprint(PUBLISHER, listing_id, "sale"),
        event_time_ms=sold_ms,
        market="king-county",
        region=region,
        listing_id=listing_id,
        source=PUBLISHER,
        trace_id=listing_id,
        sale_price=row.number("price"),
    )
    return Offer(listing, sale)


def _listing(row: Row, listing_id: str, region: str, home_id: str, at_ms: int) -> Listing:
    return Listing(
        event_id=fingerprint(PUBLISHER, listing_id, "listing"),
        event_time_ms=at_ms,
        market="king-county",
        region=region,
        listing_id=listing_id,
        source=PUBLISHER,
        trace_id=listing_id,
        simulated_fields=("event_time_ms",),
        home_id=home_id,
        property_type="house",
        area_m2=row.number("sqft_living") * SQUARE_FOOT_M2,
        lot_m2=_square_feet(row, "sqft_lot"),
        basement_m2=_square_feet(row, "sqft_basement"),
        neighbour_area_m2=_square_feet(row, "sqft_living15"),
        neighbour_lot_m2=_square_feet(row, "sqft_lot15"),
        bedrooms=row.whole_or_none("bedrooms"),
        bathrooms=row.number_or_none("bathrooms"),
        storeys=row.number_or_none("floors"),
        built_year=row.whole_or_none("yr_built"),
        renovated_year=row.whole_or_none("yr_renovated") or None,  # 0: never
        condition=row.whole_or_none("condition"),
        grade=row.whole_or_none("grade"),
        view=row.whole_or_none("view"),
        waterfront=row.yes_or_none("waterfront"),
        latitude=row.number_or_none("lat"),
        longitude=row.number_or_none("long"),
    )


def _square_feet(row: Row, column: str) -> float | None:
    area = row.number_or_none(column)
    return None if area is None else area * SQUARE_FOOT_M2


def _sold_ms(row: Row) -> int:
    """The day; the county's own way to write it, 10/13/2014, counts as repaired."""
    match = _COUNTY_DATE.fullmatch(row.text("date"))
    if match is None:
        return row.date_ms("date")
    row.repair("date")
    try:
        return Row({"date": f"{match[3]}-{match[1]:0>2}-{match[2]:0>2}"}).date_ms("date")
    except BadCell:
        raise BadCell("date", match[0], "a date, month first") from None


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y%m%d")


def _parcel(row: Row) -> str:
    text = row.text("id")
    if not (text.isascii() and text.isdecimal() and len(text) <= ID_DIGITS):
        raise BadCell("id", text, f"a parcel number of {ID_DIGITS} digits")
    if len(text) < ID_DIGITS:
        row.repair("id")
    return text.zfill(ID_DIGITS)


def _zipcode(row: Row) -> str:
    text = row.text("zipcode")
    match = _ZIP.fullmatch(text)
    if match is None:
        raise BadCell("zipcode", text, "a zip code of 5 digits")
    if match[2]:
        row.repair("zipcode")
    return match[1]


SOURCE = Source(
    market="king-county",
    needed_columns=(
        "id", "date", "price", "bedrooms", "bathrooms", "sqft_living", "sqft_lot", "floors",
        "waterfront", "view", "condition", "grade", "sqft_basement", "yr_built", "yr_renovated",
        "zipcode", "lat", "long", "sqft_living15", "sqft_lot15",
    ),
    read_row=read_row,
    default_files=("king_county.csv.gz",),
    what="house sales of King County, Washington, 2014-05 to 2015-05",
)  # fmt: skip
