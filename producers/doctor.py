"""Why would this be rejected? Judges a file line by line, without a broker.

JSON lines are judged as they are. A CSV file goes through its source first; its
row is as good as the worse of its listing and its sale.
"""

import gzip
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from producers.judgement import Judgement, Verdict, judge
from producers.sources import SOURCES, BadFile
from producers.sources.history import offers
from producers.sources.source import Offer
from producers.sources.table import BadRow
from stream_app.contract import wire
from stream_app.contract.events import kind_of

# Beside the scorer's codes: a row of a CSV file from which no event can be made.
UNREADABLE = "unreadable_row"


class Finding(Struct, frozen=True):
    """What would become of one line."""

    line: int
    verdict: Verdict
    code: str | None  # of a reject
    detail: str

    def __str__(self) -> str:
        told = f"line {self.line}: {self.verdict}"
        if self.code is not None:
            told += f", {self.code}"
        return f"{told}: {self.detail}" if self.detail else told


def check_json_lines(path: Path, now_ms: int) -> Iterator[Finding]:
    """Judge each line that is not empty.

    Raises
    ------
    BadFile : the file cannot be read
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _finding(number, judge(line.rstrip(b"\r\n"), now_ms))
    except (OSError, EOFError, zlib.error) as error:
        raise BadFile(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def check_source(name: str, path: Path, seed: int, now_ms: int) -> Iterator[Finding]:
    """Judge each row of a source's file.

    Raises
    ------
    BadFile : the file cannot be used at all
    """
    for found in offers(SOURCES[name], path, seed):
        if isinstance(found, BadRow):
            yield Finding(found.line, Verdict.REJECTED, UNREADABLE, found.problem)
            continue
        line, offer, repaired = found
        judgement = _judge_offer(offer, now_ms)
        if repaired and judgement.verdict is not Verdict.REJECTED:
            judgement = Judgement(Verdict.REPAIRED, detail=f"columns {', '.join(repaired)}")
        yield _finding(line, judgement)


def count(finding: Finding, counts: Counter[str]) -> None:
    """Count a finding by verdict, and a reject by code as well."""
    counts[finding.verdict] += 1
    if finding.code is not None:
        counts[f"rejected:{finding.code}"] += 1


def _judge_offer(offer: Offer, now_ms: int) -> Judgement:
    for event in offer:
        judgement = judge(wire.encode(event), now_ms)
        if judgement.verdict is Verdict.REJECTED:
            return Judgement(
                judgement.verdict, judgement.code, f"{kind_of(event)}: {judgement.detail}"
            )
    return judgement


def _finding(line: int, judgement: Judgement) -> Finding:
    return Finding(line, judgement.verdict, judgement.code, judgement.detail)
