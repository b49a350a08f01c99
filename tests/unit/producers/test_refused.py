"""What would become of a refused event now, and what is remembered of sending it again."""

import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from kafka import TopicPartition

from producers import sent_again
from producers.checkpoint import BadCheckpoint
from producers.refused import BY_THE_LEDGER, Choice, Prospect, Refused, grouped, prospect
from producers.refused_topic import of_partition
from producers.rejects_commands import sendable
from producers.sent_again import REMEMBERED_MS, Memory, send_again
from stream_app.contract.rejects import RejectCode
from stream_app.contract.topics import EVENT_BYTES_MAX
from stream_app.stages import scorer
from tests import builders, messages
from tests.builders import LISTED_MS, SOLD_MS, listing
from tests.unit.producers.fakes import Died, FakeClock, FakeSender

GOOD = builders.raw(listing())
NOW_MS = SOLD_MS
PLACE = TopicPartition("t", 0)


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
        (refused(code=RejectCode.OTHER_MARKET), (Prospect.NOT_TO_BE_JUDGED_HERE, None)),
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


def test_an_event_is_remembered_by_its_bytes_however_often_it_is_refused() -> None:
    memory = Memory(topic="t", topic_id="1")
    memory.add(home(1), NOW_MS)

    again = msgspec.structs.replace(home(1), offset=900, at_ms=NOW_MS)

    assert memory.has(again)
    assert not memory.has(home(2))


def test_memory_comes_back_from_its_file_without_what_is_too_old(tmp_path: Path) -> None:
    path = tmp_path / "new" / "sent.json"
    memory = sent_again.load(path, "t", "1", NOW_MS)
    memory.add(home(7), NOW_MS)
    memory.add(home(8), NOW_MS + 1)

    sent_again.save(path, memory)

    assert sent_again.load(path, "t", "1", NOW_MS) == memory
    later = sent_again.load(path, "t", "1", NOW_MS + 1 + REMEMBERED_MS)
    assert [later.has(home(n)) for n in (7, 8)] == [False, True]


def test_memory_of_another_topic_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sent.json"
    sent_again.save(path, Memory(topic="t", topic_id="1"))

    with pytest.raises(BadCheckpoint, match="is of topic t \\(1\\), here it is t \\(2\\)"):
        sent_again.load(path, "t", "2", NOW_MS)


def test_a_file_that_is_no_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sent.json"
    path.write_text("?")

    with pytest.raises(BadCheckpoint, match="does not say what was sent again"):
        sent_again.load(path, "t", "1", NOW_MS)


def home(number: int) -> Refused:
    return refused(builders.raw(listing(listing_id=f"h-{number}")), offset=number)


def sent_of(memory: Memory, count: int) -> list[int]:
    return [n for n in range(count) if memory.has(home(n))]


def test_each_is_sent_once_and_remembered() -> None:
    sender, memory, kept = FakeSender(), Memory(topic="t", topic_id="1"), []

    sent = send_again(
        map(home, range(5)), sender, memory, lambda m: kept.append(dict(m.sent)), lambda: NOW_MS
    )

    assert sent == 5
    assert sender.event_ids == [f"h-{n}:listing:0" for n in range(5)]
    assert sent_of(memory, 9) == [0, 1, 2, 3, 4]
    assert len(kept) == 1


def test_what_was_confirmed_before_a_death_is_remembered() -> None:
    sender, memory = FakeSender(confirm_every=2, dies_at=5), Memory(topic="t", topic_id="1")

    with pytest.raises(Died):
        send_again(
            map(home, range(9)), sender, memory, lambda m: None, lambda: NOW_MS, FakeClock(tick_s=1)
        )

    assert sent_of(memory, 9) == [0, 1, 2, 3]


