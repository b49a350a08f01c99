"""Real rows of the shipped files, as text, one of each schema; any cell changed by keyword."""

from collections import Counter
from collections.abc import Mapping

from producers.sources import hdb, king_county
from producers.sources.rows import Row
from producers.sources.source import Offer

KING_COUNTY: Mapping[str, str] = {
    "id": "7129300520",
    "date": "20141013T000000",
    "price": "221900",
    "bedrooms": "3",
    "bathrooms": "1",
    "sqft_living": "1180",
    "sqft_lot": "5650",
    "floors": "1",
    "waterfront": "0",
    "view": "0",
    "condition": "3",
    "grade": "7",
    "sqft_above": "1180",
    "sqft_basement": "0",
    "yr_built": "1955",
    "yr_renovated": "0",
    "zipcode": "98178",
    "lat": "47.5112",
    "long": "-122.257",
    "sqft_living15": "1340",
    "sqft_lot15": "5650",
}
HDB_2012: Mapping[str, str] = {
    "month": "2012-03",
    "town": "ANG MO KIO",
    "flat_type": "2 ROOM",
    "block": "172",
    "street_name": "ANG MO KIO AVE 4",
    "storey_range": "06 TO 10",
    "floor_area_sqm": "45",
    "flat_model": "Improved",
    "lease_commence_date": "1986",
    "resale_price": "250000",
}
HDB_2015: Mapping[str, str] = {
    "month": "2015-01",
    "town": "ANG MO KIO",
    "flat_type": "3 ROOM",
    "block": "174",
    "street_name": "ANG MO KIO AVE 4",
    "storey_range": "07 TO 09",
    "floor_area_sqm": "60",
    "flat_model": "Improved",
    "lease_commence_date": "1986",
    "remaining_lease": "70",
    "resale_price": "255000",
}
HDB_2017: Mapping[str, str] = {
    "_id": "1",
    "month": "2017-01",
    "town": "ANG MO KIO",
    "flat_type": "2 ROOM",
    "block": "406",
    "street_name": "ANG MO KIO AVE 10",
    "storey_range": "10 TO 12",
    "floor_area_sqm": "44.0",
    "flat_model": "Improved",
    "lease_commence_date": "1979",
    "remaining_lease": "61 years 04 months",
    "resale_price": "232000.0",
    "address": "406 ANG MO KIO AVE 10",
    "postal": "560406",
    "latitude": "1.36200453938712",
    "longitude": "103.853879910407",
}


def king_county_row(**cells: str) -> Row:
    return Row({**KING_COUNTY, **cells})


def king_county_offer(seed: int = 0, /, **cells: str) -> Offer:
    return king_county.read_row(king_county_row(**cells), seed, Counter())


def hdb_offer(cells: Mapping[str, str], seed: int = 0, /, **changes: str) -> Offer:
    return hdb.read_row(Row({**cells, **changes}), seed, Counter())


def csv_text(*rows: Mapping[str, str]) -> str:
    """The rows as a file with a header."""
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    return "\n".join(lines) + "\n"
