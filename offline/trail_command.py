"""`trail`: shows what was done to the models, and whether the record of it is whole.

Here also: `recorded`, which writes a command's deeds to it.
"""

import argparse
import getpass
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from offline import trail
from offline.faults import Refused, WrongInput
from offline.progress import say
from offline.settings import from_environment
from offline.trail import Deed, State
from stream_app.contract.markets import MARKETS

Result = dict[str, object]
Run = Callable[[argparse.Namespace], Result]


class TrailBroken(Refused):
    """Somebody wrote into the trail, or took something out."""


def options(command: argparse.ArgumentParser) -> None:
    """Options of `trail`."""
    command.add_argument("--market", choices=sorted(MARKETS), help="default: all")
    command.add_argument(
        "--verify", action="store_true", help="only say whether it is whole; status 1 if it is not"
    )
    command.add_argument(
        "--head",
        metavar="SHA256",
        help="the newest hash as noted elsewhere: fails if it is not in the trail any more",
    )
    command.add_argument(
        "--json", action="store_true", help="the result as one line of JSON on standard output"
    )


def show(given: argparse.Namespace) -> Result:
    """All deeds, or only whether the trail is whole."""
    _, own = from_environment()
    path = Path(own.trail_file)
    if not path.exists():
        raise WrongInput(f"{path}: nothing was recorded yet")
    raw = path.read_bytes().splitlines()
    found = trail.check(raw)
    faults = list(found.faults)
    if given.head is not None and given.head not in trail.hashes(raw):
        faults.append(f"no line has the hash {given.head}: lines were cut off or written anew")
    for fault in faults:
        say(f"{path}: {fault}")
    if faults and given.verify:
        raise TrailBroken(f"{path}: {len(faults)} faults, first: {faults[0]}")
    result: Result = {"file": str(path), "lines": len(raw), "head": found.head, "faults": faults}
    if given.verify:
        return result
    deeds = [_words(d) for d in found.deeds if given.market in (None, d.market)]
    return result | {"deeds": deeds}


def _words(deed: Deed) -> Result:
    at = datetime.fromtimestamp(deed.at_ms / 1000, UTC).isoformat(timespec="seconds")
    return {"at": at} | {name: getattr(deed, name) for name in deed.__struct_fields__[1:]}


def recorded(action: str, run: Run, *, even_unwritten: bool = False) -> Run:
    """The same command, with its deeds in the trail: when it begins, and how it ends.

    What cannot be recorded is not begun; `even_unwritten`: it is, for a way back must not
    wait for a disk.
    """

    def command(given: argparse.Namespace) -> Result:
        if getattr(given, "dry_run", False):
            return run(given)
        _append(_begun(action, given), needed=not even_unwritten)
        try:
            result = run(given)
        except BaseException as error:
            failed = _ended(action, given, State.FAILED, {}, str(error) or type(error).__name__)
            _append(failed, needed=False)
            raise
        ended = _ended(action, given, State.DONE, result)
        return result | {"trail_sha256": _append(ended, needed=False)}

    return command


def _append(deed: Deed, *, needed: bool) -> str | None:
    _, own = from_environment()
    try:
        return trail.append(Path(own.trail_file), deed)
    except OSError as error:
        if needed:
            raise
        say(f"not in the trail: {deed.action} {deed.state}: {error}")
        return None


def _begun(action: str, given: argparse.Namespace) -> Deed:
    return _ended(action, given, State.BEGUN, {})


def _ended(
    action: str, given: argparse.Namespace, state: State, result: Result, error: str | None = None
) -> Deed:
    return Deed(
        at_ms=int(time.time() * 1000),
        by=author(given),
        action=action,
        state=state,
        market=given.market,
        version=_text(result.get("version", getattr(given, "version", None))),
        previous=_text(result.get("previous")),
        reason=_text(result.get("reason", getattr(given, "reason", None))),
        error=error,
        hashes={k: str(v) for k, v in result.items() if k.endswith("_sha256") and v is not None},
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def author(given: argparse.Namespace) -> str:
    """Who does it: as named, else the user here."""
    if getattr(given, "by", None):
        return str(given.by)
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have a number and no name
        return f"user {os.getuid()}"
