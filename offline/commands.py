"""What each command does, from its options to its result. Says how far it is on standard error."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from offline import (
    events,
    log,
    parity_command,
    requests_command,
    serving_command,
    snapshot_command,
    trail_command,
)
from offline.events import WrongOptions
from offline.faults import WrongInput
from offline.log import Partition
from offline.progress import say, told
from offline.settings import OfflineSettings, from_environment
from offline.trail_command import recorded
from stream_app.contract.markets import MARKETS
from stream_app.contract.models import Manifest
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.spans import DAY_MS

if TYPE_CHECKING:
    from offline.backtest import Plan
    from offline.dataset import Dataset
    from offline.errors import Errors, Judged


def train(given: argparse.Namespace) -> dict[str, object]:
    """Train and register; a training that fails is kept as a failed run, and touches no version."""
    try:
        return _train(given)
    except WrongInput:
        raise  # there was nothing to train on
    except BaseException:
        from offline import tracking
        from offline.registry import experiment_of

        _, own = from_environment()
        with tracking.run(own, experiment_of(given.market), "train"):
            raise


def _train(given: argparse.Namespace) -> dict[str, object]:
    """Data set, candidate, registration as challenger."""
    from offline import audit, papers, shift
    from offline.registry import Registry
    from offline.shape import read_shape
    from offline.train import train as make

    kafka, own = from_environment()
    known = None if given.request is None else Registry(own, given.market).of_request(given.request)
    if known is not None:
        say(f"{known.version} was trained for {given.request} before")
        return {"market": given.market, "version": known.version, "held": known.held}
    seed = own.seed if given.seed is None else given.seed
    shape = None if given.shape is None else read_shape(given.shape)
    data = events.rows(given, kafka, own)
    candidate = make(data, seed, made_ms=int(time.time() * 1000), say=say, shape=shape)
    found = audit.findings(candidate)
    parts = shift.report(data, candidate)
    held = audit.held(found)
    if held is not None:
        say(f"HELD for review, `promote` will ask for --reviewed: {held}")
    announced = Registry(own, given.market).register(
        candidate, data, held, papers.of(given, data, candidate, found, parts)
    )
    manifest = announced.manifest
    if given.request is not None:
        Registry(own, given.market).note_request(manifest.version, given.request)
    return _made(manifest) | {
        "reason": given.reason,
        "events": data.counts,
        "shape": msgspec.to_builtins(candidate.shape),
        "held": held,
        "findings": [finding.reason for finding in found],
        "split": {k: v for k, v in msgspec.structs.asdict(parts).items() if k != "shifts"},
    }


def _made(manifest: Manifest) -> dict[str, object]:
    shown = ("market", "version", "training_rows", "bundle_sha256", "reference_sha256")
    return {name: getattr(manifest, name) for name in (*shown, "data_sha256", "metrics")}


def backtest(given: argparse.Namespace) -> dict[str, object]:
    """What would have been served after `--train-to`, judged at the listing."""
    from offline.backtest import run

    kafka, own = from_environment()
    return run(_as_told(given, kafka, own), _plan(given, own), say, told())


def eda(given: argparse.Namespace) -> dict[str, object]:
    """A page that shows the rows that training would see."""
    from offline import eda_page, page
    from offline.eda import explore

    kafka, own = from_environment()
    data = events.rows(given, kafka, own)
    found = explore(data, MARKETS[given.market].currency)
    made = page.write(
        given.out or Path("var", "eda", given.market),
        "eda",
        f"Data of {given.market}",
        f"{found.rows:,} homes sold from {found.first_sold} to {found.last_sold}; "
        f"prices in {found.currency}. What would be trained on, before any model.",
        eda_page.sections(data, found),
        found,
    )
    return {"market": given.market, "rows": found.rows, "modelled_as": found.modelled_as, **made}


def errors(given: argparse.Namespace) -> dict[str, object]:
    """A page that shows where prices are wrong."""
    from offline import errors_page, page

    kafka, own = from_environment()
    judged, found = _judged(given, kafka, own)
    made = page.write(
        given.out or Path("var", "errors", given.market),
        f"errors-{given.of}",
        f"Errors in {given.market}",
        f"Of {found.of}, {found.overall.rows:,} homes; prices in {found.currency}.",
        errors_page.sections(judged, found),
        found,
    )
    return {
        "market": given.market,
        "of": found.of,
        "versions": found.versions,
        "overall": msgspec.to_builtins(found.overall),
        "weakest_to_best": {split.by: split.balance.ratio for split in found.splits},
        **made,
    }


def _judged(
    given: argparse.Namespace, kafka: KafkaSettings, own: OfflineSettings
) -> tuple[Judged, Errors]:
    from offline import audit, backtest
    from offline.errors import analyse, of_holdout, of_served
    from offline.train import train as make

    currency = MARKETS[given.market].currency
    plan = _plan(given, own)
    if given.of == "served":
        versions, served = backtest.serve(_as_told(given, kafka, own), plan, say, told())
        judged = of_served(given.market, served)
        return judged, analyse(judged, currency, "the answers served at the listing", versions)
    data = events.rows(given, kafka, own)
    candidate = make(data, plan.seed, made_ms=0, say=say)
    judged = of_holdout(candidate.holdout, candidate.holdout_log)
    of, version = "the champion alone on its holdout", candidate.champion.version
    found = msgspec.structs.replace(
        analyse(judged, currency, of, [version]),
        importance=audit.importance(candidate, plan.seed),
        findings=audit.findings(candidate),
    )
    return judged, found


def ablate(given: argparse.Namespace) -> dict[str, object]:
    """What each feature is worth, of what was sold before `--train-to`."""
    from offline import ablation

    if given.seeds < 1:
        raise WrongOptions("--seeds: at least 1 is wanted")
    kafka, own = from_environment()
    data = events.rows(given, kafka, own)
    report = ablation.run(data, given.seeds, say, given.only)
    if given.out is not None:
        given.out.write_text(ablation.markdown(report, _asked(given)), "utf-8")
    return ablation.as_result(report)


def _asked(given: argparse.Namespace) -> str:
    only = "".join(f" --only '{what}'" for what in given.only)
    return f"{_command(given)}{only} --seeds {given.seeds}"


def _command(given: argparse.Namespace) -> str:
    """What was asked, with the files' names alone: it stands above a table."""
    of_source = f"--source {given.source}" if given.source else f"--events {given.events}"
    files = "".join(f" --file {path.name}" for path in given.file)
    if given.train_to is not None:
        files += f" --train-to {time.strftime('%Y-%m-%d', time.gmtime(given.train_to / 1000))}"
    return f"python -m offline {given.command} --market {given.market} {of_source}{files}"


