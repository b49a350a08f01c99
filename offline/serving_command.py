"""`promote`, `rollback`, `rollout`: who serves from now on. Told to the broker, then to MLflow.

All three go by what is announced on `housing.models`: a roll back must not wait for a
registry, nor fail with it.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from offline import announced
from offline.announce import Change, publish
from offline.announced import Announced
from offline.faults import NotRegistered
from offline.progress import say
from offline.promote import promote as promoted
from offline.promote import refuse, refuse_ungated
from offline.rollout import known, roll_back, roll_out
from offline.settings import OfflineSettings, from_environment
from stream_app.contract.models import Alias, ChampionAnnounced, RolloutMode, SegmentShift
from stream_app.contract.rejects import ModelRefused

if TYPE_CHECKING:
    from offline.vault import Vault
    from stream_app.contract.settings import KafkaSettings
    from stream_app.scoring.champion import Champion


def promote(given: argparse.Namespace) -> dict[str, object]:
    """Let a registered version serve that passed its gate."""
    from offline.registry import Registry, Tag

    kafka, own = from_environment()
    versions = Registry(own, given.market)
    version = given.version or versions.challenger()
    refuse(versions.standing(version), reviewed=given.reviewed is not None)
    new, announcement = versions.open(version), versions.announcement(version)
    now = announced.read(kafka, given.market)
    # Where the topic is a new one, the champion that was is announced anew.
    champion = now.aliases.get(Alias.CHAMPION) or versions.alias(Alias.CHAMPION)
    if given.without_gate is None and version != champion:
        refuse_ungated(version, versions.gate_of(version, champion))
    moved = _expected_shift(versions.vault, now, new, announcement)
    change = promoted(now, announcement, _why(given), moved)
    if given.reviewed is not None and not given.dry_run:
        versions.mark(version, Tag.REVIEWED, given.reviewed)
    return _changed(given, kafka, own, now, change) | {"expected_shift": msgspec.to_builtins(moved)}


def _expected_shift(
    vault: Vault, now: Announced, new: Champion, announcement: ChampionAnnounced
) -> tuple[SegmentShift, ...]:
    """Against who serves now; none where nobody does, or where it cannot be measured."""
    from offline.expected_shift import shifts

    before = now.aliases.get(Alias.CHAMPION)
    if before == new.version and now.serving is not None:
        return now.serving.expected_shift
    sample = vault.reference(announcement)
    if before is None or before not in now.champions or sample is None:
        return ()
    try:
        old = vault.open(now.champions[before])
    except ModelRefused as error:
        say(f"how far prices will move is not told: {error}")
        return ()
    return shifts(old, new, sample)


def _why(given: argparse.Namespace) -> str:
    """The reason, with those for what was passed over."""
    passed_over = {"reviewed": given.reviewed, "without gate": given.without_gate}
    return "; ".join(
        [given.reason, *(f"{k}: {v}" for k, v in passed_over.items() if v is not None)]
    )


def rollback(given: argparse.Namespace) -> dict[str, object]:
    """Let champion and previous change places."""
    kafka, own = from_environment()
    now = announced.read(kafka, given.market)
    return _changed(given, kafka, own, now, roll_back(now, given.reason, given.leave))


def rollout(given: argparse.Namespace) -> dict[str, object]:
    """Set the challenger, and what it is for."""
    kafka, own = from_environment()
    now = announced.read(kafka, given.market)
    named = None if given.version is None else _named(own, now, given.version)
    change = roll_out(now, RolloutMode(given.mode), given.share, named, given.reason)
    return _changed(given, kafka, own, now, change)


def _named(own: OfflineSettings, now: Announced, version: str) -> ChampionAnnounced:
    """A version of the registry that may be tried, or one that was announced before."""
    from offline.registry import Registry

    versions = Registry(own, now.market)
    try:
        refuse(versions.standing(version))
    except NotRegistered:
        return known(now, version)
    return versions.announcement(version)


def _changed(
    given: argparse.Namespace,
    kafka: KafkaSettings,
    own: OfflineSettings,
    now: Announced,
    change: Change,
) -> dict[str, object]:
    """Tell the broker, then MLflow, unless all of it is only to be looked at."""
    result: dict[str, object] = {
        "market": given.market,
        "version": change.aliases.get(Alias.CHAMPION) or change.aliases.get(Alias.CHALLENGER),
        "previous": now.aliases.get(Alias.PREVIOUS),
        "reason": given.reason,
        "dry_run": given.dry_run,
        **change.aliases,
        "changed": {
            alias: f"{now.aliases.get(alias, 'nobody')} -> {version}"
            for alias, version in change.aliases.items()
        },
        "told": [message.key for message in change.messages],
    }
    if given.dry_run:
        return result
    if change.messages:
        publish(kafka, change.messages)
    return result | {"not_in_registry": keep_in_step(own, given.market, change.aliases)}


def keep_in_step(own: OfflineSettings, market: str, aliases: Mapping[str, str]) -> list[str]:
    """Set MLflow's aliases, too; give those that it did not take. Who serves is settled by now."""
    from mlflow.exceptions import MlflowException

    from offline.registry import Registry

    left: list[str] = []
    for alias, version in aliases.items():
        try:
            Registry(own, market).set_alias(alias, version)
        except (NotRegistered, MlflowException) as error:
            say(f"MLflow's alias {alias} stays: {error}")
            left.append(alias)
    return left
