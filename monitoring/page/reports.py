"""The Evidently reports there are, as far as the page tells them: `var/reports/<run>/summary.json`."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import msgspec
from msgspec import Struct

from monitoring.index import SUMMARY

RUN = re.compile(r"[a-z0-9][A-Za-z0-9.-]*")  # a folder's name, and no way out of the folder
SHOWN_MAX = 200  # of the newest that are held; the index lists all


class Rows(Struct, frozen=True):
    """One side of a comparison. Days are of the rows there were; None without any."""

    what: str
    from_day: str | None
    to_day: str | None
    rows: int


class Column(Struct, frozen=True):
    column: str
    method: str
    score: float | None
    score_max: float
    drifted: bool
    unknown_reference: float
    unknown_current: float


class Drift(Struct, frozen=True):
    reference: Rows
    current: Rows
    columns: tuple[Column, ...]


class Quality(Struct, frozen=True):
    current: Rows


class Report(Struct, frozen=True, kw_only=True):
    """What the page needs of a summary; the rest of it may change."""

    market: str
    made: str
    champion: str | None = None
    drift: Drift | None = None
    quality: Quality | None = None
    findings: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    run: str = ""  # the folder's name

    @property
    def pages(self) -> tuple[str, ...]:
        return tuple(name for name in self.files if name.endswith(".html"))


def read(folder: Path) -> Sequence[Report]:
    """The newest reports, newest first; those that another version wrote are left out."""
    names = sorted((path.parent.name for path in folder.glob(f"*/{SUMMARY}")), key=_made)
    found = (_read(folder / name / SUMMARY) for name in reversed(names[-SHOWN_MAX:]))
    return [report for report in found if report is not None]


def of_window(reports: Sequence[Report], market: str, first: str, last: str) -> Report | None:
    """The newest report on a window of days: on sales that touch it, else on prices."""
    own = [report for report in reports if report.market == market]
    for side in ("quality", "drift"):
        for report in own:
            part: Quality | Drift | None = getattr(report, side)
            if part is not None and _touches(part.current, first, last):
                return report
    return None


def newest(reports: Sequence[Report], market: str) -> Report | None:
    """The newest one with a comparison of inputs."""
    return next((r for r in reports if r.market == market and r.drift is not None), None)


def file_of(folder: Path, reports: Sequence[Report], run: str, name: str) -> Path | None:
    """A file of a report; None: no such report, or none of its files."""
    listed: Mapping[str, Report] = {report.run: report for report in reports}
    report = listed.get(run)
    return folder / run / name if report is not None and name in (*report.files, SUMMARY) else None


def _touches(rows: Rows, first: str, last: str) -> bool:
    if rows.from_day is None or rows.to_day is None:
        return False
    return rows.from_day <= last and rows.to_day >= first


def _made(name: str) -> str:
    """Folders are named <market>-<time>Z: the time alone puts them in order."""
    return name.rpartition("-")[2]


@lru_cache(maxsize=2 * SHOWN_MAX)
def _read(path: Path) -> Report | None:
    """Read once: a summary is written with its folder and not changed."""
    if not RUN.fullmatch(path.parent.name):
        return None
    try:
        report = msgspec.json.decode(path.read_bytes(), type=Report)
    except (OSError, msgspec.MsgspecError):
        return None
    return msgspec.structs.replace(report, run=path.parent.name)
