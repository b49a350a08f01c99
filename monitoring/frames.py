"""The archive as pandas frames. The one module that opens archived files.

Only files that a manifest names are read, and of these only the ones whose event
times touch the window. A prediction or outcome that the log holds twice (a topic that
was recreated and filled again) is one row: the one appended last.
"""

import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from monitoring import chain
from monitoring.sampling import Sample, Sampler, Sampling
from monitoring.windows import Window
from stream_app.contract import wire
from stream_app.contract.archive import ArchiveFile
from stream_app.contract.models import AliasSet, ChampionAnnounced, Manifest
from stream_app.contract.spans import DAY_MS
from stream_app.contract.topics import MODELS, OUTCOMES, PREDICTIONS, Topic, full_name

M = TypeVar("M")

ALWAYS = Window(0, 2**53)
CATEGORY = re.compile(r"_code$")  # features that hold crc32 of a text
UNKNOWN = "unknown"
TIME_COLUMNS = {PREDICTIONS.name: "event_time_ms", OUTCOMES.name: "sold_ms"}
# Of a topic that was recreated and of a corrected sale, the row that counts comes last.
NEWEST_BY = {
    PREDICTIONS.name: ("appended_ms", "offset"),
    OUTCOMES.name: ("sale_revision", "appended_ms", "offset"),
}
_PLACED = ("prediction_id", TIME_COLUMNS[OUTCOMES.name], *NEWEST_BY[OUTCOMES.name])
BATCH_ROWS = 20_000  # read at once: some 20 MB


class Size(NamedTuple):
    """How many rows are drawn at most, and by which seed."""

    rows: int
    seed: int


class Market(NamedTuple):
    """Where the rows of one market lie."""

    root: Path
    prefix: str
    name: str

    def files(self, topic: Topic) -> Iterator[ArchiveFile]:
        """All files of decoded messages of a topic."""
        return _of_market(self.root, full_name(self.prefix, topic), self.name)

    def raw_files(self, topic: Topic) -> Iterator[ArchiveFile]:
        """All files of records as they came."""
        raw = _files(self.root, full_name(self.prefix, topic), "raw")
        return (file for file in raw if file.market == self.name)


def outcomes(
    root: Path, prefix: str, market: str, window: Window = ALWAYS, columns: Iterable[str] = ()
) -> pd.DataFrame:
    """Read outcomes by the time of their sale; of a corrected sale the last correction.

    `columns`: read these, and what tells when and which is the last; none named: all.
    """
    topic = full_name(prefix, OUTCOMES)
    read = list(dict.fromkeys([*columns, *_PLACED])) if columns else None
    frame = _read(root, topic, market, window, "sold_ms", read)
    frame = _newest(frame, list(NEWEST_BY[OUTCOMES.name]))
    return frame if frame.empty else frame.sort_values(["sold_ms", "offset"], ignore_index=True)


def sampled(
    market: Market,
    topic: Topic,
    window: Window,
    size: Size,
    champion: str | None = None,
) -> Sample:
    """Draw rows of a window, in memory that does not depend on how many there are.

    `champion`: only what this version answered.
    """
    time_column = TIME_COLUMNS[topic.name]
    sampler = Sampler(Sampling(*size, "prediction_id", time_column, NEWEST_BY[topic.name]))
    for file in market.files(topic):
        if not touches(file, window):
            continue
        for table in batches(market.root / file.path, None):
            sampler.add(_answered(_in_window(table, time_column, window), champion))
    return sampler.sample()


def rows_by_day(market: Market, topic: Topic, champion: str | None = None) -> Counter[int]:
    """Count the rows of each day since 1970 (UTC), as they lie."""
    days: Counter[int] = Counter()
    for file in market.files(topic):
        for table in batches(
            market.root / file.path, [TIME_COLUMNS[topic.name], "versions_champion"]
        ):
            times = _answered(table, champion)[TIME_COLUMNS[topic.name]]
            days.update(pc.divide(times, DAY_MS).to_pylist())
    return days


def sales_of(market: Market, prediction_ids: pd.Series) -> pd.DataFrame:
    """Find the sales of some predictions, of a corrected one the last correction."""
    wanted = pa.array(prediction_ids)
    tables = [
        table.filter(pc.is_in(table["prediction_id"], wanted))
        for file in market.files(OUTCOMES)
        for table in batches(market.root / file.path, None)
    ]
    if not tables:
        return pd.DataFrame()
    frame = pa.concat_tables(tables, promote_options="default").to_pandas()
    return _newest(frame, list(NEWEST_BY[OUTCOMES.name]))


def newest_ms(market: Market, topic: Topic) -> int | None:
    """Find the newest event time of a market; None without any."""
    return max((file.event_to_ms for file in market.files(topic)), default=None)


