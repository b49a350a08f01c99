"""Which rows are held against which."""

import hashlib
from pathlib import Path

import pandas as pd

from monitoring import comparison
from monitoring.windows import Window, Windows
from stream_app.contract.spans import DAY_MS
from tests import flow

HALVES = Windows(None, None)


def stored(folder: Path, columns: dict[str, list[float]]) -> str:
    """Put a drift reference into a model store; return its hash."""
    plain = folder / "plain"
    pd.DataFrame(columns).to_parquet(plain)
    digest = hashlib.sha256(plain.read_bytes()).hexdigest()
    plain.rename(folder / f"{digest}.parquet")
    return digest


def test_windows_are_taken_as_asked() -> None:
    asked = Windows(Window(10, 20), Window(30, 41))

    assert comparison.pair(asked, {}) == (Window(10, 20), Window(30, 41))


def test_without_a_reference_it_is_the_time_before() -> None:
    assert comparison.pair(Windows(None, Window(30, 41)), {}) == (Window(19, 30), Window(30, 41))


def test_without_windows_the_older_half_of_the_rows_is_the_reference() -> None:
    older, newer = comparison.pair(HALVES, {1: 5, 2: 5, 8: 10})

    assert older == Window(DAY_MS, 8 * DAY_MS)
    assert newer == Window(8 * DAY_MS, 9 * DAY_MS)


def test_no_rows_make_two_empty_windows() -> None:
    assert comparison.pair(HALVES, {}) == (Window(0, 0), Window(0, 0))


def test_a_drift_reference_is_read_when_its_content_has_the_hash(tmp_path: Path) -> None:
    digest = stored(tmp_path, {name: [1.0, 2.0] for name in flow.FEATURE_NAMES})

    found, words = comparison.drift_reference(flow.manifest(reference_sha256=digest), tmp_path)

    assert found is not None
    assert len(found) == 2
    assert words == f"{digest}.parquet"


def test_a_drift_reference_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    lacking = stored(tmp_path, {name: [1.0] for name in flow.FEATURE_NAMES[1:]})
    damaged = "ab" * 32
    (tmp_path / f"{damaged}.parquet").write_bytes(b"PAR1")
    told = {
        what: comparison.drift_reference(flow.manifest(reference_sha256=digest), tmp_path)
        for what, digest in (("none", None), ("gone", "cd"), ("bad", damaged), ("lack", lacking))
    }

    assert all(found is None for found, _ in told.values())
    assert "has no drift reference" in told["none"][1]
    assert "is not in the model store" in told["gone"][1]
    assert "is damaged" in told["bad"][1]
    assert "lacks home_log_area" in told["lack"][1]
    assert comparison.drift_reference(None, tmp_path) == (None, "no champion was announced")


def test_what_the_champion_was_trained_on_is_left_out_if_there_is_more() -> None:
    days = {1: 5, 2: 5, 3: 5}

    assert comparison.untrained(days, flow.manifest(trained_to_ms=3 * DAY_MS)) == {3: 5}
    assert comparison.untrained(days, flow.manifest(trained_to_ms=9 * DAY_MS)) == days
    assert comparison.untrained({}, flow.manifest(trained_to_ms=0)) == {}
