"""`python -m producers`: convert, replay, check. Turns every fault into one clear line."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping

from producers.arguments import parser, selection
from producers.convert import convert, convert_to_file
from producers.settings import from_environment
from producers.sources import BadFile, Tally
from stream_app.contract.settings import BadSettings

WRONG_INPUT = 2
INTERRUPTED = 130
PIPE_CLOSED = 141  # as a program that SIGPIPE ends


def _tell(text: str) -> None:
    print(text, file=sys.stderr)


def _tell_tally(tally: Tally) -> None:
    if tally.repaired:
        told = ", ".join(f"{column} {n:,}" for column, n in sorted(tally.repaired.items()))
        _tell(f"repaired cells: {told}")
    for bad in tally.first_bad_rows:
        _tell(f"not read: {bad}")
    if tally.bad_rows:
        _tell(f"{tally.bad_rows:,} rows could not be read and were left out")


def _tally_summary(tally: Tally) -> dict[str, object]:
    return {
        "rows": tally.rows,
        "bad_rows": tally.bad_rows,
        "repaired": dict(sorted(tally.repaired.items())),
    }


def _convert(given: argparse.Namespace) -> int:
    _, own = from_environment()
    tally = Tally(strict=given.strict)
    chosen = selection(given, own.seed)
    if given.out is None:
        kinds = convert(chosen, tally, sys.stdout.buffer)
    else:
        kinds = convert_to_file(chosen, tally, given.out)
    _tell_tally(tally)
    summary = {"events": kinds, **_tally_summary(tally)}
    if given.json:
        print(json.dumps(summary), file=sys.stdout if given.out else sys.stderr)
    else:
        told = ", ".join(f"{n:,} {kind}s" for kind, n in kinds.items()) or "no events"
        _tell(f"{told} from {tally.rows:,} rows")
    return 0


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {"convert": _convert}


def main() -> int:
    """Run one command; the result is the exit status."""
    given = parser().parse_args()
    try:
        status = COMMANDS[given.command](given)
        sys.stdout.flush()
    except KeyboardInterrupt:
        _tell("stopped")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; the interpreter must not flush to it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except (BadFile, BadSettings, OSError) as error:
        _tell(f"producers {given.command}: {error}")
        return WRONG_INPUT
    return status


if __name__ == "__main__":
    sys.exit(main())
