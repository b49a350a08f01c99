"""Who is told what, in which order; and what is remembered when the broker is away."""

from collections.abc import Sequence

import pytest

from offline import announce
from offline.announce import Held, Message, NotAnnounced, promote
from offline.faults import NotRegistered
from stream_app.contract import wire
from stream_app.contract.models import Alias, AliasSet, ChampionAnnounced
from stream_app.contract.settings import KafkaSettings
from tests import champions

MARKET = "king-county"
KAFKA = KafkaSettings()


class FakeRegistry:
    """Versions c1 and c2 in a dict."""

    def __init__(self, **aliases: str) -> None:
        self.aliases = aliases
        self.holds: dict[str, str] = {}

    def announcement(self, version: str) -> ChampionAnnounced:
        if version not in ("c1", "c2"):
            raise NotRegistered(version)
        return champions.announced(version=version).announced

    def alias(self, alias: str) -> str | None:
        return self.aliases.get(alias)

    def set_alias(self, alias: str, version: str) -> None:
        self.aliases[alias] = version

    def held(self, version: str) -> str | None:
        return self.holds.get(version)

    def review(self, version: str, reason: str) -> None:
        del self.holds[version]


class Broker:
    """What was confirmed."""

    def __init__(self) -> None:
        self.sent: list[Message] = []

    def publish(self, kafka: KafkaSettings, messages: Sequence[Message]) -> None:
        self.sent += messages


@pytest.fixture
def broker() -> Broker:
    return Broker()


def test_a_version_is_told_before_its_alias(broker: Broker) -> None:
    versions = FakeRegistry(challenger="c1")

    promotion = promote(versions, broker.publish, KAFKA, MARKET, None, "first")

    assert [m.key for m in broker.sent] == [
        "king-county/champion/c1",
        "king-county/alias/champion",
        "king-county/rollout",
    ]
    alias = wire.decode_model_message(broker.sent[1].value)
    assert alias == AliasSet(market=MARKET, alias="champion", version="c1", reason="first")
    assert promotion.previous is None
    assert versions.aliases == {"challenger": "c1", "champion": "c1"}


def test_the_champion_before_becomes_the_way_back(broker: Broker) -> None:
    versions = FakeRegistry(challenger="c2", champion="c1")

    promote(versions, broker.publish, KAFKA, MARKET, "c2", "better")

    assert [m.key for m in broker.sent] == [
        "king-county/champion/c1",
        "king-county/champion/c2",
        "king-county/alias/previous",
        "king-county/alias/champion",
        "king-county/rollout",
    ]
    assert versions.aliases == {"challenger": "c2", "champion": "c2", "previous": "c1"}


def test_the_same_champion_again_keeps_the_way_back(broker: Broker) -> None:
    versions = FakeRegistry(champion="c2", previous="c1")

    promotion = promote(versions, broker.publish, KAFKA, MARKET, "c2", "again")

    assert promotion.previous == "c1"
    assert "king-county/rollout" not in [m.key for m in broker.sent]
    assert versions.aliases == {"champion": "c2", "previous": "c1"}


def test_nothing_trained_is_nothing_to_announce(broker: Broker) -> None:
    with pytest.raises(NotRegistered, match="king-county: nothing was trained yet"):
        promote(FakeRegistry(), broker.publish, KAFKA, MARKET, None, "first")


def test_what_the_broker_does_not_confirm_has_not_happened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(announce, "DELIVERY_TIMEOUT_S", 1)
    nobody = KafkaSettings(bootstrap_servers="127.0.0.1:1")
    versions = FakeRegistry(challenger="c2", champion="c1")

    with pytest.raises(NotAnnounced, match=r"housing\.models"):
        promote(versions, announce.publish, nobody, MARKET, None, "better")

    assert versions.aliases[Alias.CHAMPION] == "c1"


def test_a_held_version_is_told_only_after_a_review(broker: Broker) -> None:
    versions = FakeRegistry(challenger="c1")
    versions.holds["c1"] = "R2 of the log price is 0.9990"

    with pytest.raises(Held, match=r"c1 is held: R2 .* 0\.9990; look, then say .* --reviewed"):
        promote(versions, broker.publish, KAFKA, MARKET, None, "first")
    assert broker.sent == []
    assert "champion" not in versions.aliases

    promote(versions, broker.publish, KAFKA, MARKET, None, "first", "prices are made up here")

    assert versions.aliases["champion"] == "c1"
