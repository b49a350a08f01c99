"""What a batch notes of its publishers: in which record, and who is told when one is doubted.

What a doubt is: core/publishers.py. The first to know is the publisher itself, by the
reason in its predictions; the alert is for whoever looks after it.
"""

from collections.abc import Iterator, MutableMapping
from typing import NamedTuple

from stream_app.contract import topics, wire
from stream_app.contract.alerts import DOUBTED, TRUSTED_AGAIN, Alert, Severity
from stream_app.contract.events import AnyEvent, kind_of
from stream_app.contract.ids import fingerprint
from stream_app.contract.predictions import Doubt
from stream_app.contract.rejects import RejectCode, Rejected
from stream_app.contract.remedies import DOUBTS
from stream_app.contract.wire import Decoded
from stream_app.core import publishers
from stream_app.core.labels import Verdict
from stream_app.core.pipeline import Done
from stream_app.core.publishers import OWN_RECORDS, REFUSED_LIMIT, SHARED, Publisher
from stream_app.core.watermark import Timing
from stream_app.stages.step import Batch, Control, Mark, Output, Record, State, Thawing

RUNBOOK = "docs/runbooks/publisher-doubted.md"


class Register(NamedTuple):
    """The publishers of a batch."""

    state: State
    control: Control
    batch: Batch
    publishers: MutableMapping[str, Publisher]  # by name; fetched, or begun, on first use


def register(state: State, control: Control, batch: Batch) -> Register:
    """Open the register of a batch."""

    def open_record(name: str) -> Publisher:
        frozen = state.get(_key(name))
        if frozen is not None:
            return publishers.thaw(frozen)
        if name != SHARED:
            if control.publishers >= OWN_RECORDS:
                return found[SHARED]
            control.publishers += 1
        return Publisher()

    found = Thawing(open_record)
    return Register(state, control, batch, found)


def note_believed(
    noted: Register, event: AnyEvent, done: Done, repaired: bool, refused: bool, record: Record
) -> list[Output]:
    """Count an event that could be read, and note it of its publisher; alerts, if any.

    `refused`: by the ledger.
    """
    kind, publisher = kind_of(event), noted.publishers[event.source]
    publisher.market = event.market
    _count(noted, publisher, f"{kind}:{done.verdict}")
    if done.verdict is Verdict.DUPLICATE:
        return []
    marks = (
        (done.timing is Timing.LATE, Mark.LATE),
        (repaired, Mark.REPAIRED),
        (done.doubted, Mark.DOUBTED),
    )
    for holds, mark in marks:
        if holds:
            _count(noted, publisher, f"{kind}:{mark}")
    publishers.time(publisher, record.append_time_ms - event.event_time_ms)
    publishers.judge(publisher, refused=refused)
    told_by = {event.source} if done.served is None else {event.source, done.served.source}
    return [alert for name in sorted(told_by) for alert in _tell(noted, name, record)]


def note_refused(noted: Register, rejected: Rejected, sender: str, record: Record) -> list[Output]:
    """Count an event that could not be believed, and note it of its sender; alerts, if any.

    A name that was never believed has no record of its own, and gets none.
    """
    own = sender in noted.publishers or _key(sender) in noted.state
    name = sender if own else SHARED
    publisher = noted.publishers[name]
    _count(noted, publisher, f"rejected:{rejected.code}")
    if rejected.code is RejectCode.FUTURE:  # a clock that is far ahead has no other events
        decoded = wire.decode_event(rejected.raw)
        assert isinstance(decoded, Decoded)  # noqa: S101 - it was refused for its time alone
        publishers.time(publisher, record.append_time_ms - decoded.event.event_time_ms)
    publishers.judge(publisher, refused=True)
    return _tell(noted, name, record)


def changed(noted: Register) -> Iterator[tuple[str, bytes]]:
    """The records in hand, frozen; the shared one once."""
    shared = noted.publishers.get(SHARED)
    for name, publisher in noted.publishers.items():
        if name == SHARED or publisher is not shared:
            yield _key(name), publishers.freeze(publisher)


def _count(noted: Register, publisher: Publisher, what: str) -> None:
    noted.control.counts[what] = noted.control.counts.get(what, 0) + 1
    publishers.count(publisher, what)


def _tell(noted: Register, name: str, record: Record) -> list[Output]:
    """Alerts for the doubts of a publisher that began or ended since the last one."""
    publisher = noted.publishers[name]
    if publisher.doubts == publisher.told:
        return []
    name = SHARED if publisher is noted.publishers.get(SHARED) else name
    news = [doubt for doubt in Doubt if (doubt in publisher.doubts) != (doubt in publisher.told)]
    publisher.told = list(publisher.doubts)
    return [_alert(name, publisher, doubt, record, noted.batch) for doubt in news]


def _alert(name: str, publisher: Publisher, doubt: Doubt, record: Record, batch: Batch) -> Output:
    began = doubt in publisher.doubts
    who = f"publisher {name!r}" if name else f"publishers beyond the {OWN_RECORDS:,}th"
    told = DOUBTS[doubt]
    cause = DOUBTED if began else TRUSTED_AGAIN
    alert = Alert(
        fingerprint=fingerprint("publisher", str(batch.partition), name, doubt),
        raised_ms=record.append_time_ms,
        market=publisher.market,
        cause=f"{cause}: {doubt}",
        severity=Severity.WARNING if began else Severity.INFO,
        summary=f"{who}, partition {batch.partition}, offset {record.offset}: {told.meaning}"
        if began
        else f"{who}, partition {batch.partition}, offset {record.offset}: this has ended",
        value=publisher.refused if doubt is Doubt.REJECTS else None,
        baseline=REFUSED_LIMIT if doubt is Doubt.REJECTS else None,
        sample_size=publisher.judged,
        segment=name,
        action=told.ends_when,
        runbook=RUNBOOK,
    )
    return Output(topics.ALERTS, alert.fingerprint.encode(), wire.encode(alert), partition=0)


def _key(name: str) -> str:
    return f"publisher:{name}"
