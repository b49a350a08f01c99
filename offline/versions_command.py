"""`versions` and `retire`: what there is of a market, what is noted of it, and what goes."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from offline import announced, lineage_log, named, retire
from offline.faults import BrokerAway, WrongInput
from offline.log import LogUnreadable
from offline.progress import say
from offline.serving_command import keep_in_step
from offline.settings import from_environment
from stream_app.contract.markets import MARKETS
from stream_app.contract.models import Alias

if TYPE_CHECKING:
    from offline.registry import Registry

_IN_STEP = (Alias.CHAMPION, Alias.PREVIOUS)  # MLflow's challenger is who was registered last
_SHOWN_METRICS = ("holdout_rows", "holdout_mae", "holdout_mdape", "holdout_bias")


def versions(given: argparse.Namespace) -> dict[str, object]:
    """All versions of a market, with what is noted of them."""
    from offline.registry import Registry

    kafka, own = from_environment()
    registry = Registry(own, given.market)
    on_broker: Mapping[str, str | None] | None
    try:
        on_broker = announced.read(kafka, given.market).aliases
    except (BrokerAway, LogUnreadable) as error:
        if given.repair:
            raise
        say(f"who serves is not known: {error}")
        on_broker = None
    result: dict[str, object] = {"market": given.market}
    if given.repair:
        wanted = _out_of_step(on_broker or {}, registry.aliases())
        left = keep_in_step(own, given.market, wanted)
        result |= {"repaired": {k: v for k, v in wanted.items() if k not in left}}
    return result | {
        "serving": on_broker,
        "registry": registry.aliases(),
        "versions": [_described(registry, version, on_broker) for version in registry.versions()],
    }


def _out_of_step(
    on_broker: Mapping[str, str | None], in_registry: Mapping[str, str | None]
) -> dict[str, str]:
    """MLflow's aliases that are not what serves, as they should be."""
    named = {alias: on_broker.get(alias) for alias in _IN_STEP}
    return {a: v for a, v in named.items() if v is not None and in_registry.get(a) != v}


def _described(
    registry: Registry, version: str, on_broker: Mapping[str, str | None] | None
) -> dict[str, object]:
    manifest = registry.announcement(version).manifest
    standing = registry.standing(version)
    roles = [alias.value for alias in Alias if (on_broker or {}).get(alias) == version]
    champion = (on_broker or registry.aliases()).get(Alias.CHAMPION)
    return {
        "version": version,
        "made": datetime.fromtimestamp(manifest.made_ms / 1000, UTC).isoformat(timespec="seconds"),
        "serves_as": roles,
        "rows": manifest.training_rows,
        **{name: manifest.metrics.get(name) for name in _SHOWN_METRICS},
        "gate": registry.gate_of(version, champion),
        "held": standing.held,
        "retired": standing.retired,
    }


def retire_version(given: argparse.Namespace) -> dict[str, object]:
    """Take a version out of use for good. Its record stays."""
    from offline.registry import Registry, Tag

    kafka, own = from_environment()
    registry = Registry(own, given.market)
    now = announced.read(kafka, given.market)
    version = named.version(registry, given.market, given.version, now.aliases)
    manifest = registry.announcement(version).manifest
    retire.refuse(version, {"housing.models": now.aliases, "MLflow": registry.aliases()})
    files: list[str] = []
    if given.remove_files:
        files = sorted(registry.files(version))
        served = lineage_log.served(kafka, given.market, version)
        others = dict(_others(registry, given.market, version))
        _refuse_needed(version, files, others, bool(served.spans))
    if not given.dry_run:
        registry.mark(version, Tag.RETIRED, given.reason)
        for file in files:
            registry.vault.remove(file)
    return {
        "market": given.market,
        "version": version,
        "reason": given.reason,
        "dry_run": given.dry_run,
        "removed": files,
        "bundle_sha256": manifest.bundle_sha256,
    }


def _others(registry: Registry, own_market: str, own: str) -> Iterator[tuple[str, set[str]]]:
    """Every other version of every market, with its files: all markets share the store."""
    for market in MARKETS:
        theirs = registry.of(market)
        for version in theirs.versions():
            if (market, version) != (own_market, own):
                yield f"{market} {version}", theirs.files(version)


def _refuse_needed(
    version: str, files: list[str], others: Mapping[str, set[str]], served: bool
) -> None:
    if served:
        raise WrongInput(
            f"{version} has served: its files stay, for its answers to be explained and replayed; "
            "retire it without --remove-files"
        )
    for file, needs in retire.needed(files, others).items():
        if needs:
            raise WrongInput(f"{file} is needed by {', '.join(needs)}")
