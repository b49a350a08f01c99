"""`lineage`: from a version to its data and its answers, and back from a field or from data."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import msgspec

from offline import lineage, lineage_log, lineage_picture, named, recipe
from offline.faults import BrokerAway, WrongInput
from offline.lineage import Lineage
from offline.log import LogUnreadable
from offline.progress import say
from offline.recipe import Recipe
from offline.settings import from_environment
from stream_app.contract.models import Alias
from stream_app.core.features import NAMES

if TYPE_CHECKING:
    from offline.registry import Registry
    from stream_app.contract.settings import KafkaSettings


def run(given: argparse.Namespace) -> dict[str, object]:
    """One version's lineage, or the versions that something went into."""
    from offline.registry import Registry

    kafka, own = from_environment()
    registry = Registry(own, given.market)
    if given.version is None:
        if given.out is not None:
            raise WrongInput("--out draws the lineage of a version: name one with --version")
        return {"market": given.market, **_versions_of(registry, given)}
    roles = named.roles(kafka, given.market) if given.version in tuple(Alias) else None
    version = named.version(registry, given.market, given.version, roles)
    found = _of_version(registry, kafka, given.market, version)
    result: dict[str, object] = msgspec.to_builtins(found)
    if given.out is not None:
        given.out.write_text(lineage_picture.svg(found), "utf-8")
        result["picture"] = str(given.out)
    return result


def _versions_of(registry: Registry, given: argparse.Namespace) -> dict[str, object]:
    versions = registry.versions()
    if given.feature is not None:
        if given.feature not in NAMES:
            raise WrongInput(f"--feature {given.feature}: is none of {', '.join(NAMES)}")
        read = {version: registry.features_read(version) for version in versions}
        return {"feature": given.feature, "read_by": lineage.readers(read, given.feature)}
    if given.data is not None:
        hashes = {v: registry.announcement(v).manifest.data_sha256 for v in versions}
        return {
            "data_sha256": given.data,
            "trained_on_it": [v for v, found in hashes.items() if found.startswith(given.data)],
        }
    recipes = {v: registry.paper_of(v, recipe.NAME, Recipe) for v in versions}
    known = {version: made for version, made in recipes.items() if made is not None}
    return {
        "offset": str(given.offset),
        "trained_on_it": [v for v, made in known.items() if lineage.holds(made.read, given.offset)],
        "not_recorded": sorted(set(versions) - set(known)),
    }


def _of_version(registry: Registry, kafka: KafkaSettings, market: str, version: str) -> Lineage:
    manifest = registry.genuine(version).manifest
    features_read = registry.features_read(version)
    made = registry.paper_of(version, recipe.NAME, Recipe)
    try:
        service = lineage_log.served(kafka, market, version)
    except (BrokerAway, LogUnreadable) as error:
        say(f"what it was used for is not known: {error}")
        service = None
    return Lineage(
        market=market,
        version=version,
        events=None if made is None else recipe.source_of(made),
        read=() if made is None else made.read,
        files={} if made is None else dict(made.files),
        data_sha256=manifest.data_sha256,
        training_rows=manifest.training_rows,
        features_read=features_read,
        features_not_read=tuple(name for name in NAMES if name not in features_read),
        bundle_sha256=manifest.bundle_sha256,
        reference_sha256=manifest.reference_sha256,
        served=None if service is None else tuple(service.spans),
        predictions=None if service is None else service.predictions,
    )
