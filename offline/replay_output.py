"""Where a replay's results go: a file of JSON lines, or a topic beside those of the system."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from offline.faults import WrongInput
from offline.writing import writer_config
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import TOPICS, Topic, full_name
from stream_app.stages.step import Output

Write = Callable[[Output], None]

TOPIC_PREFIX = "topic:"
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,99}")
_ANSWER_S = 10.0
_DELIVERY_S = 30.0


class NotWritten(OSError):
    """The broker did not take all results."""


def side_topic(prefix: str, name: str) -> str:
    """The full name of a topic of one's own.

    >>> side_topic("housing", "what-if")
    'housing.what-if'

    Raises
    ------
    WrongInput : no name for a topic, or one of the system's
    """
    if not _NAME.fullmatch(name):
        raise WrongInput(f"topic:{name}: small letters, digits, dots and dashes are wanted")
    if name in {topic.name for topic in TOPICS}:
        raise WrongInput(f"topic:{name}: {prefix}.{name} is a topic of the system; name another")
    return full_name(prefix, Topic(name, "", False, {}, ""))


@contextmanager
def opened(where: str | None, kafka: KafkaSettings) -> Iterator[Write]:
    """What writes results there; None: nowhere. A file is there whole or not at all.

    Raises
    ------
    WrongInput : the topic's name is not to be used, or it is there already
    NotWritten : the broker did not take all of it
    """
    if where is None:
        yield lambda output: None
    elif where.startswith(TOPIC_PREFIX):
        with _topic(side_topic(kafka.prefix, where.removeprefix(TOPIC_PREFIX)), kafka) as write:
            yield write
    else:
        with _file(Path(where)) as write:
            yield write


@contextmanager
def _file(path: Path) -> Iterator[Write]:
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.part")
    with staged.open("wb") as file:
        yield lambda output: _line(file.write, output)
    staged.replace(path)


def _line(write: Callable[[bytes], object], output: Output) -> None:
    write((output.value or b"") + b"\n")


@contextmanager
def _topic(name: str, kafka: KafkaSettings) -> Iterator[Write]:
    _create(name, kafka)
    failures: list[KafkaError] = []
    producer = Producer(writer_config(kafka))

    def write(output: Output) -> None:
        producer.produce(
            name,
            output.value,
            output.key,
            on_delivery=lambda error, _sent: None if error is None else failures.append(error),
        )
        producer.poll(0)

    yield write
    if producer.flush(_DELIVERY_S) or failures:
        raise NotWritten(f"{name}: {failures[0] if failures else 'not all was confirmed'}")


def _create(name: str, kafka: KafkaSettings) -> None:
    """A new topic each time: results that were there before would be told twice."""
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers, "log_level": 2})
    made = admin.create_topics([NewTopic(name, 1)], operation_timeout=_ANSWER_S)[name]
    try:
        made.result(_ANSWER_S)
    except KafkaException as error:
        if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
            raise WrongInput(f"{name} is there already; name another topic") from None
        raise NotWritten(f"{name}: {error.args[0].str()}") from None