def champion(root: Path, prefix: str, market: str) -> Manifest | None:
    """Find the manifest of the market's champion as last announced; None without any."""
    manifests: dict[str, Manifest] = {}
    alias: str | None = None
    for message in _announcements(root, full_name(prefix, MODELS)):
        if isinstance(message, ChampionAnnounced) and message.manifest.market == market:
            manifests[message.manifest.version] = message.manifest
        elif isinstance(message, AliasSet) and (message.market, message.alias) == (
            market,
            "champion",
        ):
            alias = message.version
    return None if alias is None else manifests.get(alias)


def features(frame: pd.DataFrame, manifest: Manifest) -> pd.DataFrame:
    """Name the served features: a column each, NaN where unknown, the index kept.

    Rows of another feature set than the manifest's are left out.
    """
    if frame.empty:
        return pd.DataFrame(columns=list(manifest.feature_names), dtype=float)
    same = frame[frame["versions_feature_set"] == manifest.feature_set]
    matrix = np.array(same["features"].tolist(), dtype=np.float64)
    matrix = matrix.reshape(len(same), len(manifest.feature_names))
    return pd.DataFrame(matrix, columns=list(manifest.feature_names), index=same.index)


def categories(manifest: Manifest) -> tuple[str, ...]:
    """Name the features that hold codes of texts, in the manifest's order."""
    names = manifest.feature_names
    return tuple(n for n in names if n in manifest.encodings or CATEGORY.search(n))


def with_texts(frame: pd.DataFrame, columns: Iterable[str], texts: Iterable[str]) -> pd.DataFrame:
    """Turn codes (crc32 of a text) into text where it is known, else into the number."""
    known = {float(zlib.crc32(text.encode())): text for text in texts}
    named = frame.copy()
    for column in columns:
        named[column] = [known.get(code, _code_text(code)) for code in frame[column]]
    return named


def _code_text(code: float) -> str:
    return UNKNOWN if np.isnan(code) else f"{code:.0f}"


def _read(
    root: Path,
    topic: str,
    market: str,
    window: Window,
    time_column: str,
    columns: list[str] | None,
) -> pd.DataFrame:
    wanted = (file for file in _of_market(root, topic, market) if touches(file, window))
    read = (pq.read_table(root / file.path, columns=columns) for file in wanted)
    tables = [_in_window(table, time_column, window) for table in read]
    if not tables:
        return pd.DataFrame()
    # A field that the contract gained later is null in older files.
    frame: pd.DataFrame = pa.concat_tables(tables, promote_options="default").to_pandas()
    return frame


def _files(root: Path, topic: str, layout: Literal["message", "raw"]) -> Iterator[ArchiveFile]:
    for manifest in chain.manifests(root, topic):
        yield from (file for file in manifest.files if file.layout == layout)


def _of_market(root: Path, topic: str, market: str) -> Iterator[ArchiveFile]:
    return (file for file in _files(root, topic, "message") if file.market == market)


def batches(path: Path, columns: list[str] | None) -> Iterator[pa.Table]:
    """Read a file part by part; without `columns` all of them."""
    for batch in pq.ParquetFile(path).iter_batches(BATCH_ROWS, columns=columns):
        yield pa.Table.from_batches([batch])


def messages(path: Path, decode: Callable[[bytes], M]) -> Iterator[tuple[int, M]]:
    """The messages of a file of records as they came, each with when it was appended.

    What nobody can read is left out: a newer program's, or nobody's.
    """
    table = pq.read_table(path, columns=["appended_ms", "value"])
    for appended_ms, value in zip(*(c.to_pylist() for c in table.columns), strict=True):
        try:
            yield appended_ms, decode(value or b"")
        except msgspec.MsgspecError:
            continue


def _answered(table: Any, champion: str | None) -> Any:  # noqa: ANN401 - untyped
    return table if champion is None else table.filter(pc.field("versions_champion") == champion)


def touches(file: ArchiveFile, window: Window) -> bool:
    """Tell whether any of its event times may lie in the window."""
    return file.event_from_ms < window.to_ms and file.event_to_ms >= window.from_ms


def _in_window(table: Any, time_column: str, window: Window) -> Any:  # noqa: ANN401 - untyped
    times = table[time_column]
    inside = pc.and_(pc.greater_equal(times, window.from_ms), pc.less(times, window.to_ms))
    return table.filter(inside)


def _newest(frame: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    if frame.empty:
        return frame
    return frame.sort_values(order).drop_duplicates("prediction_id", keep="last", ignore_index=True)


def _announcements(root: Path, topic: str) -> Iterator[object]:
    """Read the model messages in the order the broker took them."""
    rows: list[tuple[int, int, bytes]] = []
    for file in _files(root, topic, "raw"):
        table = pq.read_table(root / file.path, columns=["appended_ms", "offset", "value"])
        columns = (table[name].to_pylist() for name in ("appended_ms", "offset", "value"))
        rows += [row for row in zip(*columns, strict=True) if row[2] is not None]
    for _, _, value in sorted(rows):
        yield wire.decode_model_message(value)
