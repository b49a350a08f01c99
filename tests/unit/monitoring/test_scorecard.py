"""A publisher's card: what it sent, what became of it, and what it is doubted for."""

import json
from pathlib import Path

import pytest

from monitoring import __main__ as program
from monitoring import publishers_command, scorecard
from monitoring.alerting import book as books
from monitoring.scorecard import Card, Scorecard
from stream_app.contract import wire
from stream_app.contract.alerts import Alert
from stream_app.contract.predictions import QualityReason
from stream_app.contract.topics import ALERTS, EVENTS, PREDICTIONS, REJECTS
from tests import messages
from tests.builders import DAY_MS, LISTED_MS, listing, sale
from tests.unit.monitoring import archives

SOON_MS = LISTED_MS + 2_000


def scored(*raw: bytes, appended_ms: int = SOON_MS) -> Card:
    score = Scorecard()
    for offset, value in enumerate(raw):
        score.take_event(0, offset, appended_ms, value)
    (card,) = score.cards.values()
    return card


def test_what_is_refused_or_repeated_is_not_accepted() -> None:
    score, home = Scorecard(), wire.encode(listing())
    score.take_reject("0", "4", "area")
    for offset, raw in enumerate([home, home, wire.encode(sale()), wire.encode(sale())]):
        score.take_event(0, offset, SOON_MS, raw)
    score.take_event(0, 4, SOON_MS, wire.encode(listing(listing_id="other", area_m2=-1.0)))

    card = score.cards["test"]
    assert (card.events, card.duplicates, card.rejected, card.accepted) == (5, 2, {"area": 1}, 2)
    assert card.kinds == {"listing": 3, "sale": 2}


def test_what_is_refused_twice_and_then_sent_well_under_its_id_is_accepted_once() -> None:
    score, wrong = Scorecard(), wire.encode(listing(area_m2=-1.0))
    for place in ("0", "1"):
        score.take_reject("0", place, "area")
    for offset, raw in enumerate([wrong, wrong, wire.encode(listing())]):
        score.take_event(0, offset, SOON_MS, raw)

    card = score.cards["test"]
    assert (card.events, card.duplicates, card.rejected, card.accepted) == (3, 0, {"area": 2}, 1)


def test_two_homes_may_have_an_event_of_the_same_id() -> None:
    homes = [wire.encode(listing(listing_id=name, event_id="1")) for name in "ab"]

    assert scored(*homes).duplicates == 0


def test_an_answer_is_counted_of_the_publisher_whose_listing_it_answers() -> None:
    score = Scorecard()
    score.take_event(0, 7, SOON_MS, wire.encode(listing(source="a")))
    score.take_event(1, 7, SOON_MS, wire.encode(listing(source="b")))

    for _ in range(2):
        score.take_prediction(0, 7, [QualityReason.LATE, QualityReason.REPAIRED])
    score.take_prediction(0, 8, [QualityReason.LATE])

    a, b = score.cards["a"], score.cards["b"]
    assert (a.priced, a.late, a.repaired, a.doubted) == (1, 1, 1, 0)
    assert (b.priced, b.late) == (0, 0)


@pytest.mark.parametrize(
    ("lag_ms", "expected"), [(2_000, 2_000), (-40_000, -40_000), (DAY_MS, None), (-DAY_MS, None)]
)
def test_a_clock_is_judged_on_live_events_only(lag_ms: int, expected: int | None) -> None:
    card = scored(wire.encode(listing()), appended_ms=LISTED_MS + lag_ms)

    assert card.least_lag_ms == expected


@pytest.mark.parametrize("raw", [b"", b"?", b"\xff", b"[" * 100_000, b'{"event_time_ms":1e300}'])
def test_bytes_that_nobody_can_read_are_somebodys(raw: bytes) -> None:
    assert scored(raw).publisher == "unknown"


def test_invented_names_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scorecard, "PUBLISHERS_MAX", 3)
    score = Scorecard()

    for n in range(10):
        score.take_event(0, n, SOON_MS, wire.encode(listing(source=f"p{n}")))

    assert {name: card.events for name, card in score.cards.items()} == {
        "p0": 1,
        "p1": 1,
        "p2": 1,
        "": 7,
    }


def test_it_is_doubted_for_what_is_open_and_names_it() -> None:
    def told(n: int, cause: str, segment: str) -> Alert:
        return messages.alert(fingerprint=f"a-{n}", cause=cause, segment=segment)

    book = books.of_log(
        [
            told(1, "publisher doubted: unit", "a"),
            told(2, "unit", "publisher=a field=area_m2"),
            told(3, "rejects", "publisher=a"),
            told(4, "rejects", "publisher=ab"),
            told(5, "nulls", "publisher=a field=grade"),
            messages.resolved(fingerprint="a-5"),
        ]
    )

    assert publishers_command.doubts_of(book, "a") == (
        "publisher doubted: unit",
        "unit field=area_m2",
        "rejects",
    )


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two publishers, one of them doubted; the old range is before the window."""
    old = archives.APPENDED_MS - 100 * DAY_MS
    archives.put(tmp_path, EVENTS, [wire.encode(listing(source="old"))], appended_ms=old)
    sent = [wire.encode(listing(source=name, listing_id=name)) for name in ("a", "b")]
    archives.put(tmp_path, EVENTS, [*sent, sent[0]])
    answer = messages.prediction(source_partition=0, source_offset=1, listing_id="a")
    archives.put(tmp_path, PREDICTIONS, [wire.encode(answer)])
    doubt = messages.alert(cause="rejects", segment="publisher=a")
    over = messages.resolved()
    archives.put(tmp_path, ALERTS, [wire.encode(doubt), b"?"])
    archives.put(tmp_path, ALERTS, [wire.encode(over), wire.encode(doubt)])
    return tmp_path


def test_the_newest_days_of_the_archive_are_read(archive: Path) -> None:
    cards = publishers_command.gathered(archive, archives.PREFIX, days=30)

    assert {name: card.events for name, card in cards.items()} == {"a": 2, "b": 1}
    assert (cards["a"].duplicates, cards["a"].priced, cards["a"].late) == (1, 1, 1)
    assert cards["a"].doubts == ("rejects",)


def test_a_reject_of_the_archive_is_held_against_the_event_at_its_place(archive: Path) -> None:
    place = (("code", b"area"), ("source_partition", b"0"), ("source_offset", b"2"))
    for headers in (place, place[:1]):  # the second names no place
        archives.put(archive, REJECTS, [b"{}"], headers=headers)

    card = publishers_command.gathered(archive, archives.PREFIX, days=30)["b"]

    assert (card.rejected, card.accepted) == ({"area": 1}, 0)


def test_it_is_a_command(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["publishers", "--dir", str(archive), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["publishers"]
    assert [(row["publisher"], row["accepted"]) for row in rows] == [("a", 1), ("b", 1)]

    assert program.main(["publishers", "a", "--dir", str(archive)]) == 0
    assert "doubted for" in capsys.readouterr().out
    assert program.main(["publishers", "--dir", str(archive)]) == 0
    assert "rejects" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["nobody", "old", ""])
def test_a_publisher_that_sent_nothing_is_wrong_input(
    archive: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(["publishers", name, "--dir", str(archive)]) == 2
    assert "there are: a, b" in capsys.readouterr().err


def test_no_archive_is_wrong_input(tmp_path: Path) -> None:
    assert program.main(["publishers", "--dir", str(tmp_path / "nowhere")]) == 2
