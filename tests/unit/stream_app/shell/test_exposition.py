"""What stands at /metrics is what was committed, and docs/operations.md says what it means."""

import asyncio
import math
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from stream_app.contract import topics, wire
from stream_app.contract.events import AnyEvent
from stream_app.contract.models import CorrectorAnnounced, LiveErrors
from stream_app.contract.predictions import Doubt
from stream_app.contract.rejects import RejectCode
from stream_app.core import publishers
from stream_app.core.coverage import Cohort, Coverage
from stream_app.core.expiry import WEEK_MS, Ledger
from stream_app.core.labels import Verdict
from stream_app.core.publishers import Publisher
from stream_app.core.watermark import Watermark
from stream_app.shell.chaos import nothing
from stream_app.shell.exposition import Exposition
from stream_app.shell.metrics import LABELS_MAX, Meter
from stream_app.shell.runner import Applied, Parts, Runner
from stream_app.shell.source import Source
from stream_app.shell.watchdog import THE_GROUP, Seen, Still
from stream_app.stages import scorer
from stream_app.stages.step import (
    CONTROL_KEY,
    Control,
    Mark,
    Output,
    Record,
    Serving,
    Step,
    read_control,
)
from tests import messages
from tests.builders import DAY_MS, LISTED_MS, MARKET, listing, sale
from tests.fakes.champion import FakeChampion
from tests.fakes.publisher import FakePublisher
from tests.fakes.stage import Counting
from tests.replay import records, run

NOW_S = 1_000.0
DOCS = Path(__file__).parents[4] / "docs" / "operations.md"
COUNTS = {"listing:scored": 7, "rejected:price": 2, "label_delay:30d:x": 1, "listing:late": 3}


# Listed 20 weeks ago: 4 homes, 3 of them sold, after 5, 20 and 400 days; 2 yesterday.
LEDGER = Ledger(
    watermark=Watermark(newest_ms=2_320 * WEEK_MS),
    entries={"pending": 3, "joined": 2},
    expired={"joined": 1},
    coverage=Coverage(
        cohorts=[Cohort(2_300, 4, 3), Cohort(2_320, 2, 0)],
        delays=[1, 0, 1, 0, 0, 0, 0, 1],
        delay_days_total=425,
    ),
)


def runner(counts: Mapping[str, int]) -> Runner:
    """With one open partition, number 0, and no loop behind it."""
    control = msgspec.msgpack.encode(
        Control(41, "id", 500_000, {}, dict(counts), ledgers={MARKET: LEDGER})
    )
    state = {CONTROL_KEY: control, "region:a": b"1234"}
    source = Source("t.events", "id", 4)

    def parts(_partition: int) -> Parts:
        return Parts(FakePublisher(), state, source, 0)

    async def opened() -> Runner:
        made = Runner(Counting(), source.topic, 10, parts, dict, nothing, lambda _: None)
        await made.open([0])
        return made

    return asyncio.run(opened())


def prediction(**changes: object) -> Output:
    return Output(topics.PREDICTIONS, b"k", wire.encode(messages.prediction(**changes)), 0)


def rejected(code: str) -> Output:
    return Output(topics.REJECTS, b"k", b"{}", 0, headers=(("code", code.encode()),))


def applied(*outputs: Output, appended_s: float = NOW_S - 0.3) -> Applied:
    record = Record(1, None, b"", int(appended_s * 1000))
    return Applied(0, [record], Step(outputs, {}, 1), step_s=0.02, commit_s=0.004)


def scraped(
    *batches: Applied,
    looked: Mapping[int, Still] | None = None,
    serving: Mapping[str, Serving] | None = None,
    counts: Mapping[str, int] = COUNTS,
) -> dict[str, Metric]:
    """The families as a scraper reads them, by name."""
    meter = Meter(every_s=1e9, now_s=lambda: NOW_S)
    for batch in batches:
        meter.applied(batch)
    registry = CollectorRegistry()
    registry.register(
        Exposition(
            runner(counts), meter, lambda: looked or {}, lambda: serving or {}, lambda: NOW_S
        )
    )
    text = generate_latest(registry).decode()
    return {family.name: family for family in text_string_to_metric_families(text)}


def value(family: Metric, name: str = "", **labels: str) -> float:
    (found,) = (
        s.value for s in family.samples if s.labels == labels and s.name == (name or family.name)
    )
    return found


