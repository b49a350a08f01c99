"""The load is drawn by the seed alone, and holds everything that happens in a market."""

from collections import Counter
from itertools import islice

from stream_app.contract.topics import PREDICTIONS
from stream_app.stages import scorer, step
from stream_app.stages.step import Record
from tests.builders import LISTED_MS
from tests.chaos.load import traffic
from tests.replay import reject_codes, run, to_topic

EVENTS = 4_000
LATER_MS = LISTED_MS + 10**12


def test_the_same_seed_gives_the_same_load() -> None:
    assert list(islice(traffic(3, 500), 500)) == list(islice(traffic(3, 500), 500))
    assert list(islice(traffic(3, 500), 500)) != list(islice(traffic(4, 500), 500))


def test_the_load_holds_all_that_may_happen() -> None:
    taken = [
        Record(offset, sent.key, sent.value, LATER_MS)
        for offset, sent in enumerate(islice(traffic(1, EVENTS), EVENTS))
    ]

    ran = run(scorer.advance, [taken], {})

    control = step.read_control(ran.state)
    assert control is not None
    kinds = Counter(control.counts)
    for what in (
        "listing:scored", "listing:duplicate", "listing:conflict", "listing:late", "sale:joined",
        "sale:orphan", "sale:duplicate", "sale:sold_before_listed", "correction:corrected",
        "withdrawal:withdrawn", "erasure:erased",
    ):  # fmt: skip
        assert kinds[what] > 0, what
    assert {"key", "not_json", "schema", "sold_before_listed"} <= set(reject_codes(ran.outputs))
    assert len(to_topic(ran.outputs, PREDICTIONS)) > EVENTS / 3
