"""A sample needs no more memory for ten million rows, and looks like all of them."""

from collections import Counter

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from monitoring import sampling
from monitoring.sampling import WEEK_MS, Sample, Sampler, Sampling

HOW = Sampling(200, seed=7, id_column="id", time_column="at_ms", newest_by=("revision",))


def rows(count: int, first: int = 0, revision: int = 0) -> pa.Table:
    """Three of four rows are of region a, and every 500 rows are a week."""
    numbers = np.arange(first, first + count)
    return pa.table(
        {
            "id": [f"home-{number}" for number in numbers],
            "region": np.where(numbers % 4 == 0, "b", "a").tolist(),
            "at_ms": numbers * (WEEK_MS // 500),
            "revision": np.full(count, revision),
        }
    )


def sampled(*tables: pa.Table, how: Sampling = HOW) -> Sample:
    sampler = Sampler(how)
    for table in tables:
        sampler.add(table)
    return sampler.sample()


def test_few_rows_are_all_there_in_the_order_of_time() -> None:
    found = sampled(rows(100, first=100), rows(100))

    assert found.rows == 200
    assert found.frame["at_ms"].is_monotonic_increasing
    assert list(found.frame.columns) == ["id", "region", "at_ms", "revision"]


def test_nothing_has_a_sample_of_nothing() -> None:
    assert sampled().rows == 0
    assert sampled(rows(0)).frame.empty


def test_each_region_and_week_has_its_share() -> None:
    found = sampled(*(rows(500, first=first) for first in range(0, 4_000, 500)))

    weeks = found.frame["at_ms"] // WEEK_MS
    told = Counter(zip(found.frame["region"], weeks, strict=True))
    assert (found.rows, len(found.frame)) == (4_000, 200)
    # 25 of 200 rows a week, and one of four of them is of region b
    assert {count for (region, _), count in told.items() if region == "b"} <= {6, 7}
    assert {count for (region, _), count in told.items() if region == "a"} <= {18, 19}


def test_order_and_cutting_leave_no_trace_and_the_seed_does() -> None:
    tables = [rows(500, first=first) for first in range(0, 4_000, 500)]
    once = sampled(pa.concat_tables(tables)).frame

    pd.testing.assert_frame_equal(sampled(*reversed(tables)).frame, once)
    other = sampled(*tables, how=HOW._replace(seed=8)).frame
    assert set(other["id"]) != set(once["id"])


def test_an_id_that_comes_again_is_one_row_and_the_newest_counts() -> None:
    found = sampled(rows(3_000), rows(3_000, revision=1), rows(100))

    assert found.frame["id"].is_unique
    assert set(found.frame["revision"]) == {1}


def test_the_memory_stays_the_same_however_many_rows_come() -> None:
    sampler = Sampler(HOW)
    held = []
    for first in range(0, 200_000, 10_000):
        sampler.add(rows(10_000, first=first))
        held.append(sum(table.num_rows for table in sampler._tables))

    assert max(held) <= 2 * sampling.KEPT_TO_WANTED * HOW.wanted


def test_regions_without_end_share_one_stratum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "STRATA_MAX", 3)

    sampler = Sampler(HOW)
    sampler.add(rows(4_000))

    assert len(sampler._strata) == 4
    assert abs(len(sampler.sample().frame) - 200) <= 50


def test_a_sample_that_takes_the_first_rows_is_no_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the number of a row is its place. Late weeks are missing then."""
    late = 39_000 * (WEEK_MS // 500)
    assert (sampled(rows(40_000)).frame["at_ms"] > late).any()

    monkeypatch.setattr(
        sampling, "_numbers", lambda ids, _seed: np.arange(len(ids), dtype=np.uint64)
    )

    assert not (sampled(rows(40_000)).frame["at_ms"] > late).any()
