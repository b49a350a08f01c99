"""Was a version made again? Compares what was signed with what came out now. Only decides.

The same lock file on the same CPU features gives the same bundle, byte for byte. Elsewhere
sums end in other bits: then the answers must agree, and what differs is named.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from msgspec import Struct

from offline.collector import Read
from offline.recipe import Recipe
from stream_app.contract.counts import counted
from stream_app.contract.models import Manifest
from stream_app.scoring.checks import RELATIVE_TOLERANCE, PredictsLog, matrix


class Differs(Struct, frozen=True):
    """A field that is not as it was."""

    field: str
    was: str
    now: str

    def __str__(self) -> str:
        return f"{self.field}: was {self.was}, is {self.now}"


class Made(Struct, frozen=True, kw_only=True):
    """What was read and made this time."""

    read: tuple[Read, ...]
    files: Mapping[str, str | None]
    code_sha256: str
    lock_sha256: str | None
    manifest: Manifest


class Report(Struct, frozen=True, kw_only=True):
    """What a person is told."""

    version: str
    reproduced: bool
    exact: bool  # the bundle is the same, byte for byte
    reason: str
    differs: tuple[str, ...]
    bundle_sha256: str  # as signed
    bundle_sha256_now: str | None  # None: it was not trained, for the data are other ones
    answers_off: float | None  # greatest relative difference of a log price; golden rows


def data(signed: Manifest, recipe: Recipe, made: Made) -> list[Differs]:
    """What differs of the rows and of what they were made of; empty: they are the same."""
    now = made.manifest
    found = [
        *_different("feature_set", signed.feature_set, now.feature_set),
        *_different("data_sha256", signed.data_sha256, now.data_sha256),
        *_different("rows", signed.training_rows, now.training_rows),
    ]
    return [*found, *_log(recipe, made)] if found else []


def environment(signed: Manifest, recipe: Recipe, made: Made) -> list[Differs]:
    """What differs of the machine and of what is installed on it."""
    now = made.manifest
    libraries = signed.library_versions | now.library_versions
    return [
        *_different("code_sha256", recipe.code_sha256, made.code_sha256),
        *_different("lock_sha256", recipe.lock_sha256, made.lock_sha256),
        *(
            difference
            for name in sorted(libraries)
            for difference in _different(
                name, signed.library_versions.get(name), now.library_versions.get(name)
            )
        ),
        *_different("cpu_features", " ".join(signed.cpu_features), " ".join(now.cpu_features)),
    ]


def answers_off(signed: Manifest, model: PredictsLog) -> float:
    """Greatest relative difference between what was said to the golden rows and is said now."""
    wanted = np.array([row.log_price for row in signed.golden_rows])
    got = model.predict_log(matrix([row.features for row in signed.golden_rows]))
    return float(np.max(np.abs(got - wanted) / np.abs(wanted)))


def changed_data(signed: Manifest, differs: list[Differs]) -> Report:
    """Other rows make another model: it was not even trained."""
    return Report(
        version=signed.version,
        reproduced=False,
        exact=False,
        reason="the data are other ones",
        differs=tuple(map(str, differs)),
        bundle_sha256=signed.bundle_sha256,
        bundle_sha256_now=None,
        answers_off=None,
    )


def judge(signed: Manifest, recipe: Recipe, made: Made, off: float) -> Report:
    """Say whether the same data made the same model."""
    exact = made.manifest.bundle_sha256 == signed.bundle_sha256
    differs = environment(signed, recipe, made)
    reproduced = exact or (bool(differs) and off <= RELATIVE_TOLERANCE)
    return Report(
        version=signed.version,
        reproduced=reproduced,
        exact=exact,
        reason=_reason(exact, reproduced, differs, off),
        differs=tuple(map(str, differs)),
        bundle_sha256=signed.bundle_sha256,
        bundle_sha256_now=made.manifest.bundle_sha256,
        answers_off=off,
    )


def _reason(exact: bool, reproduced: bool, differs: list[Differs], off: float) -> str:
    if exact:
        return "the bundle is the same, byte for byte"
    if not differs:
        return "another bundle, though nothing that is recorded differs"
    fields = ", ".join(each.field for each in differs)
    compared = (
        f"answers are within {off:.1e} of the price's logarithm, {RELATIVE_TOLERANCE:g} may be"
    )
    return f"{'another bundle' if reproduced else 'another model'}, for {fields} differ; {compared}"


def _log(recipe: Recipe, made: Made) -> Iterator[Differs]:
    for name, was in recipe.files.items():
        yield from _different(f"file {name}", was, made.files.get(name))
    now = {read.partition: read for read in made.read}
    for read in recipe.read:
        place = f"partition {read.partition}"
        found = now.get(read.partition)
        if found is None:
            yield Differs(place, counted(read.records, "record"), "not there")
            continue
        yield from _different(f"{place}, topic's id", read.topic_id, found.topic_id)
        yield from _different(f"{place}, offsets", _range(read), _range(found))
        yield from _different(f"{place}, records' sha256", read.sha256, found.sha256)
        if read.policies != found.policies:
            yield Differs(f"{place}, policies", str(read.policies), str(found.policies))


def _range(read: Read) -> str:
    return f"{read.first_offset} to {read.end_offset}"


def _different(field: str, was: object, now: object) -> Iterator[Differs]:
    if was != now:
        yield Differs(field, _shown(was), _shown(now))


def _shown(value: object) -> str:
    return "not known" if value is None else str(value)
