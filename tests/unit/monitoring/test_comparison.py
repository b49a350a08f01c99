"""Which rows are held against which."""

import hashlib
from pathlib import Path

import pandas as pd

from monitoring import comparison
from monitoring.windows import Window, Windows
from tests import flow

HALVES = Windows(None, None)
FRAME = pd.DataFrame({"sold_ms": [10, 20, 30, 40]})


def stored(folder: Path, columns: dict[str, list[float]]) -> str:
    """Put a drift reference into a model store; return its hash."""
    plain = folder / "plain"
    pd.DataFrame(columns).to_parquet(plain)
    digest = hashlib.sha256(plain.read_bytes()).hexdigest()
    plain.rename(folder / f"{digest}.parquet")
    return digest


def test_windows_part_the_rows() -> None:
    sides = comparison.split(FRAME, "sold_ms", Windows(Window(10, 20), Window(30, 41)))

    assert sides.reference["sold_ms"].tolist() == [10]
    assert sides.current["sold_ms"].tolist() == [30, 40]


def test_without_windows_the_older_half_is_the_reference() -> None:
    sides = comparison.split(FRAME, "sold_ms", HALVES)

    assert sides.reference["sold_ms"].tolist() == [10, 20]
    assert sides.current["sold_ms"].tolist() == [30, 40]


def test_no_rows_make_two_empty_sides() -> None:
    windows = Windows(Window(10, 20), Window(30, 41))
    for asked in (windows, HALVES):
        sides = comparison.split(pd.DataFrame(), "sold_ms", asked)
        assert sides.reference.empty
        assert sides.current.empty


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
    trained_to_30 = flow.manifest(trained_to_ms=30)
    trained_to_50 = flow.manifest(trained_to_ms=50)

    later = comparison.after_training(FRAME, "sold_ms", trained_to_30)

    assert later["sold_ms"].tolist() == [30, 40]
    assert len(comparison.after_training(FRAME, "sold_ms", trained_to_50)) == 4
    assert comparison.after_training(pd.DataFrame(), "sold_ms", trained_to_30).empty


def test_a_sample_is_bounded_and_the_same_each_time() -> None:
    frame = pd.DataFrame({"n": range(1_000)})

    drawn = comparison.sample(frame, 100, seed=3)

    assert len(drawn) == 100
    assert drawn.equals(comparison.sample(frame, 100, seed=3))
    assert not drawn.equals(comparison.sample(frame, 100, seed=4))
    assert comparison.sample(frame, 1_000, seed=3) is frame


def test_what_the_champion_answered_is_kept_if_there_is_any() -> None:
    frame = pd.DataFrame({"versions_champion": ["v1", None, "v2"]})

    assert len(comparison.answered_by(frame, flow.manifest(version="v1"))) == 1
    assert len(comparison.answered_by(frame, flow.manifest(version="v9"))) == 3
    assert len(comparison.answered_by(frame, None)) == 3