def replay(given: argparse.Namespace) -> dict[str, object]:
    """Any range of the log by any model, and what that changes."""
    from offline import replay_command

    kafka, own = from_environment()
    return replay_command.run(given, kafka, own, events.partitions(given, kafka, own))


def preflight(given: argparse.Namespace) -> dict[str, object]:
    """What a retrained model would have saved on the newest mature labels."""
    from offline import preflight_command

    kafka, own = from_environment()
    return preflight_command.run(given, kafka, own, events.partitions(given, kafka, own))


def preflight_card(given: argparse.Namespace) -> dict[str, object]:
    """How often a pre-flight is wrong."""
    from offline import preflight_card_command

    return preflight_card_command.run(given)


def gate(given: argparse.Namespace) -> dict[str, object]:
    """May a version be promoted?"""
    from offline import gate_command

    kafka, own = from_environment()
    return gate_command.run(given, own, events.partitions(given, kafka, own))


def compare(given: argparse.Namespace) -> dict[str, object]:
    """Kinds of models on the same folds."""
    from offline import compare_command

    names = compare_command.names(given.candidates)
    own, data = _data(given)
    asked = f"{_command(given)} --folds {given.folds}"
    return compare_command.run(given, own, data, names, asked)


def tune(given: argparse.Namespace) -> dict[str, object]:
    """The shape of the trees that serves later homes best."""
    from offline import tune_command

    own, data = _data(given)
    return tune_command.run(given, own, data)


def _data(given: argparse.Namespace) -> tuple[OfflineSettings, Dataset]:
    kafka, own = from_environment()
    return own, events.rows(given, kafka, own)


def versions(given: argparse.Namespace) -> dict[str, object]:
    """What there is of a market."""
    from offline import versions_command

    return versions_command.versions(given)


def retire(given: argparse.Namespace) -> dict[str, object]:
    """Take a version out of use."""
    from offline import versions_command

    return versions_command.retire_version(given)


def card(given: argparse.Namespace) -> dict[str, object]:
    """The model card of a version."""
    from offline import card_command

    return card_command.run(given)


def reproduce(given: argparse.Namespace) -> dict[str, object]:
    """Make a version again."""
    from offline import reproduce_command

    return reproduce_command.run(given)


def lineage(given: argparse.Namespace) -> dict[str, object]:
    """From data to answers, and back."""
    from offline import lineage_command

    return lineage_command.run(given)


COMMANDS: Mapping[str, Callable[[argparse.Namespace], dict[str, object]]] = {
    "snapshot": snapshot_command.run,
    "parity": parity_command.run,
    "train": recorded("train", train),
    "backtest": backtest,
    "eda": eda,
    "errors": errors,
    "ablate": ablate,
    "replay": replay,
    "preflight": preflight,
    "preflight-card": preflight_card,
    "worker": requests_command.work,
    "request": requests_command.ask,
    "requests": requests_command.show,
    "compare": compare,
    "tune": tune,
    "gate": recorded("gate", gate),
    "promote": recorded("promote", serving_command.promote),
    "rollback": recorded("rollback", serving_command.rollback, even_unwritten=True),
    "rollout": recorded("rollout", serving_command.rollout),
    "versions": versions,
    "retire": recorded("retire", retire),
    "card": card,
    "reproduce": reproduce,
    "lineage": lineage,
    "trail": trail_command.show,
}


def _plan(given: argparse.Namespace, own: OfflineSettings) -> Plan:
    from offline.backtest import Plan

    return Plan(
        market=given.market,
        train_to_ms=given.train_to,
        yearly=given.retrain == "yearly",
        version_delay=given.version_delay,
        seed=own.seed if given.seed is None else given.seed,
    )


def _as_told(given: argparse.Namespace, kafka: KafkaSettings, own: OfflineSettings) -> Partition:
    """The log as one market-wide reader sees it, sales as late as is wanted."""
    merged = log.merged(events.partitions(given, kafka, own))
    return log.with_late_sales(merged, given.label_delay_days * DAY_MS, redated=given.redated)
