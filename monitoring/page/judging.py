"""From what is known to the facts that the first line is made of. Pure."""

from monitoring.alerting.book import Entry, Standing
from monitoring.page import figures
from monitoring.page.figures import Errors, Holds, Stretch, Sums
from monitoring.page.known import Known
from monitoring.page.verdict import LABELS_MIN, Facts, has_risen, lies_off
from monitoring.page.view import BASELINE_WINDOWS, View
from monitoring.quality import ANSWER
from monitoring.rollup import SERVED
from stream_app.contract.alerts import RequestStatus
from stream_app.contract.archive import ALL_MARKETS
from stream_app.contract.spans import DAY_MS


def facts(known: Known, view: View) -> Facts:
    """All of a market, in the view's window."""
    sums, asked = known.sums[view.market], _requests(known, view.market)
    now = errors(sums, view.window)
    baseline = errors(sums, view.baseline)
    labelled = figures.last_label(sums)
    return Facts(
        market=view.title,
        now_ms=known.refreshed_ms,
        market_ms=(sums.axis.end - 1) * DAY_MS if sums.axis.days else None,
        archived_ms=known.archived_ms.get(view.market),
        labelled_ms=None if labelled is None else labelled * DAY_MS,
        errors=now,
        baseline=baseline,
        coverage=figures.share(sums, "interval", view.window),
        level_since_ms=_since_ms(sums, view.window, lambda s: lies_off(errors(sums, s))),
        rise_since_ms=_since_ms(sums, view.window, lambda s: _rose(sums, s)),
        healthy_since_ms=_since_ms(sums, view.window, lambda s: _is_well(sums, s)),
        alerts=[(e.begun_ms, e.alert) for e in unattended(known, view.market)],
        running=asked[0],
        waiting=asked[1],
    )


def errors(sums: Sums, stretch: Stretch) -> Errors | None:
    """Of the answers that champion and naive can be held against; else of all that was served."""
    return figures.errors(sums, ANSWER, stretch) or figures.errors(sums, SERVED, stretch)


def is_red(sums: Sums, stretch: Stretch) -> bool:
    """Whether a window's prices are not as they should be, as far as its labels tell."""
    return lies_off(errors(sums, stretch)) or _rose(sums, stretch)


def _is_well(sums: Sums, stretch: Stretch) -> bool:
    """Whether there are labels enough to say that nothing is wrong."""
    found = errors(sums, stretch)
    return found is not None and found.n >= LABELS_MIN and not is_red(sums, stretch)


def entries(known: Known, market: str) -> list[Entry]:
    """Alerts of a market, and of what is of no one market, such as a worker."""
    own = (market, ALL_MARKETS)
    return [entry for entry in known.book.values() if entry.alert.market in own]


def unattended(known: Known, market: str) -> list[Entry]:
    """Those that stand, and that nobody has acknowledged or snoozed."""
    found = entries(known, market)
    return [entry for entry in found if entry.standing(known.refreshed_ms) is Standing.OPEN]


def _rose(sums: Sums, stretch: Stretch) -> bool:
    earlier = figures.before(stretch, BASELINE_WINDOWS * stretch.days)
    return has_risen(errors(sums, stretch), errors(sums, earlier))


def _since_ms(sums: Sums, window: Stretch, holds: Holds) -> int | None:
    return figures.since(sums, window, holds) * DAY_MS if holds(window) else None


def _requests(known: Known, market: str) -> tuple[str | None, str | None]:
    """The newest request that offline works on, and the newest that waits for a person."""
    running = waiting = None
    for asked in known.requests.values():
        if asked.request.market != market:
            continue
        if asked.status in (RequestStatus.ACCEPTED, RequestStatus.RUNNING):
            running = asked.request.request_id
        if asked.status is RequestStatus.WAITING and asked.approval is None:
            waiting = asked.request.request_id
    return running, waiting
