"""How a version was made, noted so that it can be made again: `recipe.json`.

Written when a version is registered. Not here: making it again (reproduce.py).
"""

import argparse
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from offline.accounts import Dropped, account
from offline.collector import Read
from offline.dataset import Dataset
from offline.faults import WrongInput
from offline.train import Candidate

NAME = "recipe.json"
_HOME = Path(__file__).parents[1]
LOCK = _HOME / "requirements.lock"
_CODE = ("offline", "stream_app", "producers")  # producers: converts a source's files
# Of the command line: who asked and how the result is shown makes no other model.
_NOT_KEPT = frozenset({"command", "json", "by", "reason", "wants_date", "processes"})


class Recipe(Struct, frozen=True, kw_only=True):
    """What went into a version. Null: not known."""

    options: Mapping[str, Any]  # of `train`, as given
    seed: int
    shape: Mapping[str, Any]  # of the trees, as chosen
    read: tuple[Read, ...]  # by partition of the log: offsets, records, hash, policies
    files: Mapping[str, str]  # path -> sha256
    dropped: tuple[Dropped, ...]  # from the events read down to the rows
    rows: int
    code_sha256: str
    lock_sha256: str | None
    reason: str
    by: str


def write(given: argparse.Namespace, data: Dataset, candidate: Candidate, by: str) -> Recipe:
    """Note what a training was given, and what it chose."""
    manifest = candidate.champion.manifest
    options = {name: _plain(value) for name, value in vars(given).items() if name not in _NOT_KEPT}
    return Recipe(
        options=options,
        seed=manifest.seed,
        shape=msgspec.to_builtins(candidate.shape),
        read=data.read,
        files=files_of(given),
        dropped=account(data.counts, len(data), data.examples),
        rows=manifest.training_rows,
        code_sha256=code_sha256(),
        lock_sha256=sha256(LOCK),
        reason=given.reason,
        by=by,
    )


def places(recipe: Recipe, now: Sequence[Path]) -> dict[str, Path]:
    """Where each file that was read lies `now`; where it lay if none is named.

    Raises
    ------
    WrongInput : another number of files was read
    """
    if now and len(now) != len(recipe.files):
        named = ", ".join(recipe.files) or "none"
        raise WrongInput(f"--file: {len(now)} given, read were {len(recipe.files)}: {named}")
    return dict(zip(recipe.files, now or map(Path, recipe.files), strict=True))


def given_again(recipe: Recipe, files: Mapping[str, Path]) -> argparse.Namespace:
    """The options of `train` as they were, with the files where they lie now."""
    options = dict(recipe.options)
    options["file"] = [files[name] for name in options["file"]]
    if options["events"] in files:
        options["events"] = str(files[options["events"]])
    return argparse.Namespace(command="reproduce", processes=0, **options)


def ends_of(recipe: Recipe) -> dict[int, int]:
    """Where each partition of the log ended then."""
    return {read.partition: read.end_offset for read in recipe.read}


def sha256(path: Path) -> str | None:
    """Of a file; None if there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def source_of(recipe: Recipe) -> str:
    """What the events were, as the options named it."""
    options = recipe.options
    found = options.get("source") and f"source {options['source']}"
    return str(found or options.get("events"))


def code_sha256() -> str:
    """Of all Python files that have a part in making a model, with their names."""
    digest = hashlib.sha256()
    for package in _CODE:
        for path in sorted(Path(_HOME, package).rglob("*.py")):
            digest.update(f"{path.relative_to(_HOME)} {sha256(path)}\n".encode())
    return digest.hexdigest()


def files_of(given: argparse.Namespace) -> dict[str, str]:
    """Hashes of the files that the options name."""
    named = [str(path) for path in given.file]
    if given.events is not None:
        named.append(given.events)
    return {name: found for name in named if (found := sha256(Path(name))) is not None}


def _plain(value: object) -> object:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value
