"""What would become of a refused event now, and what is remembered of sending it again."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers import sent_again
from producers.checkpoint import BadCheckpoint
from producers.refused import Choice, Prospect, Refused, grouped, prospect
from producers.sent_again import Memory, send_again
from stream_app.contract.rejects import RejectCode
from stream_app.contract.topics import EVENT_BYTES_MAX
from tests import builders, messages
from tests.builders import LISTED_MS, SOLD_MS, listing
from tests.laws.law import LAW
from tests.unit.producers.fakes import Died, FakeClock, FakeSender

GOOD = builders.raw(listing())


def refused(
    raw: bytes = GOOD, code: RejectCode = RejectCode.KEY, offset: int = 0, **headers: object
) -> Refused:
    about = messages.reject_headers(code=code, size=str(len(raw)), **headers)
    return Refused(0, offset, LISTED_MS + offset, about, raw)


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        (refused(), (Prospect.PASSES, None)),
        (refused(code=RejectCode.MARKET), (Prospect.PASSES, None)),
        (refused(code=RejectCode.CONFLICT), (Prospect.NOT_TO_BE_JUDGED_HERE, None)),
        (refused(code=RejectCode.SOLD_BEFORE_LISTED), (Prospect.NOT_TO_BE_JUDGED_HERE, None)),
        (
            refused(builders.raw(listing(area_m2=5_500.0)), RejectCode.KEY),
            (Prospect.REFUSED_AGAIN, RejectCode.AREA),
        ),
        (refused(b"?"), (Prospect.REFUSED_AGAIN, RejectCode.NOT_JSON)),
        (refused(b""), (Prospect.REFUSED_AGAIN, RejectCode.NOT_JSON)),
        (
            refused(builders.raw(listing(event_time_ms=2**53 - 1)), RejectCode.FUTURE),
            (Prospect.REFUSED_AGAIN, RejectCode.FUTURE),
        ),
    ],
    ids=lambda given_: given_.headers.code if isinstance(given_, Refused) else given_[0],
)
def test_a_refused_event_is_held_against_the_rules_of_now(
    given_: Refused, wanted: tuple[Prospect, RejectCode | None]
) -> None:
    assert prospect(given_, SOLD_MS) == wanted


def test_bytes_that_were_not_kept_are_told() -> None:
    too_large = messages.reject_headers(code=RejectCode.TOO_LARGE, size=str(EVENT_BYTES_MAX + 1))

    assert prospect(Refused(0, 0, 0, too_large, b""), SOLD_MS) == (Prospect.NOT_KEPT, None)


def test_groups_are_by_cause_and_publisher_the_largest_first() -> None:
    found = [
        refused(offset=1, publisher="b", detail="the first"),
        refused(offset=2, publisher="a"),
        refused(offset=3, publisher="b", detail="another"),
        refused(offset=4, publisher="b", code=RejectCode.AREA),
    ]

    groups = grouped(found)

    told = [(each.events, each.code, each.publisher) for each in groups]
    assert told == [
        (2, RejectCode.KEY, "b"),
        (1, RejectCode.AREA, "b"),
        (1, RejectCode.KEY, "a"),
    ]
    first = groups[0]
    assert (first.first_ms, first.last_ms) == (LISTED_MS + 1, LISTED_MS + 3)
    assert first.example == "the first"


@pytest.mark.parametrize(
    ("choice", "takes"),
    [
        (Choice(), True),
        (Choice(code=RejectCode.KEY), True),
        (Choice(code=RejectCode.AREA), False),
        (Choice(publisher="agency"), True),
        (Choice(publisher="another"), False),
        (Choice(since_ms=LISTED_MS + 5), True),
        (Choice(since_ms=LISTED_MS + 6), False),
    ],
)
def test_a_choice_is_by_code_publisher_and_time(choice: Choice, takes: bool) -> None:
    assert choice.takes(refused(offset=5, publisher="agency")) is takes


@LAW
@given(st.lists(st.integers(0, 30)))
def test_memory_is_a_set_of_offsets_in_few_spans(offsets: list[int]) -> None:
    memory = Memory(topic="t", topic_id="1")
    for offset in offsets:
        memory.add(refused(offset=offset))

    assert [n for n in range(32) if memory.has(refused(offset=n))] == sorted(set(offsets))
    spans = memory.sent.get(0, [])
    assert all(last + 1 < first for (_, last), (first, _) in itertools.pairwise(spans))


def test_memory_comes_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "sent.json"
    memory = sent_again.load(path, "t", "1")
    memory.add(refused(offset=7))

    sent_again.save(path, memory)

    assert sent_again.load(path, "t", "1") == memory


def test_memory_of_another_topic_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sent.json"
    sent_again.save(path, Memory(topic="t", topic_id="1"))

    with pytest.raises(BadCheckpoint, match="is of topic t \\(1\\), here it is t \\(2\\)"):
        sent_again.load(path, "t", "2")


def test_a_file_that_is_no_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sent.json"
    path.write_text("?")

    with pytest.raises(BadCheckpoint, match="does not say what was sent again"):
        sent_again.load(path, "t", "1")


def home(number: int) -> Refused:
    return refused(builders.raw(listing(listing_id=f"h-{number}")), offset=number)


def test_each_is_sent_once_and_remembered() -> None:
    sender, memory, kept = FakeSender(), Memory(topic="t", topic_id="1"), []

    sent = send_again(
        map(home, range(5)), sender, memory, lambda m: kept.append(dict(m.sent)), lambda: False
    )

    assert sent == 5
    assert sender.event_ids == [f"h-{n}:listing:0" for n in range(5)]
    assert memory.sent == {0: [(0, 4)]}
    assert len(kept) == 1


def test_what_was_confirmed_before_a_death_is_remembered() -> None:
    sender, memory = FakeSender(confirm_every=2, dies_at=5), Memory(topic="t", topic_id="1")

    with pytest.raises(Died):
        send_again(
            map(home, range(9)), sender, memory, lambda m: None, lambda: False, FakeClock(tick_s=1)
        )

    assert memory.sent == {0: [(0, 3)]}


def test_told_to_stop_it_confirms_what_it_sent() -> None:
    sender, memory = FakeSender(confirm_every=100), Memory(topic="t", topic_id="1")

    sent = send_again(
        map(home, range(9)), sender, memory, lambda m: None, lambda: len(sender.event_ids) == 3
    )

    assert sent == 3
    assert memory.sent == {0: [(0, 2)]}
