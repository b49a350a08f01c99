"""State is only worth something together with the log it was made from."""

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from stream_app.contract.rejects import SourceChanged
from stream_app.shell import source
from stream_app.shell.source import Bounds, NoSuchTopic, Source, check_same, check_unchanged

SOURCE = Source("housing.events", "id-1", partitions=4)


@pytest.mark.parametrize(
    ("bounds", "applied"),
    [
        (Bounds(0, 10), 4),
        (Bounds(0, 10), 9),  # all is applied
        (Bounds(5, 10), 4),  # what was applied may go
        (Bounds(0, 0), -1),
    ],
)
def test_a_log_that_holds_all_that_comes_next_is_the_one(bounds: Bounds, applied: int) -> None:
    check_unchanged(SOURCE, bounds, 2, "id-1", applied)


@pytest.mark.parametrize(
    ("bounds", "topic_id", "applied", "said"),
    [
        (Bounds(0, 10), "id-0", 4, "was created anew: its id is id-1, .* made from id-0"),
        (Bounds(0, 10), "id-1", 10, "has applied offset 10, but the log ends before 10"),
        (Bounds(6, 10), "id-1", 4, "offsets 5 to 5 were deleted before they were applied"),
    ],
)
def test_another_log_is_named_with_the_remedy(
    bounds: Bounds, topic_id: str, applied: int, said: str
) -> None:
    with pytest.raises(SourceChanged, match=said) as refused:
        check_unchanged(SOURCE, bounds, 2, topic_id, applied)

    assert str(refused.value).startswith("housing.events partition 2: ")
    assert "HOUSING_KAFKA_PREFIX" in str(refused.value)


def test_another_topic_of_the_same_name_is_told_with_the_remedy() -> None:
    check_same(SOURCE, SOURCE, "announce it again")
    with pytest.raises(SourceChanged, match="id is id-2, it was id-1; announce it again"):
        check_same(SOURCE, SOURCE._replace(topic_id="id-2"), "announce it again")


GONE = NoSuchTopic("housing.events: no such topic")
SILENCE = KafkaException("nobody answers")


@pytest.mark.parametrize(
    ("looks", "raised"),
    [
        ([SOURCE, SILENCE, GONE, GONE, SOURCE, GONE, GONE, SOURCE._replace(topic_id="2")], "anew"),
        ([SOURCE, GONE, SILENCE, GONE, GONE], "no such topic"),
    ],
    ids=["another one", "gone"],
)
def test_who_watches_a_topic_is_not_alarmed_by_silence_or_by_a_broker_that_knows_nothing_yet(
    monkeypatch: pytest.MonkeyPatch, looks: list[Source | Exception], raised: str
) -> None:
    left = list(looks)

    def describe(_admin: object, _topic: str) -> Source:
        seen = left.pop(0)
        if isinstance(seen, Exception):
            raise seen
        return seen

    monkeypatch.setattr(source, "describe", describe)
    monkeypatch.setattr(source, "_WATCH_EVERY_S", 0.0)
    nobody = AdminClient({"bootstrap.servers": "127.0.0.1:1", "log_level": 0})
    with pytest.raises(SourceChanged, match=raised):
        source.watch(nobody, SOURCE.topic, "remedy")

    assert left == []


def test_where_nobody_answers_the_ends_are_unknown_and_not_zero(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(source, "_LOOK_TIMEOUT_S", 0.5)
    nobody = AdminClient({"bootstrap.servers": "127.0.0.1:1", "log_level": 0})

    assert source.ends(nobody, SOURCE.topic, [0, 3]) == {0: None, 3: None}
    assert source.ends(nobody, SOURCE.topic, []) == {}
