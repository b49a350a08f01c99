"""Models change while events flow: nothing lost, nothing doubled, and the way back is short.

On the real broker, with workers as processes. Times are printed, not judged: `pytest -rP`.
"""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from offline import announced, rollout
from offline.announce import rollout_message
from stream_app.contract import wire
from stream_app.contract.alerts import Alert
from stream_app.contract.events import AnyEvent
from stream_app.contract.models import RolloutMode
from stream_app.contract.predictions import Arm, Step
from stream_app.contract.topics import (
    ALERTS,
    EVENTS,
    MODELS,
    PREDICTIONS,
    SHADOW,
)
from stream_app.scoring.rollout import arm_of
from tests.builders import MARKET
from tests.integration import workers
from tests.integration.oracle import check_exactly_once
from tests.integration.staged import ANNOUNCED, Stage
from tests.integration.workers import PARTITIONS, logged, read, stop, until_applied
from tests.waiting import until

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.chaos]

EVERY_S = 0.05
WITHIN_S = 120.0  # plenty: a worker starts in 5 s, a champion is opened in 3


@contextmanager
def flowing(stage: Stage, events: Sequence[AnyEvent], a_time: int = 20) -> Iterator[None]:
    """Events come all the while, as long as there are any."""
    enough = threading.Event()

    def send() -> None:
        for first in range(0, len(events), a_time):
            workers.publish(stage.kafka, events[first : first + a_time], EVENTS)
            if enough.wait(EVERY_S):
                return

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        enough.set()
        sender.join()


def served(stage: Stage, version: str, step: Step = Step.CHAMPION) -> int:
    """Milliseconds from the newest record of models to the first answer by this version after it."""
    told_ms = read(stage.kafka, MODELS, 0)[-1].timestamp_ms

    def first() -> list[int]:
        return [
            seen.timestamp_ms - told_ms
            for partition in range(PARTITIONS)
            for seen in read(stage.kafka, PREDICTIONS, partition)
            if seen.timestamp_ms >= told_ms and _answered(seen.value, version, step)
        ]

    return min(until(first, WITHIN_S, f"{version} answers as {step}"))


def _answered(value: bytes | None, version: str, step: Step) -> bool:
    prediction = wire.decode_prediction(value or b"")
    return prediction.versions.champion == version and prediction.step is step


def test_models_change_under_load_and_every_event_is_answered_once(stage: Stage) -> None:
    stage.promote("v1")
    events = workers.market(listings=20_000)

    with stage.worker() as first, stage.worker() as second, flowing(stage, events):
        took = {"first champion": served(stage, "v1")}
        stage.promote("v2", previous="v1")
        took["announce"] = served(stage, "v2")
        now = announced.read(stage.kafka, MARKET)
        challenger = ANNOUNCED["v3"].announced
        canary = rollout.roll_out(now, RolloutMode.CANARY, 0.3, challenger, "test")
        stage.tell(*canary.messages)
        took["rollout canary"] = served(stage, "v3", Step.CHALLENGER)
        stage.tell(rollout_message(MARKET, RolloutMode.SHADOW, 0.0, "test"))
        until(
            lambda: any(read(stage.kafka, SHADOW, p) for p in range(PARTITIONS)), WITHIN_S, "shadow"
        )
        back = subprocess.run(
            (sys.executable, "-m", "offline", "rollback", "--market", MARKET, "--dry-run"),
            env=stage.environment,
            check=True,
            capture_output=True,
        )
        assert b"alias/champion" in back.stdout
        stage.tell(*rollout.roll_back(announced.read(stage.kafka, MARKET), "test").messages)
        took["rollback"] = served(stage, "v1")
    assert first.wait() == second.wait() == -signal.SIGKILL
    finish(stage, events[-400:])

    print("milliseconds from the record to the first answer:", took)
    check_exactly_once(stage.kafka, stage.load)
    check_arms(stage)


def finish(stage: Stage, more: Sequence[AnyEvent]) -> None:
    """A new worker applies what is left, and some more in each partition, and stops."""
    workers.publish(stage.kafka, more, EVENTS)
    with stage.worker() as process:
        until_applied(stage.kafka)
        assert stop(process) == 0


def check_arms(stage: Stage) -> None:
    """Whom the challenger answered follows from the id alone; each step has its version."""
    versions = {Step.CHAMPION: {"v1", "v2"}, Step.CHALLENGER: {"v3"}}
    seen = set()
    for prediction in stage.predictions():
        if prediction.arm is Arm.CHALLENGER:
            assert arm_of(prediction.listing_id, 0.3) is Arm.CHALLENGER
        assert prediction.versions.champion in versions[prediction.step]
        seen.add(prediction.step)
    assert seen == {Step.CHAMPION, Step.CHALLENGER}


