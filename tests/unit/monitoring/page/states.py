"""States of what is known, as the reader would have them, made of days and messages. No files."""

from collections.abc import Iterable, Mapping

from monitoring.alerting import book as books
from monitoring.page.figures import Sums
from monitoring.page.known import Known, Said
from monitoring.page.reports import Report
from monitoring.rollup import MILLIONTHS, SERVED, Day
from stream_app.contract import requests
from stream_app.contract.alerts import AnyAlertMessage
from stream_app.contract.models import AnyModelMessage
from stream_app.contract.spans import DAY_MS
from tests.builders import MARKET

FIRST = 16_000  # 2013-10-22
ERROR = 0.1
WALL_MS = 1_763_700_000_000


def day(answers: int = 20, labels: int = 10, bias: float = 0.0, error: float = ERROR) -> Day:
    """A day on which so much was answered and sold; every error of the same size."""
    counts = {
        "answer": answers,
        "event.listing": answers,
        "version.v1": answers,
        "step.champion": answers,
        "price.131": answers,
        "width.4": answers,
        "latency.80": answers,
        "listed.n": answers,
        "listed.log": 13 * answers * MILLIONTHS,
    }
    if labels:
        for kind in (SERVED, "answer", "champion", "naive"):
            counts |= {
                f"{kind}.30d.n": labels,
                f"{kind}.30d.abs": round(labels * max(error, abs(bias)) * MILLIONTHS),
                f"{kind}.30d.signed": round(labels * bias * MILLIONTHS),
                f"{kind}.30d.square": round(labels * (error**2 + bias**2) * MILLIONTHS),
            }
        counts |= {"interval.n": labels, "interval.in": labels * 9 // 10}
    return Day(counts, WALL_MS - 10 * DAY_MS)


def days(count: int, **changes: object) -> dict[int, Day]:
    """So many days alike."""
    return {FIRST + number: day(**changes) for number in range(count)}  # type: ignore[arg-type]


def known(
    of_days: Mapping[int, Day],
    alerts: Iterable[AnyAlertMessage] = (),
    models: Iterable[AnyModelMessage] = (),
    reports: Iterable[Report] = (),
) -> Known:
    """A state of King County; HDB has never answered."""
    said = [Said(WALL_MS, message) for message in alerts]
    messages = [each.message for each in said]
    return Known(
        sums={MARKET: Sums(of_days), "hdb": Sums({})},
        archived_ms={MARKET: WALL_MS},
        alerts=said,
        models=[Said(WALL_MS, message) for message in models],
        book=books.of_log(messages),
        requests=requests.of(messages),
        reports=tuple(reports),
        refreshed_ms=WALL_MS,
    )
