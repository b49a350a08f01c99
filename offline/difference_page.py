"""The page of a difference: what difference.py found."""

from offline.difference import MOVED, WORST_LISTINGS, Difference, Segment
from offline.metrics import Figures
from offline.page import Cell, Section, Table
from stream_app.contract.counts import counted

_MOVED = f"moved > {100 * MOVED:g} %"
_COLUMNS = "", "listings", "mean change, %", "median change, %", _MOVED


def sections(found: Difference) -> list[Section]:
    """All parts of the page."""
    return [_overall(found), *_by(found), _worst(found)]


def _overall(found: Difference) -> Section:
    overall = [] if found.overall is None else [_row(found.overall)]
    return Section(
        "Overall",
        f"The same {counted(found.listings, 'listing')}, answered twice. A change is the price of "
        f"{found.after} over that of {found.before}, less 1. Below, the homes that were sold "
        "since, each answer judged as it was given at the listing.",
        tables=[
            Table("Change", _COLUMNS, overall),
            Table(
                "A price from one way alone",
                ("way", "listings"),
                [(found.before, found.only_before), (found.after, found.only_after)],
            ),
            Table(
                "Sold since",
                ("way", "homes", "MAE", "MdAPE, %", "bias, %", "within 10 %"),
                [
                    _judged(found.before, found.sold_before),
                    _judged(found.after, found.sold_after),
                ],
            ),
        ],
    )


def _by(found: Difference) -> list[Section]:
    kinds = dict.fromkeys(segment.by for segment in found.segments)
    return [
        Section(
            f"By {kind}",
            "Listings that both ways gave a price.",
            tables=[
                Table("Change", _COLUMNS, [_row(s) for s in found.segments if s.by == kind]),
            ],
        )
        for kind in kinds
    ]


def _worst(found: Difference) -> Section:
    return Section(
        "Greatest changes",
        f"The {WORST_LISTINGS} listings whose price changes most, in either direction.",
        tables=[
            Table(
                "Greatest changes",
                ("listing", "region", "type", "before", "after", "change, %"),
                [
                    (m.listing_id, m.region, m.property_type, m.before, m.after, m.change)
                    for m in found.worst
                ],
            )
        ],
    )


def _row(segment: Segment) -> tuple[Cell, ...]:
    return (
        segment.name,
        segment.listings,
        segment.mean_change,
        segment.median_change,
        segment.moved,
    )


def _judged(name: str, figures: Figures) -> tuple[Cell, ...]:
    return name, figures.rows, figures.mae, figures.mdape, figures.bias, figures.within_10
