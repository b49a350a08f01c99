"""By how much prices will move when a champion follows another: said with its announcement.

Both price the homes of the new one's drift reference, bare. What the corrector knew of the
difference it gives back as the new one takes over (scoring/handover.py): answers move by less.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stream_app.contract.models import SegmentShift
from stream_app.core.features import NAMES
from stream_app.stages.step import PriceModel

# Of fewer homes the median says more of those homes than of their segment.
HOMES_MIN = 20
_SEGMENTS = ("region", "property_type")


def shifts(old: PriceModel, new: PriceModel, reference: pa.Table) -> tuple[SegmentShift, ...]:
    """Medians over all homes, then by region and by type; log units."""
    rows = np.column_stack(
        [reference[name].to_numpy().astype(np.float64, copy=False) for name in NAMES]
    )
    return tuple(_by_segment(new.predict_log(rows) - old.predict_log(rows), reference))


def _by_segment(moved: NDArray[np.float64], reference: pa.Table) -> Iterator[SegmentShift]:
    yield _shift("", moved)
    for field in _SEGMENTS:
        values = np.asarray(reference[field].to_pylist())
        for value in np.unique(values):
            own = moved[values == value]
            if len(own) >= HOMES_MIN:
                yield _shift(f"{field}={value}", own)


def _shift(segment: str, moved: NDArray[np.float64]) -> SegmentShift:
    return SegmentShift(
        segment=segment, homes=len(moved), median_log=round(float(np.median(moved)), 6)
    )
