"""What is held against what: windows of the archive, or the champion's training rows."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from monitoring.windows import Window, Windows, before, halves
from stream_app.contract.models import Manifest
from stream_app.contract.spans import DAY_MS


def pair(asked: Windows, rows_by_day: Mapping[int, int]) -> tuple[Window, Window]:
    """Give reference and current: as asked, the time before what was asked, or halves of all."""
    if asked.current is None:
        return halves(rows_by_day)
    return asked.reference or before(asked.current), asked.current


def untrained(rows_by_day: Mapping[int, int], manifest: Manifest) -> Mapping[int, int]:
    """Leave out the days that the champion was trained on, if there are any others."""
    first = manifest.trained_to_ms // DAY_MS
    later = {day: rows for day, rows in rows_by_day.items() if day >= first}
    return later or rows_by_day


def drift_reference(manifest: Manifest | None, store: Path) -> tuple[pd.DataFrame | None, str]:
    """Open the champion's sample of training rows; else None and the reason in words.

    Columns: its features by name, and what offline put beside them: region, property type
    and, as `event_time_ms`, the time of the listing.
    """
    if manifest is None:
        return None, "no champion was announced"
    if manifest.reference_sha256 is None:
        return None, f"champion {manifest.version} has no drift reference"
    path = store / f"{manifest.reference_sha256}.parquet"
    if not path.exists():
        return None, f"drift reference {path.name} is not in the model store {store}"
    if hashlib.sha256(path.read_bytes()).hexdigest() != manifest.reference_sha256:
        return None, f"drift reference {path.name} is damaged: its content has another hash"
    frame: pd.DataFrame = pq.read_table(path).to_pandas()
    missing = [name for name in manifest.feature_names if name not in frame]
    if missing:
        return None, f"drift reference {path.name} lacks {', '.join(missing)}"
    return frame.rename(columns={"listed_ms": "event_time_ms"}), path.name
