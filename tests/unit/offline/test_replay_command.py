"""What is asked of a replay on the command line, and what it refuses."""

import argparse
from pathlib import Path

import pytest

from offline import arguments
from offline.faults import WrongInput
from offline.replay_options import spot
from offline.replay_output import opened, side_topic
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import PREDICTIONS, TOPICS, Topic
from stream_app.stages.step import Output


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_topic_of_the_system_is_refused_for_results(topic: Topic) -> None:
    with pytest.raises(WrongInput, match="is a topic of the system; name another"):
        side_topic("housing", topic.name)


@pytest.mark.parametrize("name", ["", "../x", "A", "-", "a b", "x" * 101])
def test_a_name_that_is_none_for_a_topic_is_refused(name: str) -> None:
    with pytest.raises(WrongInput, match="small letters, digits, dots and dashes"):
        side_topic("housing", name)


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.jsonl"

    with pytest.raises(InterruptedError), opened(str(path), KafkaSettings()):
        raise InterruptedError
    assert not path.exists()

    with opened(str(path), KafkaSettings()) as write:
        write(Output(PREDICTIONS, b"k", b"{}"))
    assert path.read_bytes() == b"{}\n"


@pytest.mark.parametrize("text", ["", "1", "1:", ":2", "a:1", "1:-2", "1:2:3"])
def test_a_place_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="PARTITION:OFFSET is wanted"):
        spot(text)


def test_a_range_begins_in_one_way_only(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["replay", "--market", "hdb", "--events", "topic"]

    with pytest.raises(SystemExit):
        arguments.parser().parse_args([*given, "--from", "2015-01", "--from-offset", "0:1"])

    assert "--from-offset: not allowed with argument --from" in capsys.readouterr().err
