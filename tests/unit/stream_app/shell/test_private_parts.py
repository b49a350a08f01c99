"""What stream_app/shell/consumer.py takes for granted of Faust and aiokafka is still so.

Both are pinned. Whoever raises a version reads here what to look at, before a broker tells it.
"""

import inspect
from collections.abc import Callable
from importlib.metadata import version

import pytest
from aiokafka.consumer.consumer import AIOKafkaConsumer
from aiokafka.consumer.fetcher import Fetcher, OffsetResetStrategy
from aiokafka.consumer.subscription_state import Assignment, Subscription, TopicPartitionState
from faust.app import App
from faust.transport.consumer import Consumer, ThreadDelegateConsumer
from faust.transport.drivers import aiokafka as driver

THREAD = driver.AIOKafkaConsumerThread
READ_WITH = {"faust-streaming": "0.15.3", "aiokafka": "0.14.0"}

# method -> its parameters
METHODS: dict[Callable[..., object], tuple[str, ...]] = {
    THREAD._create_worker_consumer: ("self", "transport"),
    THREAD._ensure_consumer: ("self",),
    THREAD._fetch_records: ("self", "consumer", "active_partitions", "timeout", "max_records"),
    THREAD._seek_wait: ("self", "consumer", "partitions"),
    THREAD.call_thread: ("self", "fun", "args", "kwargs"),
    THREAD.on_partitions_assigned: ("self", "assigned", "generation_id"),
    THREAD.on_partitions_revoked: ("self", "revoked"),
    driver.Consumer._new_consumer_thread: ("self",),
    Consumer._commit: ("self", "offsets"),
    Consumer._drain_messages: ("self", "fetcher"),
    Consumer._wait_next_records: ("self", "timeout"),
    Consumer.force_commit: ("self", "topics", "start_new_transaction"),
    Consumer.seek_to_committed: ("self",),
    App._create_directories: ("self",),
    App._new_transport: ("self",),
}

# where -> names that its source must hold: attributes which only exist once it runs
ATTRIBUTES: dict[type, tuple[str, ...]] = {
    AIOKafkaConsumer: ("self._isolation_level", "self._fetch_max_wait_ms", "self._fetcher"),
    Fetcher: ("self._default_reset_strategy", "self._fetch_max_wait_ms", "self._fetch_min_bytes"),
    Consumer: ("self._committed_offset", "self.callback"),
    ThreadDelegateConsumer: ("self._thread",),
    Subscription: ("_assignment",),
    Assignment: ("def state_value",),
    TopicPartitionState: ("def has_valid_position", "def position"),
}


@pytest.mark.parametrize("package", READ_WITH)
def test_the_version_is_the_one_that_was_read(package: str) -> None:
    assert version(package) == READ_WITH[package], "read consumer.py beside the new source"


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__qualname__)
def test_a_method_takes_what_we_give_it(method: Callable[..., object]) -> None:
    assert tuple(inspect.signature(method).parameters) == METHODS[method]


@pytest.mark.parametrize("owner", ATTRIBUTES, ids=lambda owner: owner.__name__)
def test_an_attribute_that_we_set_or_read_is_there(owner: type) -> None:
    source = inspect.getsource(owner)

    assert [name for name in ATTRIBUTES[owner] if name not in source] == []


def test_out_of_range_can_be_told_apart_from_begin_anywhere() -> None:
    assert OffsetResetStrategy.NONE != OffsetResetStrategy.EARLIEST
