"""The card rates alarms on streams whose truth is known: blind ones and jumpy ones fail it."""

import random
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from monitoring import report_card, report_card_events, report_card_real, report_card_volume
from monitoring.__main__ import main
from monitoring.detectors.finding import Event, Finding, Labelled
from monitoring.report_card import Alarm, Power, Quiet
from monitoring.windows import Window
from stream_app.contract import wire
from tests import builders, flow

DAY_MS = 86_400_000


def days(count: int = 60) -> list[list[Labelled]]:
    draw = random.Random(3)
    regions = ("kc-1", "kc-2", "kc-3")
    rows = [
        Labelled("king-county", regions[n % 3], n * DAY_MS // 20, draw.gauss(0, 0.15))
        for n in range(20 * count)
    ]
    return report_card.by_day(rows)


@pytest.fixture(scope="module")
def card() -> tuple[dict[str, Quiet], dict[tuple[str, str], Power]]:
    quiet = {each.alarm: each for each in report_card.quiet(days(), streams=2, seed=1)}
    power = {(e.plant, e.alarm): e for e in report_card.power(days(), streams=2, seed=1)}
    return quiet, power


def test_a_stream_is_drawn_by_whole_weeks_and_the_same_for_the_same_seed() -> None:
    once = list(report_card.drawn(days(), 28, seed=5))

    assert once == list(report_card.drawn(days(), 28, seed=5))
    assert once != list(report_card.drawn(days(), 28, seed=6))
    assert [row.sold_ms for row in once] == sorted(row.sold_ms for row in once)
    assert len({row.sold_ms // DAY_MS for row in once}) == 28


def test_the_budget_holds_on_quiet_streams_and_always_alarming_breaks_it(
    card: tuple[dict[str, Quiet], dict[tuple[str, str], Power]],
) -> None:
    quiet, _ = card

    assert max(quiet[name].per_30_days for name in ("price level", "error", "policy")) <= 1
    assert quiet["always alarm"].per_30_days > 100


def test_a_shock_of_ten_percent_is_found_within_200_labels(
    card: tuple[dict[str, Quiet], dict[tuple[str, str], Power]],
) -> None:
    _, power = card

    for plant in ("shock +10 %", "shock -10 %"):
        for alarm in ("price level", "policy"):
            measured = power[plant, alarm]
            assert measured.found == measured.streams
            assert (measured.delay_most or 999) <= 200


def test_missing_sales_are_told_and_quiet_streams_are_not() -> None:
    quiet = report_card_volume.quiet(days(), streams=3, seed=1)
    power = {each.plant: each for each in report_card_volume.power(days(), streams=3, seed=1)}

    assert quiet.false_alarms == 0
    assert power["4 of 5 sales missing"].found == 3
    assert power["1 of 3 missing"].found == 0


class Blind:
    """Planted: never alarms."""

    def update(self, _row: Labelled) -> bool:
        return False


class Jumpy:
    """Planted: alarms at each unusual home."""

    def update(self, row: Labelled) -> bool:
        return abs(row.error_log) > 0.3


@pytest.mark.parametrize(("planted", "found"), [(Blind, 0), (Jumpy, 2)])
def test_the_card_catches_an_alarm_that_is_no_good(
    monkeypatch: pytest.MonkeyPatch, planted: Callable[[], Alarm], found: int
) -> None:
    monkeypatch.setattr(report_card, "ALARMS", {"planted": planted})

    (quiet,) = report_card.quiet(days(), streams=2, seed=1)
    shock, *_ = report_card.power(days(), streams=2, seed=1)

    assert shock.found == found
    assert (quiet.per_30_days > 1) == (planted is Jumpy)


def listings(count: int = 6_000) -> list[Event]:
    draw = random.Random(4)
    return [
        Event(
            "king-county",
            "one",
            n * 60_000,
            {
                "kind": "listing",
                "listing_id": f"h-{n}",
                "area_m2": draw.uniform(60, 240),
                "lot_m2": draw.uniform(200, 900),
                "sale_price": draw.uniform(2e5, 9e5),
                "built_year": draw.randrange(1900, 2015),
                "property_type": draw.choice(("house", "town house")),
            },
        )
        for n in range(count)
    ]


def test_a_publishers_mistake_and_new_kinds_of_homes_are_found_and_nothing_else() -> None:
    events = listings()

    found = report_card_events.power(events, report_card_events.troubles())

    delays = {each.plant: each.delay_most for each in found}
    assert {plant for plant, delay in delays.items() if delay is None} == {
        "area_m2 in square yards",  # known to be missed; the others need fields that are not here
        "basement_m2 times 10.7639",
        "bathrooms twice",
        "longitude without sign",
    }
    assert max(delays[f"{name} times 10.7639"] or 0 for name in ("area_m2", "sale_price")) <= 100
    assert (delays["built_year null"] or 0) <= 20
    assert set(report_card_events.false_alarms(events).values()) == {0}


def test_the_card_catches_a_watch_that_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Asleep:
        def update(self, _event: Event) -> list[Finding]:
            return []

    monkeypatch.setattr(report_card_events, "WATCHES", {"rates": Asleep})
    nulls = [one for one in report_card_events.troubles() if one.alarm == "rates"]

    assert [each.found for each in report_card_events.power(listings(400), nulls)] == [0, 0]


def test_a_real_shock_is_told_with_its_day_beside_the_months() -> None:
    shocked = [
        replace(row, error_log=row.error_log + 0.15 * (row.sold_ms >= 45 * DAY_MS))
        for day in days(90)
        for row in day
    ]

    found = report_card_real.told(shocked, Window(45 * DAY_MS, 90 * DAY_MS))

    assert found.told[0].alarm == "price level"
    assert found.told[0].day <= "1970-02-20"
    assert "policy" in {one.alarm for one in found.told}
    assert [month.month for month in found.months] == ["1970-02", "1970-03"]
    assert report_card_real.told(shocked, Window(0, 45 * DAY_MS)).told == []


def written(folder: Path, count: int) -> Path:
    path = folder / "outcomes.jsonl"
    lines = [wire.encode(pair.outcome) for pair in flow.pairs(count)]
    path.write_bytes(b"\n".join(lines))
    return path


def test_the_command_writes_the_card_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = tmp_path / "events.jsonl"
    draw = random.Random(2)
    homes = [
        builders.listing(listing_id=f"h-{n}", area_m2=draw.uniform(60, 240)) for n in range(600)
    ]
    events.write_bytes(b"\n".join(map(wire.encode, homes)))
    outcomes = written(tmp_path, 400)
    command = ["report-card", "--outcomes", str(outcomes), "--events", str(events)]

    assert main([*command, "--streams", "1", "--json"]) == 0

    told = msgspec.json.decode(capsys.readouterr().out)
    unit = next(each for each in told["power"] if each["plant"].startswith("area_m2"))
    assert (told["labels"], told["event_false_alarms"]["units"]) == (400, 0)
    assert unit["delay_most"] <= 100


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"{}", "line 1: Object missing"), (b"", "sales of 0 days, 30 are needed")],
    ids=["no outcome", "nothing"],
)
def test_a_file_that_cannot_be_used_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, words: str
) -> None:
    path = tmp_path / "outcomes.jsonl"
    path.write_bytes(content)

    assert main(["report-card", "--outcomes", str(path)]) == 2
    assert words in capsys.readouterr().err


def test_a_file_that_is_not_there_is_wrong_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report-card", "--outcomes", "nowhere.jsonl"]) == 2
    assert "nowhere.jsonl" in capsys.readouterr().err


def test_events_that_are_none_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = tmp_path / "events.jsonl"
    events.write_bytes(b"?")
    command = ["report-card", "--outcomes", str(written(tmp_path, 400)), "--events", str(events)]

    assert main([*command, "--streams", "1"]) == 2
    assert "line 1: no event" in capsys.readouterr().err
