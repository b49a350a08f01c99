"""`python -m bench`: how fast this is, side by side with what else could be written.

Every command fills its part of var/bench/results.json.
"""

import argparse
import sys
from collections.abc import Sequence

from bench import (
    all_command,
    changes_command,
    growth_command,
    latency_command,
    offline_command,
    online_command,
    step_command,
    table_command,
)
from bench.capacity import NotMeasured
from bench.say import say
from demo.programs import ProgramFailed

FAILED = 1
INTERRUPTED = 130
COMMANDS = (
    all_command,
    online_command,
    latency_command,
    changes_command,
    offline_command,
    growth_command,
    step_command,
    table_command,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the result is the exit status."""
    given = _parser().parse_args(arguments)
    try:
        return int(given.run(given))
    except ProgramFailed as error:
        say(f"bench: {error}; see {error.program.log}")
        return FAILED
    except NotMeasured as error:
        say(f"bench: {error}")
        return FAILED
    except KeyboardInterrupt:
        say("stopped")
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m bench", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