def test_events_are_counted_by_whatever_kind_and_verdict_the_control_record_has() -> None:
    events = scraped()["housing_events"]

    for kind, verdict, count in (
        ("listing", "scored", 7),
        ("rejected", "price", 2),
        ("label_delay", "30d:x", 1),
    ):
        labels = {"partition": "0", "kind": kind, "verdict": verdict}
        assert value(events, "housing_events_total", **labels) == count


def test_each_event_has_one_verdict_in_the_count_and_marks_are_beside_it() -> None:
    late = listing(listing_id="late", event_time_ms=LISTED_MS - 2 * DAY_MS)
    small = listing(listing_id="x", area_m2=-1)
    events: list[AnyEvent] = [listing(), listing(), late, sale(), small]
    control = read_control(run(scorer.advance, [records(events)], {}).state)
    assert control is not None

    families = scraped(counts=control.counts)

    counted, marks = families["housing_events"], families["housing_events_marked"]
    totals = [s.value for s in counted.samples if s.name == "housing_events_total"]
    assert sum(totals) == len(events)
    labels = {"partition": "0", "kind": "listing", "mark": "late"}
    assert value(marks, "housing_events_marked_total", **labels) == 1


def test_no_verdict_is_taken_for_a_mark() -> None:
    assert not set(Mark) & {*Verdict, *RejectCode}


def test_what_is_known_of_labels_is_told_by_market() -> None:
    families = scraped()
    place = {"partition": "0", "market": MARKET}

    assert value(families["housing_ledger_entries"], **place, state="pending") == 3
    expired = families["housing_ledger_expired"]
    assert value(expired, "housing_ledger_expired_total", **place, state="joined") == 1
    delays = families["housing_label_delay_days"]
    for upper_end, came in (("7", 1), ("30", 2), ("365", 2), ("+Inf", 3)):
        assert value(delays, "housing_label_delay_days_bucket", **place, le=upper_end) == came
    assert value(delays, "housing_label_delay_days_sum", **place) == 425


def test_coverage_counts_listings_of_an_age_and_is_silent_where_there_are_none() -> None:
    covered = scraped()["housing_label_coverage_ratio"]
    place = {"partition": "0", "market": MARKET}

    assert value(covered, **place, age_weeks="13") == 0.75
    assert {s.labels["age_weeks"] for s in covered.samples} == {"4", "13"}


def test_live_errors_are_those_of_the_version_that_serves() -> None:
    errors = LiveErrors(naive=0.2, champion=0.12, answer=0.1, sales=400)
    versions = {"errors": errors}, {"errors": None}
    told, silent = (
        scraped(serving={MARKET: Serving(corrector=messages.corrector(**version))})
        for version in versions
    )

    assert value(told["housing_live_error_log"], market=MARKET, of="answer") == 0.1
    assert value(told["housing_live_error_sales"], market=MARKET) == 400
    assert not silent["housing_live_error_log"].samples


def test_a_page_does_not_grow_for_ever() -> None:
    many = {f"kind:{n}": 1 for n in range(LABELS_MAX + 50)}
    families = scraped(*(applied(rejected(f"code-{n}")) for n in range(300)), counts=many)

    other = {"partition": "0", "kind": "other", "verdict": ""}
    assert value(families["housing_events"], "housing_events_total", **other) == 50
    assert len(families["housing_events"].samples) == LABELS_MAX + 1
    assert value(families["housing_rejects"], "housing_rejects_total", code="other") == 100


def test_answers_are_counted_by_version_rung_and_quality() -> None:
    one = messages.prediction()
    families = scraped(applied(prediction(), prediction()), applied(prediction()))

    labels = {
        "market": one.market,
        "champion": one.versions.champion or "none",
        "step": str(one.step),
        "quality": str(one.quality),
    }
    assert value(families["housing_predictions"], "housing_predictions_total", **labels) == 3


def test_histograms_hold_every_record_and_every_batch() -> None:
    families = scraped(applied(), applied(appended_s=NOW_S - 2.0))

    latency = families["housing_latency_seconds"]
    assert value(latency, "housing_latency_seconds_bucket", le="0.5") == 1
    assert value(latency, "housing_latency_seconds_count") == 2
    assert value(latency, "housing_latency_seconds_sum") == pytest.approx(2.3)
    step = families["housing_step_seconds"]
    assert value(step, "housing_step_seconds_bucket", le="0.025") == 2


