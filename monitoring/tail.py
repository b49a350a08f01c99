"""What is new in the archive, told once, in the order in which the broker took it.

Each range begins where the one before ends, so the name of the next manifest is known: a round
that finds nothing looks for one file per partition, however long the archive is. Chains of several
partitions are put in order by some rows at a time. Range by range would not do: one of a fast replay
holds thousands of rows, a partition holds some regions, and detectors that see one partition after
the other take their regions for other homes. Nothing is kept but where each chain goes on, and
one file's rows of each.
"""

import heapq
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from monitoring import chain
from stream_app.contract.archive import MANIFESTS, ArchiveFile, ArchiveManifest, manifest_name

ROWS_AT_ONCE = 25  # a day of HDB's in a partition: far fewer than any detector's window


class Rows(NamedTuple):
    """Some rows of one file."""

    appended_ms: int  # of the first
    manifest: ArchiveManifest
    file: ArchiveFile
    table: pa.Table


class Tail:
    """One reader's place in each chain."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._next: dict[str, int] = {}  # name of a chain -> the offset to go on from
        self.rows = 0

    def tables(self, topics: Sequence[str], markets: Sequence[str]) -> Iterator[Rows]:
        """What was published since, of these markets' folders. Topics are full names."""
        chains = [
            self._since(name, first, markets)
            for topic in topics
            for name, first in chain.begun(self._root, topic)
        ]
        for rows in heapq.merge(*chains, key=itemgetter(0)):
            self.rows += rows.table.num_rows
            yield rows

    def _since(self, name: str, first: Path, markets: Sequence[str]) -> Iterator[Rows]:
        for manifest in chain.follow(first, self._next.get(name, 0)):
            self._next[name] = manifest.next_offset
            for file, table in self._read(manifest, markets):
                for start in range(0, table.num_rows, ROWS_AT_ONCE):
                    some = table.slice(start, ROWS_AT_ONCE)
                    yield Rows(some["appended_ms"][0].as_py(), manifest, file, some)

    def _read(
        self, manifest: ArchiveManifest, markets: Sequence[str]
    ) -> list[tuple[ArchiveFile, pa.Table]]:
        try:
            return self._opened(manifest, markets)
        except FileNotFoundError:  # erased or pruned just now: the manifest says what is left
            folder = self._root / MANIFESTS / manifest.topic / manifest.topic_id
            name = manifest_name(manifest.partition, manifest.first_offset)
            return self._opened(chain.read(folder / name), markets)

    def _opened(
        self, manifest: ArchiveManifest, markets: Sequence[str]
    ) -> list[tuple[ArchiveFile, pa.Table]]:
        return [
            (file, pq.read_table(self._root / file.path))
            for file in manifest.files
            if file.market in markets
        ]