def test_a_restart_in_the_middle_of_a_swap_leaves_no_trace(stage: Stage) -> None:
    stage.promote("v1")
    events = workers.market(listings=3_000)
    workers.publish(stage.kafka, events[:-400], EVENTS)

    with stage.worker(batch_max="20", chaos="before_commit:delay=0.05") as process:
        until(stage.predictions, WITHIN_S, "v1 answers")
        stage.promote("v2", previous="v1")
        until(lambda: len(logged(stage.log, "champion serves")) > 1, WITHIN_S, "v2 is there")
        process.kill()
        process.wait()
    finish(stage, events[-400:])

    check_exactly_once(stage.kafka, stage.load)
    told = [[(a.champion, a.previous) for a in stage.activations(p)] for p in range(PARTITIONS)]
    assert all(each[-1] == ("v2", "v1") for each in told), told
    assert any(("v1", None) in each for each in told), told


def test_a_refused_model_leaves_the_old_one_and_is_told_once(stage: Stage) -> None:
    stage.promote("v1")
    bundle = stage.bundle("v2")
    bundle.write_bytes(bundle.read_bytes()[:-1] + b"?")
    events = workers.market(listings=20_000)

    with stage.worker() as process, flowing(stage, events):
        served(stage, "v1")
        stage.promote("v2", previous="v1")
        (seen,) = until(lambda: read(stage.kafka, ALERTS, 0), WITHIN_S, "an alert")
        stage.promote("v3", previous="v1")
        served(stage, "v3")
        assert stop(process) == 0

    alert = wire.decode_alert_message(seen.value or b"")
    assert isinstance(alert, Alert)
    assert (alert.fingerprint, alert.market) == (seen.key, MARKET)
    assert alert.summary.startswith("champion v2 is refused, v1 goes on")
    assert len(read(stage.kafka, ALERTS, 0)) == 1
    assert {p.versions.champion for p in stage.predictions()} == {"v1", "v3"}


def test_a_bundle_that_is_copied_after_it_was_announced_serves_then(stage: Stage) -> None:
    whole = stage.bundle("v2").read_bytes()
    stage.bundle("v2").write_bytes(whole[:100])
    stage.promote("v1")

    with stage.worker() as process, flowing(stage, workers.market(listings=20_000)):
        served(stage, "v1")
        stage.promote("v2", previous="v1")
        (seen,) = until(lambda: read(stage.kafka, ALERTS, 0), WITHIN_S, "an alert")
        stage.bundle("v2").write_bytes(whole)
        served(stage, "v2")
        assert stop(process) == 0

    alert = wire.decode_alert_message(seen.value or b"")
    assert isinstance(alert, Alert)
    assert alert.summary.startswith("champion v2 cannot be opened yet and is tried again, v1 goes")


def test_a_worker_comes_back_with_what_served_though_two_champions_were_refused(
    stage: Stage,
) -> None:
    """No alias leads to v1 any more: the activations do."""
    stage.promote("v1")
    events = workers.market(listings=2_000)
    workers.publish(stage.kafka, events[:-400], EVENTS)
    with stage.worker() as process:
        until_applied(stage.kafka)
        assert stop(process) == 0
    for version in ("v2", "v3"):
        stage.bundle(version).write_bytes(stage.bundle(version).read_bytes()[:-1] + b"?")
    stage.promote("v2", previous="v1")
    stage.promote("v3", previous="v2")

    finish(stage, events[-400:])

    assert {p.versions.champion for p in stage.predictions()} == {"v1"}
    check_exactly_once(stage.kafka, stage.load)


def test_a_roll_back_by_the_command_is_in_effect_under_load(stage: Stage, tmp_path: Path) -> None:
    """From pressing return to the first answer, imports and all."""
    stage.promote("v1")
    stage.promote("v2", previous="v1")
    own = {"HOUSING_OFFLINE_MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'mlflow.db'}"}
    command = (sys.executable, "-m", "offline", "rollback", "--market", MARKET, "--json")

    with stage.worker() as process, flowing(stage, workers.market(listings=20_000)):
        served(stage, "v2")
        before_ms = max(
            seen.timestamp_ms
            for p in range(PARTITIONS)
            for seen in read(stage.kafka, PREDICTIONS, p)
        )
        ran = subprocess.Popen(command, env={**stage.environment, **own}, stdout=subprocess.DEVNULL)
        until(lambda: len(read(stage.kafka, MODELS, 0)) == 8, WITHIN_S, "it is told")
        record_ms = served(stage, "v1")
        told_ms = read(stage.kafka, MODELS, 0)[-1].timestamp_ms
        assert ran.wait(WITHIN_S) == 0
        assert stop(process) == 0

    print(
        f"roll back: {record_ms} ms from the record, "
        f"{told_ms + record_ms - before_ms} ms from the start of the command"
    )
    champions_ = [a.champion for p in range(PARTITIONS) for a in stage.activations(p)[-1:]]
    assert "v1" in champions_
