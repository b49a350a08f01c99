"""A sample of a stream of rows, in memory that does not grow with the stream. Pure.

Idea. Each row draws a number: a seeded hash of its id. The rows with the least numbers are
kept, which is a uniform sample of all ids, whatever the order, without a random generator; an
id that comes twice draws the same number and is one row. Twice as many rows as wanted are kept,
and of these each stratum (a region's week) gives as many as its share of all rows says, so
that chance makes no region and no week larger than it is.

W. G. Cochran, "Sampling techniques", 1977, chapter 5 (proportional allocation).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from stream_app.contract.spans import DAY_MS

KEPT_TO_WANTED = 2
STRATA_MAX = 20_000  # 70 regions have that many weeks in 5 years; more are one stratum
WEEK_MS = 7 * DAY_MS
_NUMBER = "drawn_number"
_ALL = np.iinfo(np.uint64).max
_REST = ("", 0)

Stratum = tuple[str, int]  # region, number of the week


class Sampling(NamedTuple):
    """How a topic is sampled."""

    wanted: int  # rows
    seed: int
    id_column: str
    time_column: str
    newest_by: Sequence[str]  # of rows of one id the last in this order counts


class Sample(NamedTuple):
    """Rows in the order of their time, and of how many they were drawn."""

    frame: pd.DataFrame
    rows: int


class Sampler:
    """Takes in tables, gives a sample. Holds four times the wanted rows at most, and a table."""

    def __init__(self, sampling: Sampling) -> None:
        self._how = sampling
        self._tables: list[pa.Table] = []
        self._kept = 0
        self._bound = _ALL  # rows that draw more are not among the least
        self._seen = 0
        self._strata: Counter[Stratum] = Counter()

    def add(self, table: pa.Table) -> None:
        """Take in rows; columns as archived, `region` among them."""
        self._seen += table.num_rows
        self._count(table)
        numbers = _numbers(table[self._how.id_column], self._how.seed)
        low = table.append_column(_NUMBER, pa.array(numbers)).filter(numbers <= self._bound)
        self._tables.append(low)
        self._kept += low.num_rows
        if self._kept > 2 * KEPT_TO_WANTED * self._how.wanted:
            self._shrink()

    def sample(self) -> Sample:
        """Give the sample of what was taken in so far."""
        if not self._tables:
            return Sample(pd.DataFrame(), 0)
        self._shrink()
        frame: pd.DataFrame = self._tables[0].to_pandas()
        rows = len(frame) if self._bound == _ALL else self._seen
        if len(frame) > self._how.wanted:
            frame = self._chosen(frame)
        times = [self._how.time_column, *self._how.newest_by]
        ordered = frame.drop(columns=_NUMBER).sort_values(times, ignore_index=True)
        return Sample(ordered, rows)

    def _count(self, table: pa.Table) -> None:
        for stratum, count in Counter(_strata(table, self._how.time_column)).items():
            known = stratum in self._strata or len(self._strata) < STRATA_MAX
            self._strata[stratum if known else _REST] += count

    def _shrink(self) -> None:
        """Of each id keep the newest row, and of the ids those with the least numbers."""
        table = pa.concat_tables(self._tables, promote_options="default")
        order = table.select([_NUMBER, *self._how.newest_by]).to_pandas()
        order = order.sort_values([_NUMBER, *self._how.newest_by])
        least = order.drop_duplicates(_NUMBER, keep="last")
        capacity = KEPT_TO_WANTED * self._how.wanted
        if len(least) > capacity:
            least = least.head(capacity)
            self._bound = least[_NUMBER].iloc[-1]
        self._tables = [table.take(pa.array(least.index))]
        self._kept = len(least)

    def _chosen(self, frame: pd.DataFrame) -> pd.DataFrame:
        weeks = frame[self._how.time_column] // WEEK_MS
        strata = list(zip(frame["region"], weeks, strict=True))
        known = [stratum if stratum in self._strata else _REST for stratum in strata]
        quotas = allotted(self._strata, self._how.wanted)
        ranks = frame.groupby(pd.Index(known))[_NUMBER].rank(method="first")
        return frame[ranks.to_numpy() <= np.array([quotas[stratum] for stratum in known])]


def allotted(strata: Mapping[Stratum, int], wanted: int) -> dict[Stratum, int]:
    """Part `wanted` rows among the strata by their shares, the largest remainders rounded up.

    >>> allotted({("a", 0): 600, ("b", 0): 300, ("c", 0): 100}, 5)
    {('a', 0): 3, ('b', 0): 2, ('c', 0): 0}
    """
    total = sum(strata.values())
    quotas = {stratum: wanted * count // total for stratum, count in strata.items()}
    left = wanted - sum(quotas.values())
    for stratum in sorted(strata, key=lambda s: (-(wanted * strata[s] % total), s))[:left]:
        quotas[stratum] += 1
    return quotas


def _numbers(ids: pa.ChunkedArray, seed: int) -> NDArray[np.uint64]:
    key = f"{seed:016d}"[:16]  # 16 bytes, as the hash wants them
    return pd.util.hash_array(ids.to_numpy(), hash_key=key, categorize=False)


def _strata(table: pa.Table, time_column: str) -> list[Stratum]:
    weeks = pc.divide(table[time_column], WEEK_MS).to_pylist()
    return list(zip(table["region"].to_pylist(), weeks, strict=True))
