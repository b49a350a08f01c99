"""Whole days go, the manifests say so, and the chain stays whole."""

from pathlib import Path

import msgspec
import pytest

from monitoring import chain, erasures, frames, retention
from monitoring.__main__ import main
from monitoring.erasures import Erased
from stream_app.contract import wire
from stream_app.contract.topics import EVENTS, OUTCOMES, full_name
from tests import builders, flow, messages
from tests.unit.monitoring import archives
from tests.unit.monitoring.archives import APPENDED_MS, PREFIX, put

DAY_MS = 86_400_000
OUTCOME_TOPIC = full_name(PREFIX, OUTCOMES)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Three days of outcomes: 2025-11-21, 22 and 23; and an event of the first."""
    for day in range(3):
        drawn = flow.pairs(4, seed=day, first=10 * day)
        values = [wire.encode(pair.outcome) for pair in drawn]
        put(tmp_path, OUTCOMES, values, appended_ms=APPENDED_MS + day * DAY_MS)
    put(tmp_path, EVENTS, [wire.encode(builders.listing())])
    return tmp_path


def contents(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*.*") if path.is_file()}


def test_days_before_the_given_one_go_and_the_manifests_say_so(archive: Path) -> None:
    end = chain.end(archive, chain.Source(OUTCOME_TOPIC, "t-1", 0))

    pruned = retention.prune(archive, [OUTCOME_TOPIC], "2025-11-23", dry_run=False)

    assert pruned.topics[OUTCOME_TOPIC].rows == 8
    manifests = list(chain.manifests(archive, OUTCOME_TOPIC))
    assert [m.rows for m in manifests] == [0, 0, 4]
    assert [[gone.why for gone in m.gone] for m in manifests] == [["pruned"], ["pruned"], []]
    assert not any((archive / gone.path).exists() for m in manifests for gone in m.gone)
    assert len(frames.outcomes(archive, PREFIX, flow.MARKET)) == 4
    assert chain.end(archive, chain.Source(OUTCOME_TOPIC, "t-1", 0)) == end


def test_a_dry_run_tells_the_same_and_drops_nothing(archive: Path) -> None:
    before = contents(archive)

    dry = retention.prune(archive, [OUTCOME_TOPIC], "2025-11-23", dry_run=True)

    assert contents(archive) == before
    assert (
        dry.topics == retention.prune(archive, [OUTCOME_TOPIC], "2025-11-23", dry_run=False).topics
    )


def test_pruning_twice_drops_nothing_more(archive: Path) -> None:
    retention.prune(archive, [OUTCOME_TOPIC], "2025-11-23", dry_run=False)
    once = contents(archive)

    again = retention.prune(archive, [OUTCOME_TOPIC], "2025-11-23", dry_run=False)

    assert (again.topics[OUTCOME_TOPIC].files, contents(archive)) == (0, once)


def test_an_erasure_passes_over_what_was_pruned(archive: Path) -> None:
    put(archive, OUTCOMES, [wire.encode(messages.outcome(listing_id="home-20"))])
    retention.prune(archive, [OUTCOME_TOPIC], "2025-11-23", dry_run=False)
    gone = wire.encode(builders.erasure(listing_id="home-20"))
    put(archive, EVENTS, [gone], key=builders.REGION.encode())

    layouts = {OUTCOME_TOPIC: archives.layout(OUTCOMES)}
    for _ in erasures.erase(archive, layouts, Erased(archive).pending(lambda _: True)):
        pass

    assert "home-20" not in set(frames.outcomes(archive, PREFIX, flow.MARKET)["listing_id"])


def test_the_command_keeps_events_unless_they_are_named(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["archive", "--dir", str(archive), "prune", "--keep-days", "1", "--json"]

    assert main(command) == 0
    kept = msgspec.json.decode(capsys.readouterr().out)["topics"]
    assert main([*command, "--topic", "events", "--dry-run"]) == 0

    told = msgspec.json.decode(capsys.readouterr().out)["topics"]
    assert kept[OUTCOME_TOPIC]["rows"] == 12
    assert told == {
        full_name(PREFIX, EVENTS): {
            "rows": 1,
            "files": 1,
            "size_bytes": told[full_name(PREFIX, EVENTS)]["size_bytes"],
        }
    }


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--before", "2025-02-30"], "a day such as 2026-01-31 is wanted"),
        (["--keep-days", "-1"], "--keep-days: '-1': a whole number from 0 to 36,500 is wanted"),
        (["--keep-days", "1", "--topic", "state"], "invalid choice: 'state'"),
        ([], "--before --keep-days is required"),
    ],
    ids=["no day", "negative", "foreign topic", "no age"],
)
def test_wrong_options_are_told(
    archive: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["archive", "--dir", str(archive), "prune", *options])

    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_a_folder_without_an_archive_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["archive", "prune", "--dir", str(tmp_path), "--keep-days", "1"]) == 2
    assert f"no archive in {tmp_path}" in capsys.readouterr().err
