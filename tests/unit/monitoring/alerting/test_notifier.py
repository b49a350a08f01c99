"""At least once to each sink, whatever dies or is away; and one that is away holds up nobody."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from monitoring.alerting.notices import Parcel
from monitoring.alerting.notifier import REFUSALS_MAX, Notifier, Pace, Source
from monitoring.alerting.outbox import Storm
from monitoring.alerting.sinks import Away, MailSink, Refused, Sink, WebhookSink
from monitoring.settings import NotifySettings
from stream_app.contract.alerts import AnyAlertMessage
from tests import messages
from tests.builders import SOLD_MS
from tests.fakes import mail_server, webhook
from tests.fakes.alert_source import FakeSource
from tests.unit.monitoring.alerting.told import numbered

PACE = Pace(Storm(singles=100, window_s=60.0), retry_most_s=8.0)


class Died(BaseException):
    """The process ends here."""


@dataclass
class FakeSink:
    """Takes all, unless `troubles` says what happens first."""

    name: str = "fake"
    troubles: list[BaseException] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    def send(self, parcel: Parcel) -> None:
        if self.troubles:
            raise self.troubles.pop(0)
        self.taken += [notice.entry.id for notice in parcel]


@dataclass
class Clock:
    s: float = 0.0


def notifier(
    sink: Sink,
    source: Source,
    clock: Clock | None = None,
    said: list[str] | None = None,
    kind: type[Notifier] = Notifier,
) -> Notifier:
    at = clock or Clock()
    tell = (said if said is not None else []).append
    return kind(sink, source, PACE, now_s=lambda: at.s, wall_ms=lambda: SOLD_MS, tell=tell)


def topic(*said: AnyAlertMessage) -> FakeSource:
    return FakeSource([messages.decision(), *said], done=0)


def test_what_comes_is_sent_and_committed() -> None:
    sink, source = FakeSink(), topic(numbered(1), numbered(2))

    notifier(sink, source).step()

    assert sink.taken == ["a-1", "a-2"]
    assert source.done == 3


def survives_a_death(kind: type[Notifier]) -> None:
    source = topic(numbered(1), numbered(2), numbered(3))
    sink = FakeSink()
    first = notifier(sink, source, kind=kind)
    sink.troubles = [Died()]
    with pytest.raises(Died):
        first.step()

    notifier(sink, source.restarted(), kind=kind).step()

    assert sink.taken == ["a-1", "a-2", "a-3"]


class Hasty(Notifier):
    """Planted: commits before it has sent."""

    def _try(self, parcel: Parcel) -> bool:
        self._source.commit(parcel[-1].offset + 1)
        return super()._try(parcel)


def test_what_was_not_sent_before_a_death_is_sent_after_it() -> None:
    survives_a_death(Notifier)


def test_a_commit_before_the_sending_is_caught() -> None:
    with pytest.raises(AssertionError):
        survives_a_death(Hasty)


def test_a_sink_that_was_away_gets_all_later_in_order() -> None:
    clock, sink = Clock(), FakeSink(troubles=[Away("down")] * 4)
    one = notifier(sink, topic(numbered(1), numbered(2)), clock)

    for second in range(16):
        clock.s = second
        one.step()

    assert sink.taken == ["a-1", "a-2"]


def test_pauses_double_up_to_a_most() -> None:
    clock, said = Clock(), list[str]()
    one = notifier(FakeSink(troubles=[Away("down")] * 6), topic(numbered(1)), clock, said)

    for second in range(60):
        clock.s = second
        one.step()

    pauses = [line.rpartition("again in ")[2] for line in said[:-1]]
    assert pauses == ["1 s", "2 s", "4 s", "8 s", "8 s", "8 s"]
    assert said[-1] == "fake: takes again"


def test_what_is_acknowledged_while_the_sink_is_away_is_not_sent_any_more() -> None:
    clock, sink, source = Clock(), FakeSink(troubles=[Away("down")]), topic(messages.alert())
    one = notifier(sink, source, clock)
    one.step()

    source.topic.append(messages.acknowledged())
    clock.s = 10
    one.step()

    assert sink.taken == []
    assert source.done == 3


def test_what_the_sink_will_never_take_holds_up_what_comes_after_only_for_a_while() -> None:
    clock, said = Clock(), list[str]()
    sink = FakeSink(troubles=[Refused("too long")] * REFUSALS_MAX)
    one = notifier(sink, topic(numbered(1), numbered(2)), clock, said)

    for second in range(10):
        clock.s = second
        one.step()

    assert sink.taken == ["a-2"]
    assert any("left out" in line for line in said)


def test_nothing_is_sent_before_all_is_read() -> None:
    @dataclass
    class Slow(FakeSource):
        def poll(self) -> tuple[Sequence[object], bool]:  # type: ignore[override]
            found, _ = super().poll()
            return found, False

    sink = FakeSink()

    notifier(sink, Slow([messages.alert()], done=0)).step()  # type: ignore[arg-type]

    assert sink.taken == []


def test_a_webhook_that_is_down_gets_all_once_and_the_mail_does_not_wait_for_it() -> None:
    said = [numbered(n) for n in range(5)]
    with webhook.receiving() as hook, mail_server.receiving() as post:
        own = NotifySettings(
            webhook_url=hook.url,
            mail_host="127.0.0.1",
            mail_port=post.port,
            mail_to="ops@a.example",
        )
        clock, hook.status = Clock(), 503
        by_hook = notifier(WebhookSink(own), topic(*said), clock)
        by_mail = notifier(MailSink(own), topic(*said), clock)
        for second in range(20):
            clock.s = second
            by_hook.step()
            by_mail.step()
            if second == 3:
                assert len(post.raw) == 5
                assert hook.bodies == []
                hook.status = 200

        ids = [told["id"] for told in hook.notices()]
        assert len(ids) == len(set(ids)) == 5
        assert len(post.raw) == 5
