"""Where events come from. How to add a source: source.py."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from producers.sources import hdb, king_county
from producers.sources.history import Tally, history
from producers.sources.source import Source
from producers.sources.table import BadFile
from stream_app.contract.events import AnyEvent

__all__ = ["DATA_FOLDER", "SOURCES", "BadFile", "Source", "Tally", "default_paths", "read"]

DATA_FOLDER = Path(__file__).parents[2] / "data"

SOURCES: Mapping[str, Source] = MappingProxyType(
    {"king-county": king_county.SOURCE, "hdb": hdb.SOURCE}
)


def default_paths(name: str, data_folder: Path = DATA_FOLDER) -> list[Path]:
    """The shipped samples of a source."""
    return [data_folder / file for file in SOURCES[name].default_files]


def read(
    name: str, paths: Sequence[Path], seed: int, tally: Tally | None = None
) -> Iterator[AnyEvent]:
    """Events of the files in event-time order; the same files and seed give the same events.

    Raises
    ------
    BadFile : a file cannot be used, or `tally` is strict and a row cannot be read
    """
    return iter(history(SOURCES[name], paths, seed, tally or Tally()))
