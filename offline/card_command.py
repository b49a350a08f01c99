"""`card`: the model card of a version, as Markdown and as a page, from what is recorded of it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from offline import card, keys, named, page, page_markdown, papers, recipe
from offline.audit import Finding
from offline.card import Known, Verdict
from offline.errors import Errors
from offline.progress import say
from offline.settings import from_environment
from stream_app.contract.rejects import ModelRefused

if TYPE_CHECKING:
    from offline.registry import Registry


def run(given: argparse.Namespace) -> dict[str, object]:
    """Write the card of a version, or of what serves."""
    from offline.registry import Registry

    kafka, own = from_environment()
    registry = Registry(own, given.market)
    roles = named.roles(kafka, given.market)
    version = named.version(registry, given.market, given.version, roles)
    known = gather(registry, version, roles)
    folder = given.out or Path("var", "cards", given.market)
    title = f"Model card: {given.market} {version}"
    made = page.write(
        folder, version, title, card.about(known), card.sections(known), _figures(known)
    )
    markdown = folder / f"{version}.md"
    markdown.write_text(
        page_markdown.render(title, card.about(known), card.sections(known)), "utf-8"
    )
    return {"market": given.market, "version": version, "markdown": str(markdown), **made}


def gather(registry: Registry, version: str, roles: dict[str, str] | None) -> Known:
    """All that is recorded of a version.

    Raises
    ------
    NotRegistered : there is no such version
    ModelRefused : what is kept is not what was signed
    """
    manifest = registry.genuine(version).manifest
    return Known(
        manifest=manifest,
        standing=registry.standing(version),
        signed_by=keys.fingerprint(registry.vault.trusted_key()),
        features_read=_features_read(registry, version),
        recipe=registry.paper_of(version, recipe.NAME, recipe.Recipe),
        errors=registry.paper_of(version, papers.ERRORS, Errors),
        findings=registry.paper_of(version, papers.AUDIT, tuple[Finding, ...]),
        verdict=registry.paper_of(version, "gate.json", Verdict),
        reviewed=registry.reviewed(version),
        roles=roles,
    )


def _features_read(registry: Registry, version: str) -> tuple[str, ...] | None:
    """None where the bundle is what was signed, and cannot be opened by what is installed here."""
    try:
        return registry.features_read(version)
    except ModelRefused as error:
        say(f"which features it reads is not known: {error}")
        return None


def _figures(known: Known) -> Known:
    """Without the worst homes: they are the error page's."""
    if known.errors is None:
        return known
    errors = msgspec.structs.replace(known.errors, worst=())
    return msgspec.structs.replace(known, errors=errors)
