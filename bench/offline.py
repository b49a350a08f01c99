"""What runs beside the stream: data sets by replay, the backtest, a worker's recovery.

Each is the program that a user would start, timed from outside, start included.
"""

import secrets
import shutil
from collections.abc import Callable, Collection, Mapping

import msgspec
from msgspec import Struct

from bench import champion, load, recovery, reports
from bench.champion import Models
from bench.ground import FOLDER, Ground, ground, make_topics
from bench.machine import cores
from bench.measure import Failed
from bench.results import Results
from bench.say import say
from bench.timed import timed
from demo.programs import ProgramFailed
from stream_app.contract.topics import EVENTS, full_name

ROWS = (10_000, 100_000, 1_000_000)  # of predictions, archived and reported
REGIONS = (100, 1_000, 10_000)
_TELLINGS = 2  # 43,226 homes, on as many partitions as topics have


class _Snapshot(Struct):
    rows: int


def run(results: Results, names: Collection[str], keep: Callable[[Results], None]) -> None:
    """Measure parts and keep what each comes to; one that fails is told of in words."""
    with ground(worker_cores=len(cores())) as on:
        models = champion.models(on)
        for name in names:
            results.failures.pop(name, None)
            try:
                found = PARTS[name](on, models)
            except (ProgramFailed, Failed) as error:
                say(f"  {name} failed: {error}")
                results.failures[name] = str(error)
                continue
            results.offline |= found
            keep(results)
            for figure, of in found.items():
                say(f"  {figure}: {of:,.1f}")


def _replayed(on: Ground, models: Models) -> dict[str, float]:  # noqa: ARG001 - a part takes both
    """A data set from a topic of four partitions, with one process and with one per core."""
    prefix = f"bench-{secrets.token_hex(3)}"
    make_topics(on, prefix)
    sent = list(load.told(load.real_events(), _TELLINGS))
    load.publish(on.brokers, full_name(prefix, EVENTS), sent)
    on.programs.set_environment({"HOUSING_KAFKA_PREFIX": prefix})
    figures: dict[str, float] = {}
    for processes, name in ((1, "one_core"), (len(cores()), "all_cores")):
        folder = FOLDER / "snapshot"
        shutil.rmtree(folder, ignore_errors=True)
        made = timed(
            on,
            f"snapshot-{name}",
            *("offline", "snapshot", "make", "--market", load.MARKET, "--events", "topic"),
            *("--train-to", "2030-01"),  # all
            *("--processes", str(processes), "--out", str(folder), "--json"),
        )
        rows = msgspec.json.decode(made.printed.splitlines()[-1], type=_Snapshot).rows
        figures[f"replay_rows_per_s_{name}"] = rows / made.took_s
        figures[f"replay_memory_mb_{name}"] = made.most.memory_mb
    return figures


def _backtested(on: Ground, models: Models) -> dict[str, float]:  # noqa: ARG001 - a part takes both
    made = timed(
        on,
        "backtest",
        *("offline", "backtest", "--market", load.MARKET, "--source", load.MARKET),
        *("--train-to", "2014-12-01", "--json"),
    )
    return {
        "backtest_s": made.took_s,
        "backtest_cpu_s": made.most.cpu_s,
        "backtest_memory_mb": made.most.memory_mb,
    }


def _recovered(on: Ground, models: Models) -> dict[str, float]:
    figures: dict[str, float] = {}
    for regions in REGIONS:
        found = recovery.recover(on, models, recovery.by_regions(regions))
        for name, figure in found._asdict().items():
            figures[f"recovery_{name}_{regions}_regions"] = figure
    return figures


def _opened(on: Ground, models: Models) -> dict[str, float]:
    """A worker with 100,000 homes in its ledger, none of them sold, in 1,000 regions."""
    found = recovery.recover(on, models, recovery.open_listings(load.real_events()))
    return {f"open_listings_{name}": figure for name, figure in found._asdict().items()}


def _reported(on: Ground, models: Models) -> dict[str, float]:
    return reports.measured(on, models, ROWS)


PARTS: Mapping[str, Callable[[Ground, Models], dict[str, float]]] = {
    "replay": _replayed,
    "backtest": _backtested,
    "recovery": _recovered,
    "open_listings": _opened,
    "reports": _reported,
}
