"""Which record a publisher's events are noted in, and who is told when its standing changes.

What a doubt is: core/publishers.py. The first to know is the publisher itself, by the
reason in its predictions; the alert is for whoever looks after it.
"""

from collections.abc import Callable, Iterator, MutableMapping

from stream_app.contract import topics, wire
from stream_app.contract.alerts import Alert, Severity
from stream_app.contract.ids import fingerprint
from stream_app.contract.predictions import Doubt
from stream_app.contract.remedies import DOUBTS
from stream_app.core import publishers
from stream_app.core.publishers import OWN_RECORDS, REFUSED_LIMIT, SHARED, Publisher
from stream_app.stages.step import Batch, Control, Output, Record, State

Publishers = MutableMapping[str, Publisher]
RUNBOOK = "docs/contract/rules.md#publishers"


def opener(
    state: State, control: Control, found: Callable[[], Publishers]
) -> Callable[[str], Publisher]:
    """Give what fetches the record of a name whose event was believed, or begins one.

    `found` gives the records in hand: all beyond the limit share one of them.
    """

    def open_record(name: str) -> Publisher:
        frozen = state.get(_key(name))
        if frozen is not None:
            return publishers.thaw(frozen)
        if name != SHARED:
            if control.publishers >= OWN_RECORDS:
                return found()[SHARED]
            control.publishers += 1
        return Publisher()

    return open_record


def name_of_refused(name: str, state: State, found: Publishers) -> str:
    """Name the record in which a refused event is noted: its own only if there is one."""
    return name if name in found or _key(name) in state else SHARED


def changed(found: Publishers) -> Iterator[tuple[str, bytes]]:
    """The records in hand, frozen; the shared one once."""
    shared = found.get(SHARED)
    for name, publisher in found.items():
        if name == SHARED or publisher is not shared:
            yield _key(name), publishers.freeze(publisher)


def tell(name: str, found: Publishers, record: Record, batch: Batch) -> list[Output]:
    """Alerts for the doubts of a publisher that began or ended since the last one."""
    publisher = found[name]
    if publisher.doubts == publisher.told:
        return []
    name = SHARED if publisher is found.get(SHARED) else name
    news = [doubt for doubt in Doubt if (doubt in publisher.doubts) != (doubt in publisher.told)]
    publisher.told = list(publisher.doubts)
    return [_alert(name, publisher, doubt, record, batch) for doubt in news]


def _alert(name: str, publisher: Publisher, doubt: Doubt, record: Record, batch: Batch) -> Output:
    began = doubt in publisher.doubts
    who = f"publisher {name!r}" if name else f"publishers beyond the {OWN_RECORDS:,}th"
    told = DOUBTS[doubt]
    cause = "publisher doubted" if began else "publisher trusted again"
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
