"""Look after look: what stands is told once, what is gone is ended, and nothing is kept but the topic."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from monitoring.alerting import limits
from monitoring.alerting.causes import Condition
from monitoring.alerting.looker import Looker
from monitoring.settings import MonitoringSettings
from stream_app.contract import wire
from stream_app.contract.alerts import Alert, AlertResolved, AnyAlertMessage
from stream_app.contract.topics import EVENTS
from tests.builders import listing
from tests.fakes.alerts import FakeAlerts
from tests.unit.monitoring import archives

L = limits.shipped()
NOBODY = "127.0.0.1:1"  # a port that no program has


@dataclass
class Topic:
    """As AlertsTopic, in a list."""

    alerts: FakeAlerts

    def read(self) -> list[AnyAlertMessage]:
        return self.alerts.more()

    def say(self, messages: Sequence[AnyAlertMessage]) -> list[AnyAlertMessage]:
        return self.alerts.say(messages)


@dataclass
class Looks:
    """A looker and its clock."""

    topic: FakeAlerts
    own: MonitoringSettings
    now_s: float = 0.0

    def __post_init__(self) -> None:
        self.topic.read = 0
        self.looker = Looker(
            Topic(self.topic),
            archives.PREFIX,
            self.own,
            L,
            tell=lambda _words: None,
            now_s=lambda: self.now_s,
            wall_ms=lambda: int(self.now_s * 1000),
        )

    def at(self, now_s: float) -> list[Alert | AlertResolved]:
        self.now_s = now_s
        told = list(self.looker.look())
        self.looker.say(told)
        return told


def causes(told: list[Alert | AlertResolved]) -> list[str]:
    return [each.cause if isinstance(each, Alert) else "end" for each in told]


def put_listings(root: Path, count: int, name: str) -> None:
    """Listings that have their bedrooms under this name."""
    sent = [wire.encode(listing(listing_id=f"{name}-{n}")) for n in range(count)]
    archives.put(root, EVENTS, [raw.replace(b'"bedrooms"', f'"{name}"'.encode()) for raw in sent])


def test_a_silent_worker_is_told_once_and_not_by_a_looker_that_starts_anew() -> None:
    topic = FakeAlerts()
    own = MonitoringSettings(workers=NOBODY, archive_dir="nowhere")
    looks = Looks(topic, own)

    told = [causes(looks.at(second)) for second in (0.0, 60.0, L.unreachable_after_s, 180.0)]
    assert told == [[], [], [Condition.UNREACHABLE], []]

    anew = Looks(topic, own, now_s=200.0)
    assert [causes(anew.at(second)) for second in (200.0, 400.0)] == [[], []]


def test_a_worker_that_is_no_longer_ours_is_over() -> None:
    topic = FakeAlerts()
    before = Looks(topic, MonitoringSettings(workers=NOBODY, archive_dir="nowhere"))
    for second in (0.0, L.unreachable_after_s):
        before.at(second)

    after = Looks(topic, MonitoringSettings(archive_dir="nowhere"))
    gone_s = 200.0 + L.condition_gone_min * 60
    assert [causes(after.at(second)) for second in (200.0, gone_s)] == [[], ["end"]]


def test_a_field_renamed_is_seen_in_the_archive_and_ends_when_it_is_back(tmp_path: Path) -> None:
    put_listings(tmp_path, 200, "bedrooms")
    put_listings(tmp_path, L.fields_newest, "beds")
    looks = Looks(FakeAlerts(), MonitoringSettings(archive_dir=str(tmp_path)))

    (renamed,) = looks.at(0.0)
    assert isinstance(renamed, Alert)
    assert renamed.cause == Condition.FIELD_RENAMED
    assert "beds where it sent bedrooms" in renamed.summary
    assert looks.at(60.0) == []

    put_listings(tmp_path, L.fields_newest, "bedrooms")  # it is back
    assert looks.at(120.0) == []
    assert causes(looks.at(120.0 + L.condition_gone_min * 60)) == ["end"]


def test_an_archive_that_is_away_ends_nothing(tmp_path: Path) -> None:
    put_listings(tmp_path, 200, "bedrooms")
    put_listings(tmp_path, L.fields_newest, "beds")
    topic = FakeAlerts()
    Looks(topic, MonitoringSettings(archive_dir=str(tmp_path))).at(0.0)

    without = Looks(topic, MonitoringSettings(archive_dir="nowhere"))
    assert [without.at(second) for second in (60.0, 6_000.0)] == [[], []]


def test_a_change_that_came_in_the_middle_of_very_many_at_once_is_seen(tmp_path: Path) -> None:
    put_listings(tmp_path, 1_500, "bedrooms")
    put_listings(tmp_path, 2_500, "beds")

    told = Looks(FakeAlerts(), MonitoringSettings(archive_dir=str(tmp_path))).at(0.0)

    assert causes(told) == [Condition.FIELD_RENAMED]