@pytest.mark.parametrize(
    ("seen", "behind_s", "lag", "lag_s"),
    [
        (Seen(1, 42, 42), 0.0, 0, 0.0),
        (Seen(1, 42, 45), 3.0, 3, 3.0),  # nothing waited 3 s ago
        (Seen(1, 42, 45), None, 3, 60.0),  # all that is known: appended after what was applied
        (Seen(1, 42, None), 3.0, math.nan, math.nan),
        (Seen(1, None, 45), None, math.nan, math.nan),
    ],
)
def test_an_unknown_lag_is_not_zero(
    seen: Seen, behind_s: float | None, lag: float, lag_s: float
) -> None:
    families = scraped(applied(appended_s=NOW_S - 60), looked={0: Still(seen, 2.0, behind_s)})

    assert value(families["housing_lag_events"], partition="0") == pytest.approx(lag, nan_ok=True)
    assert value(families["housing_lag_seconds"], partition="0") == pytest.approx(
        lag_s, nan_ok=True
    )
    assert value(families["housing_still_seconds"], partition="0") == 2.0


def test_a_lag_of_which_nothing_was_applied_yet_has_no_age() -> None:
    families = scraped(looked={0: Still(Seen(1, 42, 45))})

    assert math.isnan(value(families["housing_lag_seconds"], partition="0"))


def of_publisher(name: str, known: Publisher, partition: int = 0) -> Applied:
    state = {f"publisher:{name}": publishers.freeze(known), "region:a": None}
    return applied()._replace(step=Step((), state, 1), partition=partition)


def test_a_publishers_standing_and_its_clock_are_shown_while_its_partition_is_here() -> None:
    ahead = Publisher(lag_ms=-40_000, refused=0.3, doubts=[Doubt.REJECTS])
    families = scraped(
        of_publisher("ahead", ahead),
        of_publisher("replays", Publisher()),
        of_publisher("elsewhere", Publisher(), partition=3),
    )

    lags = families["housing_publisher_lag_seconds"]
    refused = families["housing_publisher_refused_ratio"]
    assert value(lags, partition="0", publisher="ahead") == -40.0
    assert math.isnan(value(lags, partition="0", publisher="replays"))
    assert value(refused, partition="0", publisher="ahead") == 0.3
    doubted = families["housing_publisher_doubted"]
    assert value(doubted, partition="0", publisher="ahead", doubt="rejects") == 1.0
    assert value(doubted, partition="0", publisher="ahead", doubt="unit") == 0.0
    assert len(lags.samples) == 2


def test_publishers_are_known_as_soon_as_their_partition_is_open() -> None:
    meter = Meter(every_s=1e9, now_s=lambda: NOW_S)
    old, new = publishers.freeze(Publisher(refused=0.1)), publishers.freeze(Publisher(refused=0.3))
    meter.opened(0, {"publisher:gone": old, "publisher:stays": old})
    meter.opened(1, {"publisher:stays": old})

    meter.opened(0, {"publisher:stays": new, "region:a": b""})

    assert meter.publishers == {(0, "stays"): new, (1, "stays"): old}


def test_made_up_names_do_not_fill_the_page() -> None:
    batches = [of_publisher(f"p-{n}", Publisher()) for n in range(LABELS_MAX + 5)]

    assert len(scraped(*batches)["housing_publisher_lag_seconds"].samples) == LABELS_MAX


def all_families() -> dict[str, Metric]:
    errors = LiveErrors(naive=0.2, champion=0.12, answer=0.1, sales=400)
    corrector: CorrectorAnnounced = messages.corrector(errors=errors)
    return scraped(
        applied(prediction(), rejected("price")),
        of_publisher("agency", Publisher()),
        looked={0: Still(Seen(1, 42, 45)), THE_GROUP: Still(Seen(0, None, 1))},
        serving={MARKET: Serving(champion=FakeChampion(), corrector=corrector)},
    )


def rows(families: Mapping[str, Metric]) -> set[str]:
    """As docs/operations.md has them."""
    found = set()
    for family in families.values():
        total = "_total" if family.type == "counter" else ""
        labels = sorted({label for s in family.samples for label in s.labels} - {"le"})
        found.add(
            f"| `{family.name}{total}` | {family.type} | {', '.join(labels)} | {family.documentation} |"
        )
    return found


def test_every_metric_stands_in_the_operations_page() -> None:
    documented = set(
        re.findall(r"^\| `housing_\w+` \| \w+ \| .*$", DOCS.read_text("utf-8"), re.MULTILINE)
    )

    assert documented == rows(all_families())
