"""The demo's reader on a real broker: committed records once, aborted ones never."""

import pytest
from confluent_kafka import Producer

from demo.observer import Observer, ReadingFailed
from demo.watch import Watch
from stream_app.contract import topics, wire
from stream_app.contract.settings import KafkaSettings
from tests import messages
from tests.waiting import until

pytestmark = pytest.mark.broker


def _transaction(kafka: KafkaSettings, prediction_id: str, offset: int, commit: bool) -> None:
    producer = Producer(
        {"bootstrap.servers": kafka.bootstrap_servers, "transactional.id": prediction_id}
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    message = messages.prediction(prediction_id=prediction_id, source_offset=offset)
    topic = topics.full_name(kafka.prefix, topics.PREDICTIONS)
    producer.produce(topic, wire.encode(message), key=message.listing_id, partition=0)
    producer.flush(30)
    (producer.commit_transaction if commit else producer.abort_transaction)(30)


def test_an_aborted_prediction_is_never_seen(kafka: KafkaSettings) -> None:
    _transaction(kafka, "p-aborted", 1, commit=False)
    with Observer(kafka, Watch("king-county")) as observer:
        _transaction(kafka, "p-committed", 2, commit=True)

        until(lambda: observer.ask(Watch.view).totals.predictions, 120, "the committed one is seen")

        assert observer.ask(Watch.view).totals.predictions == 1
        assert observer.ask(Watch.view).samples[0].prediction_id == "p-committed"


def test_what_cannot_be_read_is_told_to_whoever_asks(kafka: KafkaSettings) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    with Observer(kafka, Watch("king-county")) as observer:
        producer.produce(topics.full_name(kafka.prefix, topics.OUTCOMES), b"?", partition=0)
        producer.flush(30)

        until(lambda: _fails(observer), 120, "the observer says that it cannot go on")


def _fails(observer: Observer[Watch]) -> bool:
    try:
        observer.ask(Watch.view)
    except ReadingFailed:
        return True
    return False
