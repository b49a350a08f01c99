"""The options of `worker`, `request` and `requests`. Parses; does nothing."""

import argparse

from offline import command_line
from stream_app.contract.markets import MARKETS

_JSON = "the result as one line of JSON on standard output"


def worker(command: argparse.ArgumentParser) -> None:
    """Settings are in section [offline]."""
    command.description = (
        "Does what is asked on housing.alerts: pre-flights and trainings one at a time, roll "
        "backs at once. What it knows is on the topic: killed, it goes on at the next start."
    )
    command.add_argument("--json", action="store_true", help=_JSON)
    command.add_argument(
        "--promote",
        action=argparse.BooleanOptionalAction,
        help="whether a passed gate promotes without approval, where the request does not say; "
        "default: the setting worker_promotes",
    )
    command.add_argument(
        "--until-idle", action="store_true", help="end when nothing is left to be done"
    )


def request(command: argparse.ArgumentParser) -> None:
    """One message each."""
    kinds = command.add_subparsers(dest="kind", required=True, metavar="WHAT")
    preflight = command_line.add(kinds, "preflight", "measure what a retrained model would save")
    retrain = command_line.add(kinds, "retrain", "train, gate and, if it passes, promote")
    rollback = command_line.add(kinds, "rollback", "return to the champion before, at once")
    for asked in (preflight, retrain, rollback):
        asked.add_argument("--market", required=True, choices=sorted(MARKETS))
        asked.add_argument("--reason", required=True, action="append", metavar="TEXT")
        asked.add_argument(
            "--id", metavar="ID", help="of the request; the same id again is no new one"
        )
        _add_common(asked)
    _add_train_to(retrain)
    retrain.add_argument(
        "--promote",
        action=argparse.BooleanOptionalAction,
        help="whether a passed gate promotes without approval; default: as the worker is set",
    )
    rollback.add_argument("--leave", metavar="V", help="only if this is the champion")
    approve = command_line.add(kinds, "approve", "let a candidate serve that has passed its gate")
    approve.add_argument("--id", required=True, metavar="ID", help="of the request that waits")
    approve.add_argument("--decline", action="store_true", help="it is not to serve")
    approve.add_argument("--reason", default="", metavar="TEXT")
    _add_common(approve)


def _add_common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--by", metavar="WHO", help="who asks; default: the user's name here")
    command.add_argument("--json", action="store_true", help=_JSON)


def _add_train_to(command: argparse.ArgumentParser) -> None:
    from offline.arguments import boundary_ms

    command.add_argument(
        "--train-to",
        type=boundary_ms,
        metavar="DATE",
        help="what was sold before is trained on; default: all so far",
    )


def requests(command: argparse.ArgumentParser) -> None:
    """What is on the topic."""
    whats = command.add_subparsers(dest="what", required=True, metavar="WHAT")
    listed = command_line.add(whats, "list", "every request and where it stands, newest first")
    listed.add_argument("--market", choices=sorted(MARKETS), help="default: all")
    listed.add_argument("--open", action="store_true", help="only those that have not ended")
    listed.add_argument("--json", action="store_true", help=_JSON)
