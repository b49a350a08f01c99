"""Resale flats of Singapore's HDB: a row of any of its three schemas to a listing and its sale.

`remaining_lease` is absent (to 2014), whole years (2015-16) or text such as
"61 years 04 months" (since 2017); storeys are bins of five or of three. Files
say the month only: the moment within it is made up (simulated.py). Rows carry
no key: identical rows are twin flats, told apart by their number in the file.
"""

import re
from collections import Counter
from datetime import UTC, datetime

from producers.sources.rows import BadCell, Row
from producers.sources.simulated import DaysOnMarket, listed_ms, moment_ms
from producers.sources.source import Offer, Source
from stream_app.contract.events import Listing, Sale
from stream_app.contract.ids import fingerprint

PUBLISHER = "hdb-resale"
# Resale needs an option to purchase and HDB's appointment: slower than King County.
DAYS = DaysOnMarket(median_days=45.0, spread=0.6)
LEASE_YEARS = 99
# Singapore, its islands and some margin.
_LATITUDES = (1.1, 1.5)
_LONGITUDES = (103.5, 104.2)
_MONTH = re.compile(r"((?:19|20)\d\d)-(0[1-9]|1[0-2])", re.ASCII)
_USUAL_TOWN = re.compile(r"[A-Z]+([ /][A-Z]+)*")
_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]+")
_STOREYS = re.compile(r"(\d+)(?: *(?:TO|-) *(\d+))?", re.ASCII | re.IGNORECASE)
_LEASE = re.compile(
    r"(\d+)(?: *y(?:ea)?rs?)?(?:,? *(\d+) *m(?:on)?ths?)?", re.ASCII | re.IGNORECASE
)  # "61 years 04 months", "63 years", "70"


def read_row(row: Row, seed: int, twins: Counter[str]) -> Offer:
    """Map one row of any schema."""
    sold_year, month_span_ms = _month(row)
    listing_id = _listing_id(row, twins)
    sold_ms = moment_ms(month_span_ms, seed, listing_id)
    region = f"hdb-{_town(row)}"
    listed = listed_ms(sold_ms, DAYS, seed, listing_id)
    sale = Sale(
        event_id=fingerprint(PUBLISHER, listing_id, "sale"),
        event_time_ms=sold_ms,
        market="hdb",
        region=region,
        listing_id=listing_id,
        source=PUBLISHER,
        trace_id=listing_id,
        simulated_fields=("event_time_ms",),
        sale_price=row.number("resale_price"),
    )
    return Offer(_listing(row, listing_id, region, listed, sold_year), sale)


def _listing(row: Row, listing_id: str, region: str, at_ms: int, sold_year: int) -> Listing:
    latitude, longitude = _place(row)
    built_year = row.whole_or_none("lease_commence_date")
    return Listing(
        event_id=fingerprint(PUBLISHER, listing_id, "listing"),
        event_time_ms=at_ms,
        market="hdb",
        region=region,
        listing_id=listing_id,
        source=PUBLISHER,
        trace_id=listing_id,
        simulated_fields=("event_time_ms",),
        property_type=_name(row.text("flat_type")),
        model=_model(row),
        street=_street(row),
        area_m2=row.number("floor_area_sqm"),
        floor=_floor(row),
        built_year=built_year,
        lease_remaining_years=_lease(row, built_year, sold_year),
        latitude=latitude,
        longitude=longitude,
    )


def _listing_id(row: Row, twins: Counter[str]) -> str:
    """Digest of what all schemas say, however they spell it, and the number of the twin."""
    said = (
        row.text("month"),
        _slug(row.text("town")),
        _name(row.text("flat_type")),
        (row.known("block") or "").upper(),
        _street(row) or "",
        row.known("storey_range") or "",
        str(row.number("floor_area_sqm")),
        _model(row) or "",
        row.known("lease_commence_date") or "",
        str(row.number("resale_price")),
    )
    identity = fingerprint(*said)
    twins[identity] += 1
    return f"hdb-{fingerprint(identity, str(twins[identity]))}"


def _month(row: Row) -> tuple[int, tuple[int, int]]:
    """The year, and where the month begins and the next one does."""
    text = row.text("month")
    match = _MONTH.fullmatch(text)
    if match is None:
        raise BadCell("month", text, "a month such as 2012-03")
    year, month = int(match[1]), int(match[2])
    return year, (_month_start_ms(year, month), _month_start_ms(year + month // 12, month % 12 + 1))


def _month_start_ms(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * 1000


def _town(row: Row) -> str:
    text = row.text("town")
    if not _USUAL_TOWN.fullmatch(text):
        row.repair("town")
    slug = _slug(text)
    if not slug:
        raise BadCell("town", text, "a town")
    return slug


def _slug(text: str) -> str:
    """One code for any spelling of a name.

    >>> _slug("KALLANG/WHAMPOA"), _slug(" Kallang / Whampoa")
    ('kallang-whampoa', 'kallang-whampoa')
    """
    return _NOT_ALPHANUMERIC.sub("-", text.lower()).strip("-")


def _name(text: str) -> str:
    """One spelling for a type or model: "MULTI-GENERATION" and "Multi Generation" are one."""
    return " ".join(text.lower().replace("-", " ").split())


def _model(row: Row) -> str | None:
    text = row.known("flat_model")
    return None if text is None else _name(text)


def _street(row: Row) -> str | None:
    text = row.known("street_name")
    return None if text is None else " ".join(text.lower().split())


def _floor(row: Row) -> float | None:
    """Middle of the bin: "06 TO 10" is 8.0."""
    text = row.known("storey_range")
    if text is None:
        return None
    match = _STOREYS.fullmatch(text)
    if match is None:
        raise BadCell("storey_range", text, "storeys such as '06 TO 10'")
    return (int(match[1]) + int(match[2] or match[1])) / 2


def _lease(row: Row, built_year: int | None, sold_year: int) -> float | None:
    """Years left at the sale. Where the file does not say: 99 less whole years since its start."""
    text = row.known("remaining_lease")
    if text is None:
        return None if built_year is None else float(LEASE_YEARS - (sold_year - built_year))
    match = _LEASE.fullmatch(text)
    if match is None:
        raise BadCell("remaining_lease", text, "a lease such as '61 years 04 months' or '70'")
    return int(match[1]) + int(match[2] or 0) / 12


def _place(row: Row) -> tuple[float | None, float | None]:
    """Both or none. A place outside Singapore is a failed geocoding: dropped and counted."""
    latitude, longitude = row.number_or_none("latitude"), row.number_or_none("longitude")
    if latitude is None or longitude is None:
        return None, None
    if _LATITUDES[0] <= latitude <= _LATITUDES[1] and _LONGITUDES[0] <= longitude <= _LONGITUDES[1]:
        return latitude, longitude
    row.repair("latitude")
    return None, None


SOURCE = Source(
    market="hdb",
    # `remaining_lease`, `latitude` and `longitude` come and go with the schema.
    needed_columns=(
        "month", "town", "flat_type", "block", "street_name", "storey_range", "floor_area_sqm",
        "flat_model", "lease_commence_date", "resale_price",
    ),
    read_row=read_row,
    default_files=(
        "hdb_resale_2012-03_2014-12.csv.gz",
        "hdb_resale_2015-01_2016-12.csv.gz",
    ),
    what="resale flats of Singapore's HDB, 2012-03 to 2016-12",
)  # fmt: skip
