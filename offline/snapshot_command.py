"""`snapshot make`, `show`, `compare`, `verify`, `erase`: options and results."""

from __future__ import annotations

import argparse
import hashlib
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from offline import command_line, events
from offline.log import LogUnreadable
from offline.progress import say
from offline.settings import from_environment
from stream_app.contract.topics import EVENTS, full_name

if TYPE_CHECKING:
    from offline.snapshot import Origin, Snapshot

_PURPOSE = re.compile(r"[a-z0-9-]{1,32}")


def options(
    command: argparse.ArgumentParser, add_rows: Callable[[argparse.ArgumentParser], None]
) -> None:
    """`add_rows` adds the market and where its rows come from."""
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    make = command_line.add(actions, "make", "replay a log and keep its rows")
    add_rows(make)
    make.add_argument(
        "--purpose",
        type=_purpose,
        default="train",
        metavar="WORD",
        help="begins the folder's name: small letters, digits, hyphens; default: %(default)s",
    )
    make.add_argument("--out", type=Path, metavar="FOLDER", help="default: the setting, by market")
    show = command_line.add(actions, "show", "what a snapshot is, and whence")
    verify = command_line.add(actions, "verify", "check every byte of it")
    compare = command_line.add(actions, "compare", "what is another thing in the second of two")
    for action in (show, verify):
        action.add_argument("folder", type=Path, metavar="DIR")
    compare.add_argument("first", type=Path, metavar="A")
    compare.add_argument("second", type=Path, metavar="B")
    erase = command_line.add(actions, "erase", "take erased listings out of all that were kept")
    erase.add_argument("listing", nargs="+", metavar="LISTING", help="its listing_id")
    erase.add_argument(
        "--below",
        type=Path,
        metavar="FOLDER",
        help="where snapshots lie, at any depth; default: the setting",
    )
    erase.add_argument("--dry-run", action="store_true", help="change nothing; show what would go")
    for action in (show, verify, compare, erase):
        action.add_argument(
            "--json", action="store_true", help="the result as one line of JSON on standard output"
        )


def run(given: argparse.Namespace) -> dict[str, object]:
    """What the action comes to."""
    return _ACTIONS[given.action](given)


def _make(given: argparse.Namespace) -> dict[str, object]:
    from offline import snapshot

    kafka, own = from_environment()
    if given.events is not None and given.events.startswith(events.SNAPSHOT):
        raise events.WrongOptions("--events: a snapshot is made of a log, not of a snapshot")
    files = {path.name: _sha256(path) for path in _files(given)}
    data = events.rows(given, kafka, own)
    origin = _origin(given, kafka.prefix, data.read[0].topic_id, files)
    request = snapshot.Request(
        purpose=given.purpose,
        before_ms=given.train_to,
        origin=origin,
        made_by=_command(given),
        without_sources=tuple(sorted(given.without_source)),
    )
    root = given.out or Path(own.snapshots, given.market)
    folder, new = snapshot.make(root, data, request)
    if not new:
        say("the same rows were kept before: nothing is written again")
    made = snapshot.describe(folder)
    return {"folder": str(folder), "new": new, **_shown(made)}


def _show(given: argparse.Namespace) -> dict[str, object]:
    from offline import snapshot

    made = snapshot.describe(given.folder)
    return _shown(made) | {
        "purpose": made.request.purpose,
        "made_by": made.request.made_by,
        "origin": msgspec.to_builtins(made.request.origin),
        "read": msgspec.to_builtins(made.read),
        "sources": msgspec.to_builtins(made.sources),
        "columns": [f"{c.name} ({c.dtype}, {c.unit})" for c in made.columns],
        "parts": msgspec.to_builtins(made.parts),
        "libraries": made.libraries,
    }


def _verify(given: argparse.Namespace) -> dict[str, object]:
    from offline import snapshot

    return {"whole": True, **_shown(snapshot.verify(given.folder))}


def _compare(given: argparse.Namespace) -> dict[str, object]:
    from offline import snapshot
    from offline.snapshot_compare import compare
    from stream_app.core.features import FEATURE_SET

    first, second = snapshot.columns(given.first), snapshot.columns(given.second)
    data = None
    if first[0].feature_set == second[0].feature_set == FEATURE_SET:
        data = snapshot.load(given.first)[1], snapshot.load(given.second)[1]
    found = compare(first, second, data)
    return {
        name: msgspec.to_builtins(value) for name, value in msgspec.structs.asdict(found).items()
    }


def _erase(given: argparse.Namespace) -> dict[str, object]:
    from offline.snapshot import SnapshotRefused
    from offline.snapshot_erase import erase, left_over

    _, own = from_environment()
    root = given.below or Path(own.snapshots)
    if not root.is_dir():
        raise SnapshotRefused(f"{root}: no such folder, so no snapshots are there")
    unfinished = [str(path) for path in left_over(root)]
    found = erase(root, given.listing, dry_run=given.dry_run)
    return {
        "below": str(root),
        "dry_run": given.dry_run,
        "rows_erased": sum(one.rows_erased for one in found),
        "snapshots": msgspec.to_builtins(found),
        "left_over": unfinished,
    }


_ACTIONS: Mapping[str, Callable[[argparse.Namespace], dict[str, object]]] = {
    "make": _make,
    "show": _show,
    "verify": _verify,
    "compare": _compare,
    "erase": _erase,
}


def _shown(made: Snapshot) -> dict[str, object]:
    return {
        "market": made.market,
        "version": made.version,
        "content_sha256": made.content_sha256,
        "data_sha256": made.data_sha256,
        "feature_set": made.feature_set,
        "before": _day(made.before_ms),
        "rows": made.rows,
        "offsets": {str(r.partition): [r.first_offset, r.end_offset] for r in made.read},
        "events": made.events,
        "dropped": {line.rule: line.dropped for line in made.accounts if line.dropped},
    }


def _files(given: argparse.Namespace) -> list[Path]:
    """Those that somebody named."""
    is_log = given.events is None or given.events.partition(":")[0] in events.LOGS
    return given.file if is_log else [Path(given.events)]


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise LogUnreadable(f"{path}: {error.strerror}") from None


def _origin(given: argparse.Namespace, prefix: str, topic_id: str, files: dict[str, str]) -> Origin:
    from offline.snapshot import Origin

    if given.source is not None:
        return Origin("source", given.source, files=files)
    kind = given.events.partition(":")[0]
    if kind in events.LOGS:
        return Origin(kind, full_name(prefix, EVENTS), topic_id)
    return Origin("file", Path(given.events).name, files=files)


def _command(given: argparse.Namespace) -> str:
    """Without the folders of this machine."""
    whence = f"--source {given.source}" if given.source else f"--events {Path(given.events).name}"
    told = [f"--file {path.name}" for path in given.file]
    told += [f"--without-source {source}" for source in given.without_source]
    words = ["python -m offline snapshot make", f"--market {given.market}", whence, *told]
    return " ".join([*words, f"--train-to {_day(given.train_to)}", f"--purpose {given.purpose}"])


def _purpose(text: str) -> str:
    if not _PURPOSE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r}: small letters, digits and hyphens are wanted")
    return text


def _day(at_ms: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at_ms / 1000))
