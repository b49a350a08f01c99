"""`reproduce`: makes a version again from its recipe, and says whether it is the same."""

import argparse
from collections.abc import Mapping
from pathlib import Path

import msgspec

from offline import recipe as recipes
from offline import reproduce
from offline.faults import NotRegistered
from offline.progress import say
from offline.recipe import Recipe
from offline.reproduce import Made, Report
from offline.settings import OfflineSettings, from_environment
from stream_app.contract.models import Manifest
from stream_app.contract.settings import KafkaSettings


def run(given: argparse.Namespace) -> dict[str, object]:
    """Train again as the recipe says; nothing is registered."""
    from offline.registry import Registry

    kafka, own = from_environment()
    versions = Registry(own, given.market)
    signed = versions.genuine(given.version).manifest
    recipe = versions.paper_of(given.version, recipes.NAME, Recipe)
    if recipe is None:
        raise NotRegistered(f"{given.version} was registered before recipes were kept")
    files = recipes.places(recipe, given.file)
    report = _made_again(signed, recipe, files, kafka, own)
    for line in report.differs:
        say(f"differs: {line}")
    found = msgspec.to_builtins(report)
    return {"market": given.market, **found, "passed": report.reproduced}


def _made_again(
    signed: Manifest,
    recipe: Recipe,
    files: Mapping[str, Path],
    kafka: KafkaSettings,
    own: OfflineSettings,
) -> Report:
    from offline import dataset, events
    from offline.shape import Shape
    from offline.train import train

    given = recipes.given_again(recipe, files)
    data = events.rows(given, kafka, own, ends=recipes.ends_of(recipe))
    now = Made(
        read=data.read,
        files={name: recipes.sha256(path) for name, path in files.items()},
        code_sha256=recipes.code_sha256(),
        lock_sha256=recipes.sha256(recipes.LOCK),
        manifest=msgspec.structs.replace(
            signed, data_sha256=dataset.sha256(data), training_rows=len(data)
        ),
    )
    differs = reproduce.data(signed, recipe, now)
    if differs:
        return reproduce.changed_data(signed, differs)
    shape = msgspec.convert(recipe.shape, Shape)
    champion = train(data, recipe.seed, signed.made_ms, say, shape).champion
    made = msgspec.structs.replace(now, manifest=champion.manifest)
    return reproduce.judge(signed, recipe, made, reproduce.answers_off(signed, champion))
