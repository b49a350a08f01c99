"""What each command does, from its options to its result. Says how far it is on standard error."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from offline import announced, events, log, parity_command, requests_command, snapshot_command
from offline.events import WrongOptions
from offline.faults import NotRegistered
from offline.log import Partition
from offline.progress import say, told
from offline.rollout import Change, roll_back, roll_out
from offline.settings import OfflineSettings, from_environment
from stream_app.contract.markets import MARKETS
from stream_app.contract.models import ChampionAnnounced, Manifest, RolloutMode
from stream_app.contract.settings import KafkaSettings
from stream_app.contract.spans import DAY_MS

if TYPE_CHECKING:
    from offline.backtest import Plan
    from offline.dataset import Dataset
    from offline.errors import Errors, Judged


def train(given: argparse.Namespace) -> dict[str, object]:
    """Data set, candidate, registration as challenger."""
    from offline import audit, shift
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
        say(f"HELD for review, `announce` will ask for --reviewed: {held}")
    papers = {"audit.json": found, "split.json": parts, "shape.json": candidate.shape}
    announced = Registry(own, given.market).register(
        candidate, data, held, {name: _json(paper) for name, paper in papers.items()}
    )
    manifest = announced.manifest
    if given.request is not None:
        Registry(own, given.market).note_request(manifest.version, given.request)
    return _made(manifest) | {
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


def announce(given: argparse.Namespace) -> dict[str, object]:
    """Promote a registered version."""
    from offline.announce import promote, publish
    from offline.registry import Registry

    kafka, own = from_environment()
    versions = Registry(own, given.market)
    promotion = promote(
        versions, publish, kafka, given.market, given.version, given.reason, given.reviewed
    )
    return msgspec.structs.asdict(promotion)


def rollback(given: argparse.Namespace) -> dict[str, object]:
    """Let champion and previous change places."""
    kafka, own = from_environment()
    now = announced.read(kafka, given.market)
    return _changed(given, kafka, own, roll_back(now, given.reason, given.leave))


def rollout(given: argparse.Namespace) -> dict[str, object]:
    """Set the challenger, and what it is for."""
    kafka, own = from_environment()
    now = announced.read(kafka, given.market)
    named = None
    if given.version is not None:
        named = now.champions.get(given.version) or _registered(own, given)
    change = roll_out(now, RolloutMode(given.mode), given.share, named, given.reason)
    return _changed(given, kafka, own, change)


def _registered(own: OfflineSettings, given: argparse.Namespace) -> ChampionAnnounced:
    """A version that was never announced; one that the audit holds must be reviewed first."""
    from offline.announce import Held
    from offline.registry import Registry

    versions = Registry(own, given.market)
    held = versions.held(given.version)
    if held is not None:
        raise Held(f"{given.version} is held: {held}; `announce` takes a review of it")
    return versions.announcement(given.version)


def _changed(
    given: argparse.Namespace, kafka: KafkaSettings, own: OfflineSettings, change: Change
) -> dict[str, object]:
    """Tell the broker, then MLflow, unless all of it is only to be looked at."""
    from offline.announce import publish

    result: dict[str, object] = {
        "market": given.market,
        "dry_run": given.dry_run,
        **change.aliases,
        "told": [message.key for message in change.messages],
    }
    if given.dry_run:
        return result
    publish(kafka, change.messages)
    return result | {"not_in_registry": _keep_in_step(own, given.market, change)}


def _keep_in_step(own: OfflineSettings, market: str, change: Change) -> list[str]:
    """Set MLflow's aliases, too; give those that it did not take. Who serves is settled by now."""
    from mlflow.exceptions import MlflowException

    from offline.registry import Registry

    left: list[str] = []
    for alias, version in change.aliases.items():
        try:
            Registry(own, market).set_alias(alias, version)
        except (NotRegistered, MlflowException) as error:
            say(f"MLflow's alias {alias} stays: {error}")
            left.append(alias)
    return left


COMMANDS: Mapping[str, Callable[[argparse.Namespace], dict[str, object]]] = {
    "snapshot": snapshot_command.run,
    "parity": parity_command.run,
    "train": train,
    "backtest": backtest,
    "eda": eda,
    "errors": errors,
    "ablate": ablate,
    "replay": replay,
    "preflight": preflight,
    "worker": requests_command.work,
    "request": requests_command.ask,
    "requests": requests_command.show,
    "gate": gate,
    "compare": compare,
    "tune": tune,
    "announce": announce,
    "rollback": rollback,
    "rollout": rollout,
}


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value)).decode()


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
