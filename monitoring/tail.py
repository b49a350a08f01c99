"""What is new in the archive, told once, in the order in which it was published.

Each range begins where the one before ends, so the name of the next manifest is known: a round
that finds nothing looks for one file per partition, however long the archive is. Chains of several
partitions are put in order by the time at which their ranges were made; nothing is kept but where
each chain goes on, and one file's rows.
"""

import heapq
from collections.abc import Iterator, Sequence
from operator import attrgetter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from monitoring import chain
from stream_app.contract.archive import MANIFESTS, ArchiveFile, ArchiveManifest, manifest_name


class Tail:
    """One reader's place in each chain."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._next: dict[str, int] = {}  # name of a chain -> the offset to go on from
        self.rows = 0

    def tables(
        self, topics: Sequence[str], markets: Sequence[str]
    ) -> Iterator[tuple[ArchiveManifest, ArchiveFile, pa.Table]]:
        """What was published since, of these markets' folders. Topics are full names."""
        chains = [
            self._since(name, first)
            for topic in topics
            for name, first in chain.begun(self._root, topic)
        ]
        for manifest in heapq.merge(*chains, key=attrgetter("made_ms")):
            for file, table in self._read(manifest, markets):
                self.rows += table.num_rows
                yield manifest, file, table

    def _since(self, name: str, first: Path) -> Iterator[ArchiveManifest]:
        for manifest in chain.follow(first, self._next.get(name, 0)):
            self._next[name] = manifest.next_offset
            yield manifest

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
