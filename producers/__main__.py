"""`python -m producers`: turns every fault into one clear line and an exit status."""

import os
import sys
from collections.abc import Sequence

from producers.arguments import parser
from producers.checkpoint import BadCheckpoint
from producers.commands import COMMANDS
from producers.refused_topic import Unreadable
from producers.scenario import BadScenario
from producers.sender import Undelivered
from producers.sources import BadFile
from stream_app.contract.settings import BadSettings

UNDELIVERED = 1
WRONG_INPUT = 2
INTERRUPTED = 130
PIPE_CLOSED = 141  # as a program that SIGPIPE ends


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the result is the exit status."""
    given = parser().parse_args(arguments)
    try:
        status = COMMANDS[given.command](given)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; the interpreter must not flush to it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except Undelivered as error:
        return _complain(given.command, error, UNDELIVERED)
    except (BadCheckpoint, BadFile, BadScenario, BadSettings, Unreadable, OSError) as error:
        return _complain(given.command, error, WRONG_INPUT)
    return status


def _complain(command: str, error: Exception, status: int) -> int:
    for line in str(error).splitlines():
        print(f"producers {command}: {line}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
