"""From a bad event to its second chance: refused, summed up, judged anew, sent again once."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from confluent_kafka import Producer

from stream_app.contract import wire
from stream_app.contract.ids import partition_of
from stream_app.contract.rejects import RejectCode
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.topics import EVENTS, PREDICTIONS, REJECTS, full_name
from tests import builders, messages
from tests.builders import REGION, listing
from tests.integration import workers
from tests.integration.workers import PARTITIONS
from tests.waiting import until

pytestmark = pytest.mark.broker

HOME = partition_of(REGION.encode(), PARTITIONS)
AWAY = (HOME + 1) % PARTITIONS
WITHIN_S = 120.0


def rejects(environment: Mapping[str, str], *given: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "producers", "rejects", *given],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def summary(done: "subprocess.CompletedProcess[str]") -> dict[str, object]:
    told = json.loads(done.stdout)
    assert isinstance(told, dict), done.stderr
    return {name: value for name, value in told.items() if value}


def send(kafka: KafkaSettings, records: list[tuple[int, bytes, bytes]]) -> None:
    """Partition, key and value, as a careless client sends them."""
    producer = Producer(
        {"bootstrap.servers": kafka.bootstrap_servers, "message.max.bytes": 2_000_000}
    )
    for partition, key, value in records:
        producer.produce(full_name(kafka.prefix, EVENTS), value, key, partition)
    assert producer.flush(30) == 0


def home(name: str, **changes: object) -> bytes:
    return builders.raw(listing(**{"listing_id": name, "source": "agency", **changes}))


def predicted(kafka: KafkaSettings) -> Counter[str]:
    """Listing ids by how often they were answered."""
    seen = [each for n in range(PARTITIONS) for each in workers.read(kafka, PREDICTIONS, n)]
    return Counter(wire.decode_prediction(each.value or b"").listing_id for each in seen)


def abort_a_reject(kafka: KafkaSettings) -> None:
    """A reject that never was: its transaction was given up."""
    producer = Producer(
        {"bootstrap.servers": kafka.bootstrap_servers, "transactional.id": f"{kafka.prefix}-gone"}
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    headers = messages.reject_headers()
    named = [(name, getattr(headers, name)) for name in headers.__struct_fields__]
    producer.produce(full_name(kafka.prefix, REJECTS), b"?", b"k", 0, headers=named)
    producer.flush(30)
    producer.abort_transaction(30)


def test_refused_events_are_summed_up_judged_anew_and_sent_again_once(
    kafka: KafkaSettings, environment: Mapping[str, str], tmp_path: Path, log: Path
) -> None:
    key = REGION.encode()
    bad = [
        (HOME, b"agency", home("wrong key")),
        (AWAY, key, home("wrong partition")),
        (AWAY, key, home("again there")),
        (HOME, key, home("in square feet", area_m2=5_500.0)),
        (HOME, key, b'{"source": "\x1b[31m", "kind": "sold"}'.replace(b"\x1b", b"\\u001b")),
        (HOME, key, b"{" + b" " * 1_100_000 + b"}"),
        (HOME, key, home("fine")),
        (HOME, key, home("fine", event_id="twin")),
    ]
    send(kafka, bad)
    abort_a_reject(kafka)
    kept = ("--checkpoint", str(tmp_path / "sent.json"))
    with workers.worker(environment, log):
        until(
            lambda: sum(len(workers.read(kafka, REJECTS, n)) for n in range(PARTITIONS)) == 7,
            WITHIN_S,
            "seven are refused",
        )

        listed = [
            json.loads(line) for line in rejects(environment, "list", "--json").stdout.splitlines()
        ]
        group = rejects(environment, "group")
        dry = rejects(environment, "replay", "--dry-run", "--json", *kept)
        before = predicted(kafka)
        first = rejects(environment, "replay", "--json", *kept)
        until(lambda: len(predicted(kafka)) == 4, WITHIN_S, "all that pass are answered")
        second = rejects(environment, "replay", "--json", *kept)
        forgotten = rejects(environment, "replay", "--json", "--checkpoint", str(tmp_path / "new"))
        asked = rejects(environment, "replay", "--json", "--code", "conflict", *kept)
        until(
            lambda: sum(len(workers.read(kafka, REJECTS, n)) for n in range(PARTITIONS)) == 8,
            WITHIN_S,
            "the scorer refuses it again",
        )
        once_more = rejects(environment, "replay", "--json", "--code", "conflict", *kept)
        fine = home("after all that")
        send(kafka, [(HOME, key, fine)])
        until(lambda: len(predicted(kafka)) == 5, WITHIN_S, "the last one is answered")

    assert Counter(each["code"] for each in listed) == Counter(
        {"key": 1, "partition": 2, "area": 1, "kind": 1, "too_large": 1, "conflict": 1}
    )
    assert group.returncode == 0
    assert "\x1b" not in group.stdout
    assert "       2  partition           agency" in group.stdout
    assert "e.g. area_m2=5500.0: must hold: 10 <= area_m2 <= 5,000" in group.stdout
    wanted: dict[str, object] = {
        "passes": 3,
        "refused_again": 2,
        "not_to_be_judged_here": 1,
        "not_kept": 1,
        "codes": {"area": 1, "kind": 1},
    }
    assert dry.returncode == 1, "some would be refused again"
    assert summary(dry) == wanted
    assert before == Counter({"fine": 1})
    assert first.returncode == 0, first.stderr
    assert summary(first) == {"sent": 3, **wanted}
    del wanted["passes"]
    assert summary(second) == {"sent_before": 3, **wanted}
    assert summary(forgotten)["sent"] == 3
    assert summary(asked) == {"sent": 1, "not_to_be_judged_here": 1}
    assert summary(once_more) == {"sent_before": 2}, "its second refusal is of the same event"
    assert predicted(kafka) == Counter(
        ["wrong key", "wrong partition", "again there", "fine", "after all that"]
    ), "each once, also those sent twice"


def test_what_is_chosen_is_all_that_is_told(
    kafka: KafkaSettings, environment: Mapping[str, str], log: Path
) -> None:
    key = REGION.encode()
    send(kafka, [(HOME, key, home(f"h-{n}", area_m2=-1.0)) for n in range(5)])
    send(kafka, [(AWAY, key, home("away", source="another"))])
    with workers.worker(environment, log):
        until(
            lambda: sum(len(workers.read(kafka, REJECTS, n)) for n in range(PARTITIONS)) == 6,
            WITHIN_S,
            "six are refused",
        )

    few = rejects(environment, "list", "--code", RejectCode.AREA, "--limit", "2")
    other = rejects(environment, "group", "--publisher", "another", "--json")
    new = rejects(environment, "list", "--since", "2999-01-01")
    none = rejects(environment, "group", "--code", "future")

    assert len(few.stdout.splitlines()) == 2
    assert [json.loads(line)["events"] for line in other.stdout.splitlines()] == [1]
    assert (new.returncode, new.stdout) == (0, "")
    assert none.stdout == "nothing was refused that is so\n"
