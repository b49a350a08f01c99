"""The demo as a newcomer runs it: to its end, twice, stopped in the middle, without a broker."""

import json
import math
import signal
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from demo.summary import Summary
from tests.e2e import demo_process
from tests.integration import brokers
from tests.waiting import until

pytestmark = [pytest.mark.broker, pytest.mark.slow]

MARKETS = ("king-county", "hdb")
PROMISED = [
    "market",
    "events",
    "predictions",
    "rejects",
    "late",
    "duplicates",
    "outcomes",
    "lost",
    "visible_twice",
    "mae_naive",
    "mae_champion",
    "mae_answer",
    "mdape_champion",
    "mdape_answer",
    "bias_answer",
    "coverage_90",
    "scored_per_s",
    "p50_ms",
    "p99_ms",
    "setup_s",
    "run_s",
]


Run = tuple[Path, Future["CompletedProcess[str]"]]


@pytest.fixture(scope="module")
def quick_runs(
    broker: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Run]]:
    """One of each market, side by side: they share nothing but the broker."""
    with ThreadPoolExecutor(len(MARKETS)) as pool:

        def run(market: str) -> Run:
            out = tmp_path_factory.mktemp(market)
            (out / "run").mkdir()
            (out / "run" / "left behind").touch()  # as by a run before
            options = ("--market", market)
            return out, pool.submit(demo_process.run, out, *options, bootstrap=broker)

        yield {market: run(market) for market in MARKETS}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("market", MARKETS)
def test_a_quick_run_accounts_for_every_event(quick_runs: Mapping[str, Run], market: str) -> None:
    out, running = quick_runs[market]

    done = running.result()

    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    summary = json.loads((out / "summary.json").read_text())
    assert set(PROMISED) <= set(summary)
    assert set(summary) == set(Summary.__struct_fields__)
    assert (summary["lost"], summary["visible_twice"]) == (0, 0)
    assert summary["sent"] == summary["events"] > 2_000
    assert summary["predictions"] + summary["outcomes"] + summary["rejects"] <= summary["events"]
    assert all(math.isfinite(summary[name]) for name in PROMISED if name != "market")
    assert 0 < summary["mae_answer"] < summary["mae_naive"]
    assert (out / "reports" / "index.html").exists()
    assert not (out / "run" / "left behind").exists()
    assert demo_process.programs_of(out) == []


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "sigterm"]
)
def test_a_stopped_run_leaves_no_program_behind(
    tmp_path: Path, number: signal.Signals, status: int
) -> None:
    out = tmp_path / "demo"
    with demo_process.started(out) as process:
        until((out / "logs" / "replay-history.log").exists, 120, "sales are replayed")
        assert len(demo_process.programs_of(out)) >= 5

        process.send_signal(number)

        assert process.wait(120) == status
        assert demo_process.programs_of(out) == []
        assert process.stderr is not None
        assert process.stderr.read() == (
            "demo: stopped, with all that it had started: nothing of it runs any more\n"
        )


def test_a_killed_run_takes_its_programs_with_it(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    with demo_process.started(out) as process:
        until((out / "logs" / "replay-history.log").exists, 120, "sales are replayed")

        process.kill()

        until(lambda: not demo_process.programs_of(out), 60, "all programs have ended")


def test_a_step_that_fails_names_its_program_and_shows_its_log(tmp_path: Path) -> None:
    nobody = f"127.0.0.1:{brokers.free_port()}"

    done = demo_process.run(tmp_path / "demo", bootstrap=nobody)

    assert done.returncode == 1
    assert "demo: topics ended with status 1" in done.stderr
    assert "no broker answers" in done.stderr
    assert "Traceback" not in done.stderr
    assert demo_process.programs_of(tmp_path / "demo") == []


def test_a_second_demo_in_the_same_folder_is_refused(broker: str, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    with demo_process.started(out, broker):
        until((out / "logs").exists, 120, "the first one has begun")

        second = demo_process.run(out, bootstrap=broker)

    assert second.returncode == 2
    assert f"another demo runs in {out}" in second.stderr
