"""Whatever the bytes: a record becomes a prediction, a reject, or a count. One of them, once."""

import random
from collections import Counter
from collections.abc import Mapping

import pytest

from stream_app.contract import wire
from stream_app.contract.topics import PREDICTIONS, REJECTS
from stream_app.contract.wire import Decoded
from stream_app.core.labels import Verdict
from stream_app.stages import scorer
from stream_app.stages.step import Batch, Record, Serving, State, Step, read_control
from tests.builders import LISTED_MS
from tests.chaos import hostile
from tests.laws.timelines import serving
from tests.replay import Advance, run

PAYLOADS = 3_000
APPENDED_MS = LISTED_MS + 10**11


def hostile_log(seed: int) -> list[Record]:
    draw = random.Random(seed)
    return [
        Record(offset, sent.key, sent.value, APPENDED_MS)
        for offset, sent in enumerate(hostile.draw_one(draw) for _ in range(PAYLOADS))
    ]


def check_law(advance: Advance) -> None:
    """Each record is counted once, and answered as its count says."""
    taken = hostile_log(1)

    ran = run(advance, [taken[at : at + 97] for at in range(0, PAYLOADS, 97)], serving())

    control = read_control(ran.state)
    assert control is not None
    counts = Counter(control.counts)
    # Beside a verdict stand notes, such as late or repaired.
    verdicts = {
        what: n
        for what, n in counts.items()
        if what.startswith("rejected:") or what.partition(":")[2] in set(Verdict)
    }
    assert sum(verdicts.values()) == PAYLOADS
    answered = Counter(output.topic.name for output in ran.outputs)
    assert answered[PREDICTIONS.name] == verdicts["listing:scored"]
    refused = sum(n for what, n in verdicts.items() if what.startswith("rejected:"))
    conflicts = sum(n for what, n in verdicts.items() if what.endswith(("conflict", "listed")))
    assert answered[REJECTS.name] == refused + conflicts


def skips_the_unreadable(taken: Batch, state: State, models: Mapping[str, Serving]) -> Step:
    """Planted: what cannot be decoded is passed over without a word."""
    readable = [
        record
        for record in taken.records
        if isinstance(wire.decode_event(record.value or b""), Decoded)
    ]
    return scorer.advance(taken._replace(records=readable), state, models)


def test_every_record_is_answered_or_counted_once() -> None:
    check_law(scorer.advance)


def test_the_law_catches_records_that_are_passed_over() -> None:
    with pytest.raises(AssertionError):
        check_law(skips_the_unreadable)


@pytest.mark.parametrize("family", hostile.FAMILIES)
def test_a_family_is_drawn_by_the_seed_alone(family: str) -> None:
    draw = hostile.FAMILIES[family]

    assert draw(random.Random(1)) == draw(random.Random(1))
