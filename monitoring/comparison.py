"""Which rows are held against which: two windows of the archive, or training rows and archive."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow.parquet as pq

from monitoring.windows import Window, Windows
from stream_app.contract.models import Manifest

ARCHIVE = "archive"


class Sides(NamedTuple):
    """Two frames, and where the reference is from."""

    reference: pd.DataFrame
    current: pd.DataFrame
    reference_what: str = ARCHIVE


def split(frame: pd.DataFrame, time_column: str, windows: Windows) -> Sides:
    """Part rows by the windows; without windows the older half is the reference."""
    if windows.reference is not None and windows.current is not None:
        return Sides(
            _within(frame, time_column, windows.reference),
            _within(frame, time_column, windows.current),
        )
    middle = len(frame) // 2
    return Sides(frame.iloc[:middle], frame.iloc[middle:])


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


def answered_by(frame: pd.DataFrame, manifest: Manifest | None) -> pd.DataFrame:
    """Keep what this champion answered, if it answered anything."""
    if frame.empty or manifest is None:
        return frame
    own = frame[frame["versions_champion"] == manifest.version]
    return frame if own.empty else own


def after_training(frame: pd.DataFrame, time_column: str, manifest: Manifest) -> pd.DataFrame:
    """Leave out what the champion was trained on, if anything else is there."""
    if frame.empty:
        return frame
    later = frame[frame[time_column] >= manifest.trained_to_ms]
    return frame if later.empty else later


def sample(frame: pd.DataFrame, rows: int, seed: int) -> pd.DataFrame:
    """Take at most `rows` rows, the same ones each time."""
    return frame if len(frame) <= rows else frame.sample(rows, random_state=seed).sort_index()


def _within(frame: pd.DataFrame, time_column: str, window: Window) -> pd.DataFrame:
    if frame.empty:
        return frame
    times = frame[time_column]
    return frame[(times >= window.from_ms) & (times < window.to_ms)]
