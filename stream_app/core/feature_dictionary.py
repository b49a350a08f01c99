"""The dictionary of features as a document: what stands in features.py, for people.

Texts only; `python -m stream_app contract` writes it beside the contract's documents.
Which of them a champion's trees read, and what each gains, is measured: docs/features.md.
"""

from collections.abc import Sequence

import msgspec

from stream_app.contract.events import Listing
from stream_app.contract.spans import DAY_MS, HOUR_MS
from stream_app.core.features import FEATURE_SET, FEATURES, Feature

_HEAD = ("#", "feature", "unit", "range", "meaning", "window", "known", "null", "why", "leak risk")
_HISTORY = ("region_", "street_")  # beginnings of names
_ALWAYS = {field.name for field in msgspec.structs.fields(Listing) if field.required}


def markdown() -> str:
    """One row for each feature, in the order of a feature row."""
    rows = [(str(place), *_row(feature)) for place, feature in enumerate(FEATURES)]
    lines = [_HEAD, ["---"] * len(_HEAD), *rows]
    return (
        "# Features\n\n"
        "Generated from `stream_app/core/features.py` by `python -m stream_app contract`. "
        f"{len(FEATURES)} features in the order of a row; feature set `{FEATURE_SET}`: another one "
        "has another name, and champions made for it are refused.\n\n"
        "Unknown is null, never 0. All logarithms are natural. A window of n days is the day of "
        "the listing and the n - 1 before it; one of 24 h likewise, in hours. What the features "
        "gain, and what was tried and dropped: [features](../features.md).\n\n"
        + "\n".join(f"| {' | '.join(line)} |" for line in lines)
        + "\n"
    )


def _row(feature: Feature) -> Sequence[str]:
    return (
        f"`{feature.name}`",
        feature.unit,
        f"{feature.low:.6g} to {feature.high:.6g}",
        feature.meaning,
        span_text(feature.span_ms),
        "before the listing" if feature.name.startswith(_HISTORY) else "with the listing",
        null_text(feature),
        feature.why,
        feature.leak,
    )


def span_text(span_ms: int) -> str:
    """How far a window reaches back, in words.

    >>> span_text(DAY_MS), span_text(7 * DAY_MS), span_text(0)
    ('24 h', '7 days', '')
    """
    if not span_ms:
        return ""
    return f"{span_ms // HOUR_MS} h" if span_ms <= DAY_MS else f"{span_ms // DAY_MS} days"


def null_text(feature: Feature) -> str:
    """When a feature is null, in words."""
    optional = [f"`{field}` is absent" for field in feature.source if field not in _ALWAYS]
    return " or ".join([*optional, *filter(None, [feature.null_when])]) or "never"
