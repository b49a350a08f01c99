"""What a sink is told of a cause, as JSON and as the text of a mail. Pure.

Summaries and segments hold what publishers sent. So every text is cut, and control characters
go: no header of a mail, no line of a log, no terminal can be written by them.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from monitoring.alerting.book import Entry
from monitoring.alerting.causes import CAUSES
from stream_app.contract.alerts import Alert
from stream_app.contract.ids import fingerprint

TEXT_CHARS_MAX = 500
SUBJECT_CHARS_MAX = 120
# A digest's mail is read by people; the JSON has as many as are sent at once.
LISTED_MAX = 30
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


class Notice(Struct, frozen=True):
    """A cause that began, became worse, or ended."""

    offset: int  # of the message that said so
    entry: Entry

    @property
    def id(self) -> str:
        """Known to receivers: whoever gets it twice has it once."""
        end = self.entry.resolved
        at_ms = self.entry.alert.raised_ms if end is None else end.resolved_ms
        return f"{self.entry.id}-{at_ms}"

    @property
    def status(self) -> str:
        return "open" if self.entry.open else "resolved"


Parcel = Sequence[Notice]  # what is sent at once, never empty; more than one is a digest


def clean(text: str, chars_max: int = TEXT_CHARS_MAX) -> str:
    r"""One line of at most so many characters.

    >>> clean("ok\r\nBcc: a@b.c"), clean("abcdef", 4)
    ('ok Bcc: a@b.c', 'abc…')
    """
    line = _CONTROL.sub(" ", text).strip()
    return line if len(line) <= chars_max else line[: chars_max - 1] + "…"


def id_of(parcel: Parcel) -> str:
    """A lone notice's id, or one made of all of them."""
    if len(parcel) == 1:
        return parcel[0].id
    return f"digest-{fingerprint(*(notice.id for notice in parcel))}"


def payload(parcel: Parcel) -> Mapping[str, object]:
    """What a webhook or the log gets."""
    return {"id": id_of(parcel), "notices": [_payload(notice) for notice in parcel]}


def _payload(notice: Notice) -> Mapping[str, object]:
    entry, alert = notice.entry, notice.entry.alert
    return {
        "id": notice.id,
        "alert": entry.id,
        "status": notice.status,
        "market": clean(alert.market),
        "cause": clean(alert.cause),
        "severity": alert.severity,
        "summary": clean(alert.summary),
        "value": alert.value,
        "baseline": alert.baseline,
        "n": alert.sample_size,
        "segment": None if alert.segment is None else clean(alert.segment),
        "since_ms": alert.since_ms,
        "raised_ms": alert.raised_ms,
        "resolved_ms": None if entry.resolved is None else entry.resolved.resolved_ms,
        "impact": clean(_impact(alert)),
        "likely_cause": clean(alert.likely_cause),
        "action": clean(alert.action),
        "runbook": clean(alert.runbook),
    }


def subject(parcel: Parcel) -> str:
    """The first line of a mail."""
    if len(parcel) > 1:
        opened = sum(notice.entry.open for notice in parcel)
        return f"housing: alerts: {opened} open, {len(parcel) - opened} resolved"
    entry, alert = parcel[0].entry, parcel[0].entry.alert
    said = alert.severity if entry.open else "resolved"
    where = f" {alert.segment}" if alert.segment else ""
    line = f"housing {said}: {alert.cause}, {alert.market}{where}: {alert.summary}"
    return clean(line, SUBJECT_CHARS_MAX)


def body(parcel: Parcel) -> str:
    """The text of a mail: of each notice all that is known."""
    told = "\n\n".join(_lines(notice) for notice in parcel[:LISTED_MAX])
    more = len(parcel) - LISTED_MAX
    rest = f"\n\n... and {more} more: python -m monitoring alerts list --open" if more > 0 else ""
    return f"{told}{rest}\n"


def _lines(notice: Notice) -> str:
    entry, alert = notice.entry, notice.entry.alert
    named = (
        ("", f"{alert.severity} {alert.cause}, {alert.market}: {alert.summary}"),
        ("where", alert.segment),
        ("value", _figures(notice)),
        ("since", None if alert.since_ms is None else _time(alert.since_ms)),
        ("resolved", None if entry.resolved is None else entry.resolved.reason),
        ("impact", _impact(alert)),
        ("likely cause", alert.likely_cause),
        ("do", alert.action),
        ("runbook", alert.runbook),
        ("quiet", f"python -m monitoring alerts ack {entry.id} --by NAME" if entry.open else None),
    )
    return "\n".join(clean(f"{name}: {text}" if name else text) for name, text in named if text)


def _impact(alert: Alert) -> str:
    """Scorers leave it out: what a cause does to whom stands here."""
    known = CAUSES.get(alert.cause.partition(":")[0])
    return alert.impact or ("" if known is None else known.impact)


def _figures(notice: Notice) -> str | None:
    alert = notice.entry.alert
    if alert.value is None:
        return None
    usual = "" if alert.baseline is None else f", baseline {alert.baseline:.4g}"
    return f"{alert.value:.4g}{usual}, n={alert.sample_size}"


def _time(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
