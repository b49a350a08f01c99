"""The topics are data: names, co-partitioning, sizes, clean-up."""

from stream_app.contract import topics
from stream_app.contract.spans import DAY_MS


def test_no_two_topics_share_a_name() -> None:
    assert len({topic.name for topic in topics.TOPICS}) == len(topics.TOPICS)


def test_every_topic_of_the_module_is_in_the_table() -> None:
    named = [value for value in vars(topics).values() if isinstance(value, topics.Topic)]

    assert named == list(topics.TOPICS)


def test_what_the_scorer_writes_per_partition_is_partitioned_like_its_source() -> None:
    written = (topics.EVENTS, topics.PREDICTIONS, topics.REJECTS, topics.STATE, topics.ACTIVATIONS)

    assert all(topic.co_partitioned for topic in written)


def test_the_learners_state_is_partitioned_like_its_source() -> None:
    assert topics.LEARNER_STATE.co_partitioned == topics.OUTCOMES.co_partitioned


def test_the_broker_stamps_events_itself() -> None:
    assert topics.EVENTS.config["message.timestamp.type"] == "LogAppendTime"


def test_state_keeps_the_newest_record_of_each_key_for_ever() -> None:
    for topic in (topics.STATE, topics.LEARNER_STATE, topics.MODELS):
        assert topic.config["cleanup.policy"] == "compact"


def test_a_tombstone_removes_what_is_kept_of_a_listing_within_weeks() -> None:
    """An erasure writes them there: on a topic that is not compacted they would do nothing."""
    for topic in (topics.STATE, topics.PREDICTIONS, topics.SHADOW):
        assert "compact" in topic.config["cleanup.policy"].split(",")
        assert int(topic.config["max.compaction.lag.ms"]) <= 14 * DAY_MS


def test_a_refused_event_of_full_size_fits_into_its_reject() -> None:
    assert int(topics.REJECTS.config["max.message.bytes"]) > topics.EVENT_BYTES_MAX


def test_one_prefix_names_topics_groups_and_transactional_ids() -> None:
    assert topics.full_name("two", topics.STATE) == "two.state"
    assert topics.group_id("two", "archiver") == "two.archiver"
    assert topics.transactional_id("two", "learner", topics.OUTCOMES, 0) == "two-learner-outcomes-0"
