"""What Evidently's reports take, in time and memory, of an archive of so many predictions.

Predictions and outcomes are those of our own step over a year of the market, told again under
other ids until there are as many as asked for; then the archiver and the report, as programs.
"""

import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence

from bench import load
from bench.champion import Models
from bench.ground import FOLDER, Ground, make_topics
from bench.hand_loop import served
from bench.load import Message
from bench.timed import timed
from bench.weights import stepped
from stream_app.contract.topics import MODELS, OUTCOMES, PREDICTIONS, full_name

KINDS = ("drift", "quality")
_TOLD = (PREDICTIONS, OUTCOMES)


def measured(on: Ground, models: Models, rows: Sequence[int]) -> dict[str, float]:
    """Seconds and memory of a report of both kinds, for archives of each size.

    Raises
    ------
    ProgramFailed : archiver or report ended with a fault
    Failed : one of them took too long, or too much memory
    """
    answers = _answers(models)
    figures: dict[str, float] = {}
    for count in rows:
        _archived(on, models, answers, count)
        report = timed(
            on,
            f"report-{count}",
            *("monitoring", "report", "--market", load.MARKET, "--json"),
            *(option for kind in KINDS for option in ("--kind", kind)),
        )
        figures[f"report_s_{count}_rows"] = report.took_s
        figures[f"report_memory_mb_{count}_rows"] = report.most.memory_mb
    return figures


def _answers(models: Models) -> Mapping[str, Sequence[Message]]:
    """What our step says of a telling, by the name of its topic."""
    found: dict[str, list[Message]] = {topic.name: [] for topic in _TOLD}
    for step in stepped(list(load.told(load.real_events(), 1)), served(models), {}):
        for output in step.outputs:
            if output.topic.name in found and output.key and output.value:
                found[output.topic.name].append(Message(output.key, output.value))
    return found


def _archived(
    on: Ground, models: Models, answers: Mapping[str, Sequence[Message]], count: int
) -> None:
    """Publish so many predictions, and the outcomes that belong to them; archive all."""
    prefix, folder = f"bench-{secrets.token_hex(3)}", (FOLDER / "archive").absolute()
    shutil.rmtree(folder, ignore_errors=True)
    make_topics(on, prefix)
    load.publish(on.brokers, full_name(prefix, MODELS), models.messages)
    share = count / len(answers[PREDICTIONS.name])
    for topic in _TOLD:
        messages = answers[topic.name]
        told = list(again(messages, round(share * len(messages))))
        load.publish(on.brokers, full_name(prefix, topic), told)
    on.programs.set_environment(
        {
            "HOUSING_KAFKA_PREFIX": prefix,
            "HOUSING_MONITORING_ARCHIVE_DIR": str(folder),
            "HOUSING_MONITORING_REPORT_DIR": str(folder.with_name("reports")),
            "HOUSING_MONITORING_MODEL_STORE": str(models.folder / "models"),
        }
    )
    timed(on, f"archive-{count}", "monitoring", "archive", "--once")


def again(messages: Sequence[Message], count: int) -> Iterator[Message]:
    """The first `count` messages of a telling without end, each time under other ids.

    >>> told = again([Message(b"kc-1-0", b'{"listing_id":"kc-1-0","prediction_id":"abc-def"}')], 2)
    >>> [message.value.decode() for message in told][1]
    '{"listing_id":"kc-1-0-1","prediction_id":"1-abc-def"}'
    """
    for number in range(count):
        telling, place = divmod(number, len(messages))
        message = messages[place]
        yield _renamed(message, str(telling).encode()) if telling else message


def _renamed(message: Message, telling: bytes) -> Message:
    """Listing and prediction are others; an outcome is keyed by its market."""
    value = message.value.replace(b'"prediction_id":"', b'"prediction_id":"' + telling + b"-")
    before, listing, after = value.partition(b'"listing_id":"')
    name, quote, rest = after.partition(b'"')
    return Message(message.key, b"".join((before, listing, name, b"-", telling, quote, rest)))
