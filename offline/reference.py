"""The drift reference: a sample of the rows trained on, as Parquet, for monitoring.

Columns: the feature names, then `part` (older: fitted on; holdout: judged on),
`price` (of the holdout only: a model's own rows flatter it), `sale_price`,
`listed_ms`, `sold_ms`, `area_m2`, `region`, `property_type`. Null is unknown.
"""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from offline.dataset import Dataset
from stream_app.core.features import NAMES

# Enough for a share of one in a hundred to be seen, little enough to be read in a blink.
ROWS_MAX = 5_000


def sample(dataset: Dataset, holdout: Dataset, holdout_log: NDArray[np.float64]) -> bytes:
    """The table as Parquet; equal input, equal bytes."""
    made = io.BytesIO()
    pq.write_table(table(dataset, holdout, holdout_log), made, compression="zstd")
    return made.getvalue()


def table(dataset: Dataset, holdout: Dataset, holdout_log: NDArray[np.float64]) -> pa.Table:
    """At most `ROWS_MAX` rows, evenly spread over the sales."""
    said = dict(zip(holdout.listing_id.tolist(), np.exp(holdout_log).tolist(), strict=True))
    step = max(1, -(-len(dataset) // ROWS_MAX))
    chosen = np.zeros(len(dataset), dtype=np.bool_)
    chosen[::step] = True
    part = dataset.take(chosen)
    listings = part.listing_id.tolist()
    columns = {
        name: pa.array(part.rows[:, place], from_pandas=True) for place, name in enumerate(NAMES)
    }
    columns |= {
        "part": pa.array(["holdout" if listing in said else "older" for listing in listings]),
        "price": pa.array([said.get(listing) for listing in listings], pa.float64()),
        "sale_price": pa.array(np.exp(part.log_price)),
        "listed_ms": pa.array(part.listed_ms),
        "sold_ms": pa.array(part.sold_ms),
        "area_m2": pa.array(part.area_m2),
        "region": pa.array(part.region.tolist()),
        "property_type": pa.array(part.property_type.tolist()),
    }
    return pa.table(columns)