def replayed(
    found: list[Refused], memory: Memory, choice: Choice
) -> tuple[list[str], Counter[str]]:
    """The ids that one run sends, and what it counts."""
    sender, counts = FakeSender(), Counter[str]()
    chosen = sendable(filter(choice.takes, found), memory, choice, counts, Counter())
    send_again(chosen, sender, memory, lambda m: None, lambda: NOW_MS)
    return sender.event_ids, counts


def test_what_is_refused_again_is_not_sent_again() -> None:
    memory, choice = Memory(topic="t", topic_id="1"), Choice(code=RejectCode.CONFLICT)
    log = [refused(code=RejectCode.CONFLICT, offset=0)]

    first, _ = replayed(log, memory, choice)
    log.append(refused(code=RejectCode.CONFLICT, offset=1))  # the scorer says no once more
    second, counts = replayed(log, memory, choice)

    assert (len(first), second) == (1, [])
    assert counts == {Prospect.SENT_BEFORE: 2}


def test_what_was_refused_twice_is_sent_once() -> None:
    twice = [refused(offset=0), refused(offset=1)]

    sent, counts = replayed(twice, Memory(topic="t", topic_id="1"), Choice())

    assert len(sent) == 1
    assert counts == {Prospect.PASSES: 1, Prospect.SENT_BEFORE: 1}


def test_a_limit_counts_what_is_sent_so_the_same_command_goes_on() -> None:
    memory, choice = Memory(topic="t", topic_id="1"), Choice(limit=2)
    log = [refused(b"?", offset=9), *map(home, range(5))]

    runs = [replayed(log, memory, choice)[0] for _ in range(4)]

    assert [[each.split(":")[0] for each in run] for run in runs] == [
        ["h-0", "h-1"],
        ["h-2", "h-3"],
        ["h-4"],
        [],
    ]


@pytest.mark.parametrize("code", BY_THE_LEDGER, ids=str)
def test_what_the_ledger_refused_is_sent_only_when_asked_for(code: RejectCode) -> None:
    log = [refused(code=code)]

    unasked, _ = replayed(log, Memory(topic="t", topic_id="1"), Choice())
    asked, _ = replayed(log, Memory(topic="t", topic_id="1"), Choice(code=code))

    assert (len(unasked), len(asked)) == (0, 1)


def test_the_ledger_refuses_with_the_codes_that_the_contract_says() -> None:
    assert {code for code, _ in scorer._REJECTED.values()} == set(BY_THE_LEDGER)


class Record(NamedTuple):
    """One of the rejects topic, as the client gives it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    headers: Sequence[tuple[str, bytes]]
    value: bytes | None


class Log:
    """A consumer of one partition of rejects, in pages."""

    def __init__(self, count: int, page: int) -> None:
        about = messages.reject_headers(code=RejectCode.AREA)
        headers = [(name, getattr(about, name).encode()) for name in about.__struct_fields__]
        self._records = [Record("t", 0, n, NOW_MS, headers, GOOD) for n in range(count)]
        self._page, self._at = page, 0

    def assign(self, places: object) -> None:
        """Nothing to do: there is one partition."""

    def beginning_offsets(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 0)

    def seek(self, place: TopicPartition, offset: int) -> None:
        self._at = offset

    def position(self, place: TopicPartition) -> int:
        return self._at

    def poll(self, timeout_ms: int) -> dict[TopicPartition, list[Record]]:
        piece = self._records[self._at : self._at + self._page]
        self._at += len(piece)
        return {PLACE: piece}


@pytest.mark.parametrize("code", [RejectCode.AREA, RejectCode.KEY], ids=["all taken", "none taken"])
def test_told_to_stop_it_reads_no_further_whatever_is_chosen(code: RejectCode) -> None:
    looks, log = itertools.count(), Log(count=1_000, page=10)

    found = list(of_partition(log, PLACE, 1_000, Choice(code=code), lambda: next(looks) >= 25))

    assert log.position(PLACE) == 30
    assert len(found) == (22 if code is RejectCode.AREA else 0)
