"""What is asked of a replay on the command line, and what it refuses."""

import argparse
from pathlib import Path

import msgspec
import pytest

from offline import arguments, difference, replay_command, rescored
from offline.announced import Announced
from offline.faults import WrongInput
from offline.replay_command import NotAsServed
from offline.replay_options import spot
from offline.replay_output import opened, side_topic
from offline.settings import OfflineSettings
from stream_app.contract import wire
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import PREDICTIONS, TOPICS, Topic
from stream_app.stages.step import Output
from tests import messages
from tests.builders import MARKET
from tests.served_log import FIRST, ServedLog, served, served_log


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


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> ServedLog:
    """A served log in the place of the broker's topics."""
    log = served_log()
    kept = {
        (said.source_partition, said.source_offset): rescored.digest(wire.encode(said))
        for said in difference.predictions(log.outputs, MARKET)
    }
    now = Announced(MARKET, {"v1": messages.champion(), "v2": messages.champion()})
    monkeypatch.setattr("offline.served.by_partition", lambda kafka, numbers, load: log.lineups())
    monkeypatch.setattr("offline.vault.Vault.open", lambda vault, told: FIRST)
    monkeypatch.setattr("offline.rescored.kept", lambda kafka, market: kept)
    monkeypatch.setattr("offline.announced.read", lambda kafka, market: now)
    return log


def run(log: ServedLog, *given: str) -> dict[str, object]:
    told = ["replay", "--market", MARKET, "--events", "topic", *given]
    parsed = arguments.parser().parse_args(told)
    return replay_command.run(parsed, KafkaSettings(), OfflineSettings(), log.partitions())


def test_as_served_is_held_to_the_topic_of_predictions(log: ServedLog, tmp_path: Path) -> None:
    out, outcomes = tmp_path / "p.jsonl", tmp_path / "o.jsonl"

    found = run(log, "--out", str(out), "--outcomes", str(outcomes))

    assert (found["equal"], found["different"], found["not_kept"]) == (600, 0, 0)
    assert (found["predictions"], found["outcomes"]) == (600, 600)
    lines = out.read_bytes().splitlines()
    assert sorted(lines) == served(log.outputs, PREDICTIONS)


def test_a_prediction_that_is_another_one_is_named(
    log: ServedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    forged = {(0, 0): b"another", (1, 0): b"another"}
    monkeypatch.setattr("offline.rescored.kept", lambda kafka, market: forged)

    with pytest.raises(NotAsServed, match="2 of 2 predictions are not as served, such as those of"):
        run(log)


def test_another_champion_is_held_to_what_was_served(log: ServedLog, tmp_path: Path) -> None:
    found = run(log, "--version", "v1", "--from-offset", "0:250", "--report", str(tmp_path))

    assert (found["served"], found["against"]) == ("v1", "as served")
    figures = msgspec.json.decode((tmp_path / "difference.json").read_bytes())
    assert figures["overall"]["listings"] == found["predictions"]
    assert 0 < figures["overall"]["listings"] < 600
    assert (tmp_path / "difference.html").exists()


def test_a_source_left_out_is_named_in_the_difference(log: ServedLog, tmp_path: Path) -> None:
    found = run(log, "--without-source", "nobody", "--report", str(tmp_path))

    assert found["served"] == "as served, without nobody"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("--against", "v1"), "--against goes with --version"),
        (("--label-delay-days", "3"), "--label-delay-days goes with --version"),
    ],
)
def test_options_that_mean_nothing_alone_are_refused(
    log: ServedLog, given: tuple[str, ...], says: str
) -> None:
    with pytest.raises(WrongInput, match=says):
        run(log, *given)
